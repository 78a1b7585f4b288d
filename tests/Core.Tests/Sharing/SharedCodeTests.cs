using FastXen.Core.State;
using FastXen.Core.Translate;
using Xunit.Abstractions;

namespace FastXen.Core.Tests.Sharing;

/// <summary>Processors of one domain run the same code, on real threads, while it is made, changed, thrown away and made again.</summary>
public sealed unsafe class SharedCodeTests(ITestOutputHelper log)
{
    private const ulong Code = SharedMachine.Code, Data = SharedMachine.Data;
    private const ulong Functions = Code + 0x1_0000, Table = Data + 0x1000, Flag = Data + 0x2000, Count = Data + 0x3000;

    [Theory]
    [InlineData(2, EngineKind.Translator)]
    [InlineData(4, EngineKind.Translator)]
    [InlineData(3, EngineKind.Interpreter)]
    public void The_same_code_gives_each_processor_its_own_results(int processors, EngineKind engine)
    {
        const ulong turns = 20_000;
        using var machine = new SharedMachine(processors, engine, new TranslatorOptions { Threshold = 2 });
        StartWork(machine, turns);
        machine.Run();
        AssertWork(machine, turns);
        // All of them run the regions that one has made.
        if (engine == EngineKind.Translator)
            Assert.InRange(machine.Statistics.Regions, 1, 12);
    }

    [Theory]
    [InlineData(EngineKind.Translator)]
    [InlineData(EngineKind.Interpreter)]
    public void Code_that_a_device_writes_goes_on_while_others_run_in_it(EngineKind engine)
    {
        const ulong turns = 20_000;
        using var machine = new SharedMachine(2, engine, new TranslatorOptions { Threshold = 2 });
        StartWork(machine, turns);
        long writes = 0;
        // What is forgotten is used for another page at once, if nothing holds it back, and for the same one again.
        machine.Run(() =>
        {
            machine.Memory.NotifyWritten(Code, 16);
            for (ulong other = 0; other < 4; other++)
                _ = machine.Vcpus[0].Code.Page(0x60_0000 + (ulong)(writes & 63) * 0x4000 + other * 0x1000);
            if ((++writes & 63) == 0)
                machine.Memory.NotifyWritten(0x60_0000, 64 * 0x4000);
            Thread.SpinWait(200);
        });
        log.WriteLine($"{writes} writes; {machine.Vcpus[0].TranslatorStatistics?.ToJson()}");
        AssertWork(machine, turns);
        Assert.True(writes > 100);
    }

    [Fact]
    public void Code_memory_that_is_far_too_small_changes_nothing()
    {
        const ulong turns = 6_000;
        const int processors = 3, fewestFlushes = 60;
        var options = new TranslatorOptions { Threshold = 1, CodeBytes = CodeArena.SmallestCodeBytes + (16 << 10) };
        using SharedMachine reference = Calling(processors, turns, EngineKind.Interpreter, options);
        reference.Run();
        // While the host does not let one of them run, its code cannot be given back, and the others are interpreted: some runs have few flushes.
        long flushes = 0;
        for (int run = 0; flushes < fewestFlushes; run++)
        {
            using SharedMachine machine = Calling(processors, turns, EngineKind.Translator, options);
            machine.Run();
            for (int n = 0; n < processors; n++)
                Assert.Equal(reference.Vcpus[n].State->Gr[8], machine.Vcpus[n].State->Gr[8]);
            flushes += machine.Statistics.Flushes;
            Assert.True(run < 60, $"{flushes} flushes");
        }
    }

    public static TheoryData<int, EngineKind, Way, bool, bool> Patchers
    {
        get
        {
            var data = new TheoryData<int, EngineKind, Way, bool, bool>();
            foreach (Way way in Enum.GetValues<Way>())
            {
                data.Add(1, EngineKind.Translator, way, true, true);
                // srlz.i alone, where the writer does not wait for anybody.
                data.Add(1, EngineKind.Translator, way, true, false);
                // Software that relies on the writer alone.
                data.Add(1, EngineKind.Translator, way, false, true);
            }

            data.Add(2, EngineKind.Translator, Way.Call, true, true);
            data.Add(1, EngineKind.Interpreter, Way.Branch, true, false);
            data.Add(1, EngineKind.Interpreter, Way.IndirectCall, false, true);
            return data;
        }
    }

    [Theory]
    [MemberData(nameof(Patchers))]
    public void Code_that_another_processor_changed_is_never_run_as_it_was(int readers, EngineKind engine, Way way, bool serializes, bool synchronizes)
    {
        ulong rounds = ulong.TryParse(Environment.GetEnvironmentVariable("FASTXEN_PATCHES"), out ulong wanted) ? wanted : 1500;
        // A reader that yields has looked when it comes back: what is left to srlz.i needs one that stays where it is, and a host that may be busy otherwise.
        bool staysInCode = serializes && !synchronizes;
        if (staysInCode)
            rounds /= 8;
        const ulong reader = Code + 0x4000;
        using var machine = new SharedMachine(1 + readers, engine, new TranslatorOptions { Threshold = 1 });
        machine.Load(Code, SharedPrograms.Writer(synchronizes));
        machine.Load(reader, SharedPrograms.Reader(serializes, way));
        machine.Load(Table, SharedPrograms.Patches);
        for (int n = 0; n <= readers; n++)
        {
            VcpuState* s = machine.Vcpus[n].State;
            machine.Vcpus[n].Overcommitted = n == 0 || !staysInCode;
            s->Ip = n == 0 ? Code : reader;
            s->Gr[14] = rounds;
            s->Gr[15] = Table;
            s->Gr[16] = reader + SharedPrograms.PatchedOffset;
            s->Gr[17] = Flag;
            s->Gr[19] = Count;
            s->Gr[29] = (ulong)readers;
        }

        machine.Run();
        log.WriteLine($"{machine.Vcpus[0].TranslatorStatistics?.ToJson()}");
        for (int n = 1; n <= readers; n++)
            Assert.Equal(rounds, machine.Vcpus[n].State->Gr[9]);
    }

    private static SharedMachine Calling(int processors, ulong turns, EngineKind engine, TranslatorOptions options)
    {
        var machine = new SharedMachine(processors, engine, options);
        machine.Load(Code, SharedPrograms.Calls);
        SharedPrograms.LoadFunctions(machine, Functions);
        for (int n = 0; n < processors; n++)
            SetRegisters(machine.Vcpus[n].State, n, turns);
        return machine;
    }

    private static void StartWork(SharedMachine machine, ulong turns)
    {
        machine.Load(Code, SharedPrograms.Work);
        for (int n = 0; n < machine.Vcpus.Length; n++)
            SetRegisters(machine.Vcpus[n].State, n, turns);
    }

    private static void SetRegisters(VcpuState* s, int number, ulong turns)
    {
        s->Gr[14] = (ulong)number + 3;
        s->Gr[15] = Data + (ulong)number * 64;
        s->Gr[16] = turns - 1;
        s->Gr[17] = Functions;
    }

    // Each one's result is that of the interpreter, alone.
    private static void AssertWork(SharedMachine machine, ulong turns)
    {
        for (int n = 0; n < machine.Vcpus.Length; n++)
        {
            using var alone = new SharedMachine(1, EngineKind.Interpreter);
            alone.Load(Code, SharedPrograms.Work);
            SetRegisters(alone.Vcpus[0].State, n, turns);
            alone.Run();
            Assert.Equal(turns, machine.Vcpus[n].State->Gr[18]);
            Assert.Equal(alone.Vcpus[0].State->Gr[8], machine.Vcpus[n].State->Gr[8]);
        }
    }
}
