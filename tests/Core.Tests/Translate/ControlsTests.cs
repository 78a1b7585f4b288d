using FastXen.Core.Lockstep;
using FastXen.Core.Tests.SystemLevel;

namespace FastXen.Core.Tests.Translate;

/// <summary>Code is made for few values of FPSR's controls; whatever others there are, all do what the interpreter does, and none costs the others their code.</summary>
public sealed unsafe class ControlsTests
{
    // Linux's value, and sf0 with other rounding, precision and range.
    private const ulong Linux = 0x9_804c_0270_033f;

    [Theory]
    [InlineData(3)]
    [InlineData(7)]
    public void Many_values_take_turns(int values)
    {
        const int turns = 6000;
        SystemMachine Machine(EngineKind engine)
        {
            var machine = new SystemMachine();
            machine.Vcpu.Engine = engine;
            machine.Load(SystemMachine.Code, $$"""
                { .mlx; nop.m 0; movl r14={{SystemMachine.Data}} ;; }
                { .mlx; mov r15=r14; movl r22={{turns - 1}} ;; }
                { .mlx; mov r16=r0; movl r17=0x3ff8000000000123 ;; }
                { .mfi; setf.d f8=r17; nop.f 0; mov.i ar.lc=r22 ;; }
                { .mfi; setf.d f9=r17; fma.d f10=f8,f8,f0; mov r21=r14 ;; }
                again:
                { .mmi; ld8 r18=[r15],8 ;; mov.m ar.fpsr=r18; adds r16=1,r16 ;; }
                { .mfi; cmp.eq p6,p7={{values}},r16; fma.d.s0 f9=f8,f9,f10; nop.i 0 ;; }
                { .mfi; (p6) mov r16=r0; fma.s.s0 f11=f9,f8,f10; (p6) mov r15=r14 ;; }
                { .mfi; getf.d r19=f9; fadd.s0 f12=f9,f11; nop.i 0 ;; }
                { .mfi; nop.m 0; fcmp.lt.s0 p8,p9=f9,f11; dep r19=r0,r19,56,7 ;; }
                { .mfi; setf.d f9=r19; nop.f 0; add r20=r19,r20 ;; }
                { .mib; mov.m r23=ar.fpsr; nop.i 0; br.cloop.sptk.few again ;; }
                { .mii; break.m 0x1f0000; nop.i 0; nop.i 0 }
                """);
            for (int k = 0; k < values; k++)
                machine.Memory.Write(SystemMachine.Data + (ulong)k * 8, Linux ^ (ulong)(k & 3) << 10 ^ (k < 4 ? 0UL : 0x80));
            return machine;
        }

        using SystemMachine reference = Machine(EngineKind.Interpreter), subject = Machine(EngineKind.Translator);
        var pair = new LockstepPair(reference.Vcpu, subject.Vcpu);
        for (ulong limit = 500; !pair.Stopped; limit = Math.Max(limit, reference.S->Retired) + 500)
        {
            if (!pair.RunTo(limit))
                Assert.Fail($"at {reference.S->Retired}: {string.Join("; ", pair.Differences().Take(8))}");
        }

        TranslatorStatistics statistics = subject.Vcpu.TranslatorStatistics!;
        Assert.Equal(0, statistics.Drops);
        // One region for each number, and those that are left by mov to ar.fpsr go on in others.
        Assert.InRange(statistics.Regions, 3, 40);
        Assert.Equal(0, statistics.Refused);
    }
}
