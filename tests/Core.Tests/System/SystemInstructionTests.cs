using FastXen.Core.Interpret;
using FastXen.Core.State;
using FastXen.Mmu;

namespace FastXen.Core.Tests.SystemLevel;

/// <summary>System instructions that complete: register banks, epc, rfi, the TLB's, probes, speculation, the register stack across collections.</summary>
public sealed unsafe class SystemInstructionTests
{
    private const ulong Code = SystemMachine.Code, A = SystemMachine.Region1 | 0x8000, Page = SystemMachine.Page;
    private const string Break = "{ .mii; break.m 0x99; nop.i 0; nop.i 0 ;; } ";

    public static TheoryData<Loop> Loops => [Loop.Fast, Loop.Careful];

    private static void AtBreak(SystemMachine m)
    {
        m.Run();
        Assert.Equal(Vector.BreakInstruction, m.Vector);
    }

    [Theory, MemberData(nameof(Loops))]
    public void Banks_hold_values_and_nats(Loop loop)
    {
        using var m = new SystemMachine(loop);
        m.Load(Code, "{ .mib; nop.m 0; nop.i 0; bsw.0 ;; } { .mmi; mov r16=r4; mov r31=r5; nop.i 0 ;; } { .mib; nop.m 0; nop.i 0; bsw.1 ;; } " +
            "{ .mmi; mov r6=r16; mov r7=r31; nop.i 0 ;; } " + Break);
        m.SetGr(16, 0x1616);
        m.SetGr(31, 0x3131, nat: true);
        m.SetGr(4, 1);
        m.SetGr(5, 2);
        AtBreak(m);
        // The break itself selects bank 0 again.
        Assert.Equal((0x1616UL, false, 0x3131UL, true), (m.Gr(6), m.Nat(6), m.Gr(7), m.Nat(7)));
        Assert.Equal((1UL, 2UL, false), (m.Gr(16), m.Gr(31), m.Nat(31)));
    }

    [Theory]
    [InlineData(0, 0)]
    [InlineData(2, 2)]
    [InlineData(3, 3)]
    public void Epc_promotes_to_the_level_of_a_gate_page(int level, int cpl)
    {
        using var m = new SystemMachine(Loop.Fast);
        m.Load(Code, "{ .mib; nop.m 0; nop.i 0; epc ;; } " + Break);
        m.MapCode(A, Code | (Page & ~(3UL << 7)) | (ulong)level << 7 | 7UL << 9);
        m.S->Ar[Ar.Pfs] = 3UL << 62;
        m.Start(A, SystemMachine.User);
        AtBreak(m);
        Assert.Equal((ulong)cpl, m.S->Cr[Cr.Ipsr] >> Psr.CplShift & 3);
    }

    [Theory]
    [InlineData(0, 7UL)]
    [InlineData(1, 6UL)]
    [InlineData(2, 4UL)]
    public void Rfi_starts_at_a_slot(int slot, ulong done)
    {
        using var m = new SystemMachine(Loop.Fast, SystemMachine.Kernel & ~Psr.Ic);
        m.Load(Code, "{ .mib; nop.m 0; nop.i 0; rfi ;; }");
        m.Load(Code + 0x1000, "{ .mii; add r6=1,r6; add r7=2,r7; add r8=4,r8 ;; } " + Break);
        m.S->Cr[Cr.Iip] = Code + 0x1000;
        m.S->Cr[Cr.Ipsr] = SystemMachine.User | (ulong)slot << Psr.RiShift;
        AtBreak(m);
        Assert.Equal(done, m.Gr(6) + m.Gr(7) + m.Gr(8));
    }

    [Theory, MemberData(nameof(Loops))]
    public void Rfi_into_the_second_half_of_a_long_instruction_is_illegal(Loop loop)
    {
        using var m = new SystemMachine(loop, SystemMachine.Kernel & ~Psr.Ic);
        m.Load(Code, "{ .mib; nop.m 0; nop.i 0; rfi ;; }").Load(Code + 0x1000, "{ .mlx; nop.m 0; movl r3=0x1234567890 ;; } " + Break);
        m.S->Cr[Cr.Iip] = Code + 0x1000;
        m.S->Cr[Cr.Ipsr] = SystemMachine.User | 2UL << Psr.RiShift;
        m.Run();
        Assert.Equal((Vector.GeneralException, 2UL << Isr.EiShift), (m.Vector, m.S->Cr[Cr.Isr]));
    }

    [Fact]
    public void An_insertion_over_a_translation_register_is_a_machine_check()
    {
        using var m = new SystemMachine(Loop.Fast, SystemMachine.Kernel & ~Psr.Ic);
        m.Load(Code, "{ .mmi; itc.d r4 ;; nop.m 0; nop.i 0 ;; } " + Break);
        m.SetGr(4, Page);
        m.S->Cr[Cr.Itir] = 14 << 2;
        Assert.Equal(VcpuStop.Crashed, m.Vcpu.Run());
        Assert.Contains("machine check", m.Vcpu.CrashReason, StringComparison.Ordinal);
    }

