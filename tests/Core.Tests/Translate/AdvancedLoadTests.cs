using FastXen.Core.Lockstep;
using FastXen.Core.State;
using FastXen.Core.Tests.SystemLevel;

namespace FastXen.Core.Tests.Translate;

/// <summary>
/// Advanced loads whose check stands in the same block, for which translated code makes no entry in the ALAT: a fault in between, and its handler, find
/// the entry where no store has hit it.
/// </summary>
public sealed unsafe class AdvancedLoadTests
{
    // r13 gets what the check of the handler says; the load that faults goes on elsewhere.
    private static string Handler(string register) => $$"""
        { .mib; chk.a.nc {{register}},missed; nop.i 0; nop.b 0 ;; }
        { .mib; adds r13=1,r13; mov r2=r4; rfi ;; }
        missed:
        { .mib; adds r13=4096,r13; mov r2=r4; rfi ;; }
        """;

    [Theory]
    [InlineData("ldfd.a f8=[r17]", "ldfd.c.clr f8=[r17]", "f8", "stfd [r18]=f9")]
    [InlineData("ldfd.a f8=[r17]", "ldfd.c.clr f8=[r17]", "f8", "stfd [r18]=f9,16")]
    [InlineData("ldfd.a f8=[r17]", "ldfd.c.clr f8=[r17]", "f8", "nop.m 0")]
    [InlineData("ld8.a r8=[r17]", "ld8.c.clr r8=[r17]", "r8", "st8 [r18]=r14")]
    [InlineData("ld8.a r8=[r17]", "ld8.c.clr r8=[r17]", "r8", "st4 [r18]=r14,-4")]
    public void A_fault_between_load_and_check_finds_the_entry(string load, string check, string register, string store)
    {
        SystemMachine Machine(EngineKind engine)
        {
            var machine = new SystemMachine();
            machine.Vcpu.Engine = engine;
            // Of sixteen turns, four fault; the store is to the place itself, before it, behind it, or elsewhere.
            machine.Load(SystemMachine.Code, $$"""
                { .mlx; nop.m 0; movl r17={{SystemMachine.Data}} ;; }
                { .mlx; mov r4=r17; movl r6={{SystemMachine.Region1}} ;; }
                { .mlx; mov r14=r0; movl r22=4000 ;; }
                { .mfi; nop.m 0; nop.f 0; mov.i ar.lc=r22 ;; }
                again:
                { .mii; adds r14=1,r14; extr.u r5=r14,2,2 ;; cmp.eq p9,p10=r0,r5 ;; }
                { .mmi; (p9) mov r2=r6; (p10) mov r2=r4; and r7=3,r14 ;; }
                { .mii; adds r7=-1,r7; shl r7=r7,3 ;; nop.i 0 ;; }
                { .mmi; add r18=r17,r7; setf.sig f9=r14; nop.i 0 ;; }
                { .mmi; {{load}}; nop.m 0; nop.i 0 ;; }
                { .mmi; {{store}}; nop.m 0; nop.i 0 ;; }
                { .mmi; ld8 r3=[r2]; nop.m 0; nop.i 0 ;; }
                { .mmi; {{check}}; nop.m 0; nop.i 0 ;; }
                { .mib; nop.m 0; nop.i 0; br.cloop.sptk.few again ;; }
                { .mii; break.m 0; nop.i 0; nop.i 0 }
                """);
            machine.Handler(Vector.AlternateDataTlb, Handler(register));
            return machine;
        }

        using SystemMachine reference = Machine(EngineKind.Interpreter), subject = Machine(EngineKind.Translator);
        var pair = new LockstepPair(reference.Vcpu, subject.Vcpu);
        for (ulong limit = 50; !pair.Stopped; limit = Math.Max(limit, reference.S->Retired) + 50)
        {
            if (!pair.RunTo(limit))
                Assert.Fail($"at {reference.S->Retired}: {string.Join("; ", pair.Differences().Take(8))}");
        }

        // Entries were found, and missed where the store hits them.
        Assert.True((reference.Gr(13) & 4095) > 500, $"r13 is {reference.Gr(13):x}, {reference.S->Retired} instructions, at {reference.S->Ip:x}, turn {reference.Gr(14)}");
        Assert.Equal(store != "nop.m 0", reference.Gr(13) >> 12 != 0);
    }
}
