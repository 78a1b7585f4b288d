using System.Globalization;
using FastXen.Core.State;
using Xunit.Abstractions;

namespace FastXen.Core.Tests.RandomPrograms;

/// <summary>
/// Random programs on the interpreter and on the translator. FASTXEN_RANDOM_BUNDLES says how many bundles run, FASTXEN_RANDOM_SEED with
/// which seed the first program is made, FASTXEN_RANDOM_FAILURES after how many differences to stop (1). A failure names
/// its seed; where the process dies, the file FASTXEN_RANDOM_LOG has it.
/// </summary>
public sealed unsafe class RandomProgramTests(ITestOutputHelper log)
{
    private static long Setting(string name, long otherwise) =>
        long.TryParse(Environment.GetEnvironmentVariable(name), CultureInfo.InvariantCulture, out long value) ? value : otherwise;

    [Theory]
    [InlineData(EngineKind.Interpreter, 300_000)]
    [InlineData(EngineKind.Translator, 10_500_000)]
    public void Both_engines_do_the_same(EngineKind engine, long bundles)
    {
        bundles = Setting("FASTXEN_RANDOM_BUNDLES", bundles);
        int seed = (int)Setting("FASTXEN_RANDOM_SEED", 1);
        var harness = new LockstepHarness(EngineKind.Interpreter, engine);
        int programs = 0;
        var reports = new List<string>();
        long mostReports = Setting("FASTXEN_RANDOM_FAILURES", 1);
        for (; harness.Retired < (ulong)bundles * 3 && reports.Count < mostReports; programs++)
        {
            if (Environment.GetEnvironmentVariable("FASTXEN_RANDOM_LOG") is { } path)
                File.WriteAllText(path, $"{seed + programs}");
            GuestProgram program = ProgramGenerator.Make(seed + programs);
            if (harness.Run(program) is { } difference)
                reports.Add(harness.Shrink(difference).Report());
        }

        log.WriteLine($"{programs} programs from seed {seed} on, {harness.Retired} instructions");
        Assert.True(reports.Count == 0, string.Join('\n', reports));
    }

    /// <summary>
    /// Stores hit code only where the program flushes it afterwards: what else they change might be run or not, on any engine (SDM vol 1, 4.4.6.2).
    /// </summary>
    [Fact]
    public void Programs_change_only_code_that_they_flush()
    {
        const int programs = 60, bytesOfABundle = 16;
        int changed = 0;
        for (int seed = (int)Setting("FASTXEN_RANDOM_SEED", 1970), last = seed + programs; seed < last; seed++)
        {
            GuestProgram program = ProgramGenerator.Make(seed);
            using var machine = new ProgramMachine(program, EngineKind.Interpreter);
            machine.Vcpu.RunLimit = GuestProgram.Length;
            machine.Vcpu.Run();
            ReadOnlySpan<byte> now = machine.Vcpu.Memory.TryGetSpan(0, (int)Layout.MemorySize, out Span<byte> memory) ? memory : default;
            foreach (ulong address in program.CodeAddresses)
            {
                if (now.Slice((int)address, bytesOfABundle).SequenceEqual(program.Memory.AsSpan((int)address, bytesOfABundle)))
                    continue;
                Assert.True(program.Patched.Contains(address), $"seed {seed} stores to 0x{address:x}");
                changed++;
            }
        }

        Assert.True(changed > 0, "no bundle was changed");
    }

    /// <summary>Whatever the seed, a program goes on: it executes much of its code and is not lost in handlers.</summary>
    [Fact]
    public void Programs_run_on()
    {
        const int Programs = 40;
        double covered = 0;
        for (int seed = 0; seed < Programs; seed++)
        {
            GuestProgram program = ProgramGenerator.Make(seed);
            using var machine = new ProgramMachine(program, EngineKind.Interpreter);
            VcpuState* s = machine.Vcpu.State;
            var seen = new HashSet<ulong>();
            int inHandlers = 0, points = 0;
            while (s->Retired < GuestProgram.Length && machine.Vcpu.StopReason == VcpuStop.None)
            {
                machine.Vcpu.RunLimit = s->Retired + 1;
                machine.Vcpu.Run();
                ulong ip = s->Ip & 0xF_FFF0;
                if (ip is >= Layout.Code and < Layout.CodeEnd)
                    seen.Add(ip);
                else
                    inHandlers++;
                points++;
            }

            ulong faults = machine.Vcpu.Memory.Read<ulong>(Layout.Log), ticks = machine.Vcpu.Memory.Read<ulong>(Layout.Ticks);
            log.WriteLine($"seed {seed}: {program.Bundles} bundles, {seen.Count} places, {points} look-points, {inHandlers} of them in handlers, {faults} interruptions, {ticks} ticks, {machine.Vcpu.StopReason} {machine.Vcpu.CrashReason}");
            Assert.True(ticks > 3, $"seed {seed}: {ticks} ticks");
            covered += seen.Count;
        }

        Assert.True(covered / Programs > 60, $"{covered / Programs} places of a program are reached");
    }
}
