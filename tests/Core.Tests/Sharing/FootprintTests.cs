using System.Globalization;
using FastXen.Core.State;
using FastXen.Core.Tests.SystemLevel;
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

    // Bytes in memory that are not the guests'. The kernel's list has lines "start-end ..." and "Rss: n kB" below each.
    private static long Resident(List<SharedMachine> machines)
    {
        long sum = 0;
        bool counts = false;
        foreach (string line in File.ReadLines("/proc/self/smaps"))
        {
            if (char.IsAsciiHexDigitLower(line[0]))
            {
                ulong start = ulong.Parse(line.AsSpan(0, line.IndexOf('-')), NumberStyles.HexNumber, CultureInfo.InvariantCulture);
                counts = !machines.Any(machine => start - (ulong)machine.Memory.Base < SystemMachine.MemorySize);
            }
            else if (counts && line.StartsWith("Rss:", StringComparison.Ordinal))
            {
                sum += long.Parse(line.AsSpan(4, line.Length - 6), NumberStyles.Integer, CultureInfo.InvariantCulture);
            }
        }

        return sum << 10;
    }
}
