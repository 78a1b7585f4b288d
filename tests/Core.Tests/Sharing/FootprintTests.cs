using System.Globalization;
using FastXen.Core.State;
using FastXen.Core.Tests.SystemLevel;
using FastXen.Core.Translate;
using Xunit.Abstractions;

namespace FastXen.Core.Tests.Sharing;

/// <summary>What a domain costs beside its memory.</summary>
public sealed unsafe class FootprintTests(ITestOutputHelper log)
{
    [Fact]
    public void A_small_domain_takes_little_memory()
    {
        const int domains = 24;
        const double mostMebibytes = 1.5;
        var machines = new List<SharedMachine>();
        try
        {
            Run(machines);
            GC.Collect();
            long before = Resident(machines);
            for (int n = 0; n < domains; n++)
                Run(machines);
            GC.Collect();
            double each = (Resident(machines) - before) / (double)domains / (1 << 20);
            log.WriteLine($"{each:F2} MiB");
            Assert.True(each < mostMebibytes, $"{each:F2} MiB");
        }
        finally
        {
            machines.ForEach(machine => machine.Dispose());
        }
    }

    [Fact]
    public void Code_is_resident_once_and_no_longer_than_it_is_used()
    {
        const int part = 8 << 20, region = 64 << 10, chunk = 1 << 20;
        using var arena = new CodeArena(new TranslatorOptions { CodeBytes = part });
        for (int generation = 0; generation < 3; generation++)
        {
            int written = 0;
            for (; !arena.IsFull; written += region)
            {
                new Span<byte>(arena.NextWritable, region).Fill(0xCC);
                // As if it ran: all of its pages are looked at.
                Assert.Equal(-1, new Span<byte>(arena.NextExecutable, region).IndexOf((byte)0));
                arena.Take(region);
            }

            long writable = ResidentAt(arena.Memory.Writable, arena.Memory.Size), executable = ResidentAt(arena.Memory.Executable, arena.Memory.Size);
            log.WriteLine($"{written >> 10} KiB written: {writable >> 10} KiB resident to be written, {executable >> 10} KiB to be executed");
            Assert.InRange(written, part / 2, part);
            Assert.InRange(writable, 1, 2 * chunk);
            Assert.InRange(executable, written, written + chunk);
            nint old = arena.Turn();
            arena.GiveBack(old);
        }
    }

    private static void Run(List<SharedMachine> machines)
    {
        var machine = new SharedMachine(1);
        machines.Add(machine);
        machine.Load(SharedMachine.Code, SharedPrograms.Work);
        VcpuState* s = machine.Vcpus[0].State;
        s->Gr[14] = 3;
        s->Gr[15] = SharedMachine.Data;
        s->Gr[16] = 1000;
        machine.Run();
    }

    // Bytes in memory that are not the guests'.
    private static long Resident(List<SharedMachine> machines) =>
        Resident(start => !machines.Any(machine => start - (ulong)machine.Memory.Base < SystemMachine.MemorySize));

    private static long ResidentAt(byte* address, long size) => Resident(start => start - (ulong)address < (ulong)size);

    // Bytes in mappings whose start counts. The kernel's list has lines "start-end ..." and "Rss: n kB" below each.
    private static long Resident(Predicate<ulong> ofStart)
    {
        long sum = 0;
        bool counts = false;
        foreach (string line in File.ReadLines("/proc/self/smaps"))
        {
            if (char.IsAsciiHexDigitLower(line[0]))
            {
                counts = ofStart(ulong.Parse(line.AsSpan(0, line.IndexOf('-')), NumberStyles.HexNumber, CultureInfo.InvariantCulture));
            }
            else if (counts && line.StartsWith("Rss:", StringComparison.Ordinal))
            {
                sum += long.Parse(line.AsSpan(4, line.Length - 6), NumberStyles.Integer, CultureInfo.InvariantCulture);
            }
        }

        return sum << 10;
    }
}