    [Theory, MemberData(nameof(Loops))]
    public void Probe_tpa_and_tak(Loop loop)
    {
        using var m = new SystemMachine(loop);
        m.Load(Code, "{ .mmi; probe.r r6=r4,3; probe.w r7=r4,3; nop.i 0 ;; } { .mmi; probe.w r8=r4,0; tpa r9=r4; nop.i 0 ;; } " +
            "{ .mmi; tak r10=r4; probe.r r11=r4,r5; nop.i 0 ;; } " + Break);
        m.SetGr(4, A + 0x123);
        m.SetGr(5, 3);
        // Rights 4: read for all, write for level 0.
        m.MapData(A, SystemMachine.Data | (Page & ~(7UL << 9)) | 4 << 9, key: 0x77);
        AtBreak(m);
        Assert.Equal((1UL, 0UL, 1UL, SystemMachine.Data + 0x123, 0x7700UL, 1UL), (m.Gr(6), m.Gr(7), m.Gr(8), m.Gr(9), m.Gr(10), m.Gr(11)));
    }

    [Theory]
    [InlineData(Psr.Ic, false, 0UL, true)]
    [InlineData(Psr.Ic, true, 0UL, true)]
    [InlineData(Psr.Ic, false, Dcr.Dr, true)]
    [InlineData(Psr.Ic, true, Dcr.Dr, false)]
    [InlineData(Psr.Ic | Psr.Ed, false, 0UL, false)]
    [InlineData(0UL, false, 0UL, false)]
    public void A_speculative_load_defers_by_dcr_itlb_ed_ic_and_psr_ed(ulong psr, bool ed, ulong dcr, bool faults)
    {
        using var m = new SystemMachine(Loop.Careful);
        m.Load(Code, "{ .mii; ld8.s r6=[r4]; nop.i 0; nop.i 0 ;; } " + Break);
        m.MapCode(A, Code | Page | (ed ? 1UL << 52 : 0)).MapData(A, SystemMachine.Data | (Page & ~(3UL << 7)));
        m.Start(A, (SystemMachine.User & ~Psr.Ic) | psr);
        m.SetGr(4, A);
        m.S->Cr[Cr.Dcr] = dcr;
        m.Run();
        Assert.Equal(faults ? Vector.DataAccessRights : Vector.BreakInstruction, m.Vector);
        Assert.Equal(!faults, m.Nat(6));
        if (faults)
            Assert.Equal(Isr.R | Isr.Sp | (ed ? Isr.Ed : 0), m.S->Cr[Cr.Isr]);
    }

    [Theory, MemberData(nameof(Loops))]
    public void Code_that_was_changed_and_flushed_is_executed_anew(Loop loop)
    {
        using var m = new SystemMachine(loop);
        // Runs the bundle at 1 twice: between the two it is replaced by the one at r5.
        m.Load(Code, "{ .mii; ld8 r10=[r5],8; mov r20=0; nop.i 0 ;; } { .mii; ld8 r11=[r5]; add r7=8,r4; cmp.eq p6,p7=r0,r0 ;; } " +
            "1: { .mib; add r6=1,r6; nop.i 0; nop.b 0 ;; } { .mib; nop.m 0; nop.i 0; (p7) br.cond.sptk.few 2f ;; } " +
            "{ .mmi; st8 [r4]=r10; st8 [r7]=r11; cmp.ne p6,p7=r0,r0 ;; } { .mmi; fc.i r4 ;; sync.i; nop.i 0 ;; } " +
            "{ .mib; srlz.i; nop.i 0; br.cond.sptk.few 1b ;; } 2: " + Break);
        m.Load(Code + 0x1000, "{ .mib; add r6=100,r6; nop.i 0; nop.b 0 ;; }");
        m.SetGr(4, Code + 32);
        m.SetGr(5, Code + 0x1000);
        AtBreak(m);
        Assert.Equal(101UL, m.Gr(6));
    }

    [Theory, MemberData(nameof(Loops))]
    public void Spill_faults_of_alloc_and_of_flushrs(Loop loop)
    {
        foreach (string text in new[] { "{ .mmi; alloc r3=ar.pfs,96,0,0,0 ;; nop.m 0; nop.i 0 ;; }", "{ .mmi; flushrs ;; nop.m 0; nop.i 0 ;; }" })
        {
            using var m = new SystemMachine(loop, SystemMachine.User);
            m.Frame(20, 20);
            Rse.Cover(m.S);
            m.S->BspStore = A;
            m.Load(Code, text);
            m.Run();
            Assert.Equal((Vector.AlternateDataTlb, Isr.W | Isr.Rs, A), (m.Vector, m.S->Cr[Cr.Isr], m.S->Cr[Cr.Ifa]));
            Assert.Equal(20, m.S->Dirty);
        }
    }

