using FastXen.Core.Lockstep;
using FastXen.Core.State;
using FastXen.Core.Tests.SystemLevel;

namespace FastXen.Core.Tests.Translate;

/// <summary>What kernels execute at each entry and exit has translated forms, which do what the interpreter does.</summary>
public sealed unsafe class KernelInstructionTests
{
    private const int Rounds = 600;

    // Frames pile up by cover, so that alloc must store registers; PSR.ic and i change; banks are switched.
    private const string Loop =
        "1: { .mii; alloc r34=ar.pfs,0,12,4,0; nop.i 0; nop.i 0 ;; } { .mmi; rsm 0x2000; nop.m 0; nop.i 0 ;; } " +
        "{ .mmi; mov cr.ifa=r33; mov cr.iip=r34; nop.i 0 ;; } { .mmi; mov r35=cr.ifa; mov r36=cr.iip; nop.i 0 ;; } " +
        "{ .mib; mov r17=r35; adds r18=1,r18; bsw.0 ;; } { .mmi; adds r17=1,r17; mov r3=psr; adds r18=3,r18 ;; } " +
        "{ .mib; nop.m 0; nop.i 0; bsw.1 ;; } { .mmi; mov r33=r18; add r37=r17,r3; nop.i 0 ;; } " +
        "{ .mib; nop.m 0; nop.i 0; cover ;; } { .mmi; mov r4=cr.ifs; ssm 0x2000; nop.i 0 ;; } " +
        "{ .mmi; srlz.d; ssm 0x4000; nop.i 0 ;; } { .mmb; rsm 0x4008; nop.m 0; br.cloop.sptk.many 1b ;; } " +
        "{ .mii; break.m 0x99; nop.i 0; nop.i 0 ;; }";

    [Fact]
    public void Status_banks_and_frames_are_translated()
    {
        using SystemMachine reference = Machine(EngineKind.Interpreter), subject = Machine(EngineKind.Translator);
        var pair = new LockstepPair(reference.Vcpu, subject.Vcpu);
        for (ulong limit = 100; limit < 60 * Rounds; limit += 100)
        {
            pair.RunTo(limit);
            Assert.True(StateComparison.Same(reference.S, subject.S) && pair.FirstMemoryDifference() is null, string.Join("; ", pair.Differences().Take(8)));
        }

        Assert.Equal(VcpuStop.Limit, reference.Vcpu.StopReason);
        // Only alloc is left to its handler, where it stores registers; each round has eleven that are not.
        Assert.InRange(subject.Vcpu.TranslatorStatistics!.TotalHandlerCalls, 1, 2 * Rounds);
    }

    private static SystemMachine Machine(EngineKind engine)
    {
        var machine = new SystemMachine().Load(SystemMachine.Code, Loop);
        machine.Vcpu.Engine = engine;
        machine.S->Ar[Ar.Lc] = Rounds;
        return machine;
    }
}
