using FastXen.Core.State;

namespace FastXen.Core.Tests.SystemLevel;

/// <summary>External interrupts and the interval timer (SDM vol 2, 5.8).</summary>
public sealed unsafe class InterruptTests
{
    private const ulong Code = SystemMachine.Code;
    private const string Nops = "{ .mii; nop.m 0; nop.i 0; nop.i 0 ;; } ";
    private const string Break = "{ .mii; break.m 0x99; nop.i 0; nop.i 0 ;; } ";

    public static TheoryData<Loop> Loops => [Loop.Fast, Loop.Careful];

    [Theory, MemberData(nameof(Loops))]
    public void Delivery_order_nesting_and_eoi(Loop loop)
    {
        using var m = new SystemMachine(loop);
        // IVR three times, EOI, IVR: the highest first; nothing below what is in service until its EOI.
        m.Load(Code, "{ .mmi; mov r10=cr.ivr ;; mov r11=cr.ivr; nop.i 0 ;; } { .mmi; mov cr.eoi=r0 ;; mov r12=cr.ivr; nop.i 0 ;; } " +
            "{ .mmi; mov cr.eoi=r0 ;; mov r13=cr.ivr; nop.i 0 ;; } " + Break);
        m.Vcpu.PostInterrupt(0x31);
        m.Vcpu.PostInterrupt(0x80);
        m.Run();
        Assert.Equal(Vector.BreakInstruction, m.Vector);
        Assert.Equal((0x80UL, 15UL, 0x31UL, 15UL), (m.Gr(10), m.Gr(11), m.Gr(12), m.Gr(13)));
    }

    [Theory, MemberData(nameof(Loops))]
    public void An_interrupt_comes_when_psr_i_is_set_and_not_before(Loop loop)
    {
        using var m = new SystemMachine(loop);
        m.Load(Code, Nops + "{ .mmi; ssm 0x4000 ;; srlz.d; nop.i 0 ;; } " + Break);
        m.Vcpu.PostInterrupt(0x40);
        m.Run();
        Assert.Equal(Vector.ExternalInterrupt, m.Vector);
        Assert.InRange(m.S->Cr[Cr.Iip], Code + 16, Code + 32);
        ulong slot = m.S->Cr[Cr.Ipsr] >> Psr.RiShift & 3;
        Assert.Equal(slot << Isr.EiShift, m.S->Cr[Cr.Isr]);
        Assert.Equal(SystemMachine.Kernel | Psr.I | slot << Psr.RiShift, m.S->Cr[Cr.Ipsr]);
    }

    [Theory]
    [InlineData(0x40, 0x40, true)]
    [InlineData(0x50, 0x40, false)]
    [InlineData(0xF1, 0x1_0000, true)]
    [InlineData(0, 0xF0, false)]
    [InlineData(0, 0x1_0000, true)]
    [InlineData(2, 0x1_00F0, false)]
    public void Task_priority_masks(int vector, ulong tpr, bool masked)
    {
        using var m = new SystemMachine(Loop.Fast, SystemMachine.Kernel | Psr.I);
        m.Load(Code, Break);
        m.S->Cr[Cr.Tpr] = tpr;
        m.Vcpu.PostInterrupt((byte)vector);
        m.Run();
        Assert.Equal(masked ? Vector.BreakInstruction : Vector.ExternalInterrupt, m.Vector);
    }

    [Theory]
    [InlineData(Loop.Fast, false)]
    [InlineData(Loop.Careful, false)]
    [InlineData(Loop.Fast, true)]
    public void The_timer_fires_when_itc_reaches_itm(Loop loop, bool masked)
    {
        using var m = new SystemMachine(loop, SystemMachine.Kernel | Psr.I);
        m.Load(Code, "{ .mmi; mov ar.itc=r0 ;; mov cr.itm=r4; mov.i ar.lc=r5 ;; } 1: { .mib; adds r6=1,r6; nop.i 0; br.cloop.sptk.few 1b ;; } " + Break);
        m.SetGr(4, 300);
        m.SetGr(5, 1000);
        m.S->Cr[Cr.Itv] = masked ? 0x1_00EFUL : 0xEF;
        m.Run();
        Assert.Equal(masked ? Vector.BreakInstruction : Vector.ExternalInterrupt, m.Vector);
        Assert.Equal(masked ? 0UL : 1UL << (0xEF & 63), m.S->Irr[3]);
        if (!masked)
            Assert.InRange(m.Gr(6), 90UL, 110UL);
    }
}