    [Theory, MemberData(nameof(Loops))]
    public void Flushed_registers_and_their_nats_come_back_over_a_collection(Loop loop)
    {
        using var m = new SystemMachine(loop);
        m.Frame(80, 80);
        for (uint r = 0; r < 80; r++)
            m.SetGr(32 + r, 1000 + r, nat: r % 7 == 0);
        m.S->BspStore = SystemMachine.Stack + 0x1A8;
        // cover, spill all, forget all, load all and return into the frame.
        m.Load(Code, "{ .mib; nop.m 0; nop.i 0; cover ;; } { .mmi; flushrs ;; mov r8=ar.bsp; nop.i 0 ;; } { .mib; nop.m 0; nop.i 0; br.ret.sptk.many b6 ;; }");
        m.Load(Code + 0x1000, Break);
        m.S->Br[6] = Code + 0x1000;
        m.S->Ar[Ar.Pfs] = 80 | 80 << 7;
        AtBreak(m);
        Assert.Equal(SystemMachine.Stack + 0x1A8 + 82 * 8, m.Gr(8));
        for (uint r = 0; r < 80; r++)
            Assert.Equal((1000UL + r, r % 7 == 0), (m.Gr(32 + r), m.Nat(32 + r)));
    }

    [Theory, MemberData(nameof(Loops))]
    public void A_kernel_switches_backing_stores_as_Linux_does(Loop loop)
    {
        using var m = new SystemMachine(loop);
        // Entry: lazy mode, cover, RNAT and BSPSTORE saved, the kernel's store; the dirty size goes to RSC.loadrs. Exit: loadrs, the user's store again.
        m.Load(Code, "{ .mib; mov ar.rsc=0; nop.i 0; cover ;; } { .mmi; mov r20=ar.bspstore ;; mov r21=ar.rnat; nop.i 0 ;; } " +
            "{ .mmi; mov ar.bspstore=r4 ;; mov r22=ar.bsp; nop.i 0 ;; } { .mii; nop.m 0; sub r22=r22,r4 ;; shl r22=r22,16 ;; } " +
            "{ .mmi; alloc r23=ar.pfs,0,90,0,0 ;; nop.m 0; nop.i 0 ;; } { .mmi; mov r32=5; mov r121=6; nop.i 0 ;; } " +
            "{ .mmi; alloc r23=ar.pfs,0,0,0,0 ;; mov ar.rsc=r22; nop.i 0 ;; } { .mmi; loadrs ;; mov r8=ar.bspstore; nop.i 0 ;; } " +
            "{ .mmi; mov ar.bspstore=r20 ;; mov ar.rnat=r21; nop.i 0 ;; } { .mib; nop.m 0; nop.i 0; br.ret.sptk.many b6 ;; }");
        m.Load(Code + 0x1000, Break);
        m.Frame(30, 30);
        for (uint r = 0; r < 30; r++)
            m.SetGr(32 + r, 2000 + r, nat: r == 11);
        m.SetGr(4, SystemMachine.Stack + 0x8000);
        m.S->Br[6] = Code + 0x1000;
        m.S->Ar[Ar.Pfs] = 30 | 30 << 7;
        AtBreak(m);
        Assert.Equal(SystemMachine.Stack + 0x8000, m.Gr(8));
        Assert.Equal((0, SystemMachine.Stack), (m.S->Dirty, Rse.Bsp(m.S)));
        for (uint r = 0; r < 30; r++)
            Assert.Equal((2000UL + r, r == 11), (m.Gr(32 + r), m.Nat(32 + r)));
    }

    [Theory, MemberData(nameof(Loops))]
    public void A_purged_translation_register_is_gone(Loop loop)
    {
        using var m = new SystemMachine(loop);
        m.Load(Code, "{ .mmi; ld8 r6=[r4] ;; ptr.d r4,r5; nop.i 0 ;; } { .mmi; srlz.d ;; ld8 r7=[r4]; nop.i 0 ;; }");
        Assert.Equal(TlbResult.Ok, Tlb.InsertDataRegister(m.S->Mmu, 3, A, 14 << 2, SystemMachine.Data | Page));
        m.Memory.Write(SystemMachine.Data, 0x1234UL);
        m.SetGr(4, A);
        m.SetGr(5, 14 << 2);
        m.Run();
        Assert.Equal((Vector.AlternateDataTlb, 0x1234UL, Code + 16), (m.Vector, m.Gr(6), m.S->Cr[Cr.Iip]));
    }
}
