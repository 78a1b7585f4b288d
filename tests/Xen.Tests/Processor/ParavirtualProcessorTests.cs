using FastXen.Core;
using FastXen.Xen.EventChannels;
using FastXen.Xen.Memory;

namespace FastXen.Xen.Tests.Processor;

/// <summary>What a paravirtualized kernel sees of its processor: hyperprivops, reflection, events, software register banks, metaphysical mode.</summary>
public sealed class ParavirtualProcessorTests
{
    private const int BreakVector = 0x2c00, GeneralException = 0x5400, AlternateData = 0x1000;
    private const ulong Valid = 1UL << 63;

    public static TheoryData<EngineKind> Engines => [EngineKind.Interpreter, EngineKind.Translator];

    [Theory]
    [MemberData(nameof(Engines))]
    public void The_level_of_the_kernel_shows_in_rsc(EngineKind engine)
    {
        using Kernel kernel = new(engine, $"mov ar.rsc=3 ;;\n mov r3=ar.rsc ;;\n {Kernel.Say("r3")} {Kernel.Stop}");
        Assert.Equal(VcpuStop.PowerOff, kernel.Stopped);
        Assert.Equal(3UL | 1 << 2, kernel.Result(0));
    }

    [Theory]
    [MemberData(nameof(Engines))]
    public void Region_registers_by_hyperprivop_and_by_instruction(EngineKind engine)
    {
        using Kernel kernel = new(engine, $"""
            movl r8=0x6000000000000000 ;;
            movl r9=0x1234539 ;;
            break 0x11 ;;
            break 0x10 ;;
            {Kernel.Say("r8")}
            movl r3=0x6000000000000000 ;;
            mov r14=rr[r3] ;;
            {Kernel.Say("r14")}
            adds r15=0x318,r21 ;;
            movl r15=0xfffffffffff04c68 ;;
            ld8 r15=[r15] ;;
            {Kernel.Say("r15")}
            {Kernel.Stop}
            """);
        Assert.Equal(VcpuStop.PowerOff, kernel.Stopped);
        Assert.Equal((0x1234539UL, 0x1234539UL, 0x1234539UL), (kernel.Result(0), kernel.Result(1), kernel.Result(2)));
    }

    [Theory]
    [MemberData(nameof(Engines))]
    public void Region_registers_of_metaphysical_mode_are_the_guests(EngineKind engine)
    {
        using Kernel kernel = new(engine, $"""
            mov r3=r0 ;;
            mov r14=rr[r3] ;;
            {Kernel.Say("r14")}
            movl r3=0x8000000000000000 ;;
            mov r14=rr[r3] ;;
            {Kernel.Say("r14")}
            mov r8=r0 ;;
            break 0x10 ;;
            {Kernel.Say("r8")}
            {Kernel.Stop}
            """);
        Assert.Equal(VcpuStop.PowerOff, kernel.Stopped);
        Assert.Equal((0x39UL, 0x39UL, 0x39UL), (kernel.Result(0), kernel.Result(1), kernel.Result(2)));
    }

    [Theory]
    [MemberData(nameof(Engines))]
    public void XenLinux_writes_its_first_messages_by_calls_of_the_simulator(EngineKind engine)
    {
        string Call(int number, char argument) => $"mov r32={(int)argument} ;;\n mov r36={number} ;;\n break 0x80001 ;;\n {Kernel.Say("r8")}";
        using Kernel kernel = new(engine, $"{Call(31, 'O')} {Call(31, 'k')} {Call(21, ' ')} {Call(100, ' ')} {Kernel.Stop}");
        Assert.Equal(VcpuStop.PowerOff, kernel.Stopped);
        Assert.Equal("Ok", kernel.Written);
        Assert.Equal((0, 0, 0, -1), ((long)kernel.Result(0), (long)kernel.Result(1), (long)kernel.Result(2), (long)kernel.Result(3)));
    }

    [Theory]
    [MemberData(nameof(Engines))]
    public void A_region_identifier_of_more_bits_is_a_fault(EngineKind engine)
    {
        using Kernel kernel = new(engine, $"""
            mov r3=1 ;;
            movl r14=0xfffffffffff04c10 ;;
            st4 [r14]=r3 ;;
            movl r8=0x6000000000000000 ;;
            movl r9=0x4000039 ;;
            break 0x11 ;;
            {Kernel.Stop}
            """, (GeneralException, $"movl r3=0xfffffffffff04888 ;;\n ld8 r3=[r3] ;;\n {Kernel.Say("r3")} {Kernel.Stop}"));
        Assert.Equal(VcpuStop.PowerOff, kernel.Stopped);
        Assert.Equal(0x30UL, kernel.Result(0) & 0xFF);
    }

    [Theory]
    [MemberData(nameof(Engines))]
    public void A_break_is_reflected_with_the_frame_as_it_was(EngineKind engine)
    {
        using Kernel kernel = new(engine, $"""
            mov r31=0x77 ;;
            mov r3=1 ;;
            movl r14=0xfffffffffff04c10 ;;
            st4 [r14]=r3 ;;
            st1 [r22]=r0 ;;
            break 0x12345 ;;
            {Kernel.Stop}
            """, (BreakVector, $"""
            mov r31=0x99 ;;
            {string.Concat(new[] { "8c0", "c00", "8b8", "898", "880" }.Select(offset => $"movl r3=0xfffffffffff04{offset} ;;\n ld8 r3=[r3] ;;\n {Kernel.Say("r3")}"))}
            movl r3=0xfffffffffff04c10 ;;
            ld4 r3=[r3] ;;
            {Kernel.Say("r3")}
            movl r3=0xfffffffffff00001 ;;
            ld1 r3=[r3] ;;
            {Kernel.Say("r3")}
            movl r3=0xfffffffffff04c4c ;;
            ld4 r3=[r3] ;;
            {Kernel.Say("r3")}
            movl r3=0xfffffffffff04478 ;;
            ld8 r3=[r3] ;;
            {Kernel.Say("r3")}
            {Kernel.Stop}
            """));
        Assert.Equal(VcpuStop.PowerOff, kernel.Stopped);
        Assert.Equal(0x12345UL, kernel.Result(0));
        Assert.Equal(Valid | 8UL, kernel.Result(1) & (Valid | 0x7F));
        Assert.Equal(0UL, kernel.Result(2));
        Assert.InRange(kernel.Result(3), Kernel.Code, Kernel.Code + 0x400);
        // ic was 1; dt, rt and it are 0 in metaphysical mode; the level is said to be 0.
        Assert.Equal(1UL << 13, kernel.Result(4) & (1UL << 13 | 1UL << 17 | 1UL << 27 | 1UL << 36 | 3UL << 32));
        Assert.Equal((0UL, 1UL, 0UL, 0x77UL), (kernel.Result(5), kernel.Result(6), kernel.Result(7), kernel.Result(8)));
    }

    [Theory]
    [MemberData(nameof(Engines))]
    public void Rfi_brings_the_bank_back_with_its_nats(EngineKind engine)
    {
        // The handler passes over the break; r30 gets its NaT bit by the bank in memory.
        using Kernel kernel = new(engine, $"""
            mov r29=0x55 ;;
            mov r3=1 ;;
            movl r14=0xfffffffffff04c10 ;;
            st4 [r14]=r3 ;;
            break.m 0x12345 ;;
            {Kernel.Say("r29")}
            tnat.nz p6,p7=r30 ;;
            mov r3=0 ;;
            (p6) mov r3=1 ;;
            {Kernel.Say("r3")}
            {Kernel.Stop}
            """, (BreakVector, """
            movl r16=0xfffffffffff04500 ;;
            movl r17=0x4000 ;;
            st8 [r16]=r17 ;;
            movl r16=0xfffffffffff04898 ;;
            ld8 r17=[r16] ;;
            adds r17=16,r17 ;;
            st8 [r16]=r17 ;;
            movl r16=0xfffffffffff04880 ;;
            ld8 r17=[r16] ;;
            dep r17=r0,r17,41,2 ;;
            st8 [r16]=r17 ;;
            mov r29=0x66 ;;
            break 0x1 ;;
            """));
        Assert.Equal(VcpuStop.PowerOff, kernel.Stopped);
        Assert.Equal((0x55UL, 1UL), (kernel.Result(0), kernel.Result(1)));
    }

    [Theory]
    [MemberData(nameof(Engines))]
    public void An_event_reaches_the_callback_when_the_guest_takes_it(EngineKind engine)
    {
        // callback_op(register), bind_ipi, send: masked, then SSM_I.
        using Kernel kernel = new(engine, $"""
            {RegisterCallback}
            {Kernel.Say("r8")}
            st8 [r14]=r0 ;;
            mov r32=7 ;;
            mov r2=32 ;;
            break 0x1000 ;;
            {Kernel.Say("r8")}
            adds r15=4,r14 ;;
            ld4 r16=[r15] ;;
            st4 [r14]=r16 ;;
            mov r32=4 ;;
            mov r2=32 ;;
            break 0x1000 ;;
            {Kernel.Say("r8")}
            break 0x7 ;;
            {Kernel.Stop}
            """, (0x1800, $"""
            movl r3=0xfffffffffff00000 ;;
            ld1 r14=[r3] ;;
            {Kernel.Say("r14")}
            adds r3=1,r3 ;;
            ld1 r14=[r3] ;;
            {Kernel.Say("r14")}
            movl r3=0xfffffffffff00c00 ;;
            ld8 r14=[r3] ;;
            {Kernel.Say("r14")}
            {Kernel.Stop}
            """));
        Assert.Equal(VcpuStop.PowerOff, kernel.Stopped);
        Assert.Equal((0UL, 0UL, 0UL), (kernel.Result(0), kernel.Result(1), kernel.Result(2)));
        // Pending, masked again by the delivery, and the port's bit.
        Assert.Equal((1UL, 1UL, 1UL << 1), (kernel.Result(3), kernel.Result(4), kernel.Result(5)));
    }

    [Theory]
    [MemberData(nameof(Engines))]
    public void Translations_hold_outside_of_metaphysical_mode(EngineKind engine)
    {
        // A data register for region 5 and one for the code; an address without translation ends in the alternate vector with IHA set.
        using Kernel kernel = new(engine, $"""
            movl r8=0xa000000000000000 ;;
            movl r9=0x539 ;;
            break 0x11 ;;
            movl r8=0xe000000000000000 ;;
            movl r9=0x738 ;;
            break 0x11 ;;
            movl r3=0xfffffffffff048a0 ;;
            movl r14=0xa000000000000000 ;;
            st8 [r3]=r14 ;;
            adds r3=8,r3 ;;
            mov r15=24<<2 ;;
            st8 [r3]=r15 ;;
            mov r8=1 ;;
            movl r9=0x0010000000000661 ;;
            break 0xf ;;
            movl r3=0xfffffffffff048a0 ;;
            st8 [r3]=r0 ;;
            mov r8=0 ;;
            break 0xf ;;
            mov r8=0 ;;
            mov r16=0 ;;
            movl r9=0x0010000000000661 ;;
            itr.i itr[r16]=r9 ;;
            mov r8=0x123 ;;
            movl r14=0xa000000000200100 ;;
            break 0x3 ;;
            st8 [r14]=r8 ;;
            mov r3=1 ;;
            movl r15=0xfffffffffff04c10 ;;
            st4 [r15]=r3 ;;
            movl r14=0xe000000000200100 ;;
            ld8 r15=[r14] ;;
            {Kernel.Stop}
            """, (AlternateData, $"""
            movl r3=0xfffffffffff048a0 ;;
            ld8 r14=[r3] ;;
            {Kernel.Say("r14")}
            movl r3=0xfffffffffff048c8 ;;
            ld8 r14=[r3] ;;
            mov r8=0 ;;
            cmp.ne p6,p7=r14,r0 ;;
            (p6) mov r8=1 ;;
            {Kernel.Say("r8")}
            {Kernel.Stop}
            """));
        Assert.Equal(VcpuStop.PowerOff, kernel.Stopped);
        Assert.Equal((0xe000_0000_0020_0100UL, 1UL), (kernel.Result(0), kernel.Result(1)));
        Assert.True(kernel.Machine.Domain.Memory.TryRead(0x20_0100, out ulong stored));
        Assert.Equal(0x123UL, stored);
    }

    [Theory]
    [MemberData(nameof(Engines))]
    public void Numbers_that_are_not_there_are_answered_as_Xen_answers_them(EngineKind engine)
    {
        string Call(int number) => $"mov r2={number} ;;\n break 0x1000 ;;\n {Kernel.Say("r8")}";
        using Kernel kernel = new(engine, $"mov r32=0x55 ;;\n {Call(1)} {Call(63)} {Call(0x200)} {Call(0x500)} {Call(48)} {Kernel.Stop}");
        Assert.Equal(VcpuStop.PowerOff, kernel.Stopped);
        foreach (int k in (ReadOnlySpan<int>)[0, 1, 2])
            Assert.Equal(-Errno.ENOSYS, (long)kernel.Result(k));
        Assert.Equal((-1L, -1L), ((long)kernel.Result(3), (long)kernel.Result(4)));
    }

    [Theory]
    [MemberData(nameof(Engines))]
    public void The_timer_is_an_event_once_for_each_value(EngineKind engine)
    {
        using Kernel kernel = new(engine, $"""
            {RegisterCallback}
            mov r16=16 ;;
            st8 [r14]=r16 ;;
            mov r32=1 ;;
            mov r2=32 ;;
            break 0x1000 ;;
            {Kernel.Say("r8")}
            mov r3=0xef ;;
            mov cr.itv=r3 ;;
            mov r8=ar.itc ;;
            adds r8=500,r8 ;;
            break 0xc ;;
            break 0x7 ;;
            mov r32=1 ;;
            mov r33=0 ;;
            mov r2=29 ;;
            break 0x1000 ;;
            {Kernel.Stop}
            """, (0x1800, $"mov r14=7 ;;\n {Kernel.Say("r14")} {Kernel.Stop}"));
        Assert.Equal(VcpuStop.PowerOff, kernel.Stopped);
        Assert.Equal((0UL, 7UL), (kernel.Result(0), kernel.Result(1)));
        Assert.True(kernel.Machine.Domain.EventChannels.IsVirqBound(Virq.Itc));
    }

    // callback_op(register, 0x111800): r14 is left at the argument.
    internal const string RegisterCallback = """
        movl r14=0x180000 ;;
        st8 [r14]=r0 ;;
        adds r15=8,r14 ;;
        movl r16=0x111800 ;;
        st8 [r15]=r16 ;;
        mov r32=0 ;;
        movl r33=0x8000000000180000 ;;
        mov r2=30 ;;
        break 0x1000 ;;

        """;

    // bind_virq(VIRQ_ITC), then events are taken.
    private const string BindTimer = """
        mov r16=16 ;;
        st8 [r14]=r16 ;;
        mov r32=1 ;;
        mov r2=32 ;;
        break 0x1000 ;;
        break 0x7 ;;

        """;

    // r16: counts down.
    private const string Spin = "movl r16=1000 ;;\n mov ar.lc=r16 ;;\n 1: br.cloop.sptk.few 1b ;;\n";

    [Theory]
    [MemberData(nameof(Engines))]
    public void A_timer_that_expires_before_its_event_is_bound_is_told_when_it_is(EngineKind engine)
    {
        using Kernel kernel = new(engine, $"""
            {RegisterCallback}
            mov r3=0xef ;;
            mov cr.itv=r3 ;;
            mov r8=ar.itc ;;
            adds r8=100,r8 ;;
            break 0xc ;;
            {Spin}
            {BindTimer}
            {Spin}
            {Kernel.Stop}
            """, (0x1800, $"mov r14=7 ;;\n {Kernel.Say("r14")} {Kernel.Stop}"));
        Assert.Equal(VcpuStop.PowerOff, kernel.Stopped);
        Assert.Equal(7UL, kernel.Result(0));
    }

    [Theory]
    [MemberData(nameof(Engines))]
    public void A_timer_that_expires_while_it_is_masked_is_told_when_it_is_not(EngineKind engine)
    {
        using Kernel kernel = new(engine, $"""
            {RegisterCallback}
            mov r8=ar.itc ;;
            adds r8=100,r8 ;;
            break 0xc ;;
            {BindTimer}
            {Spin}
            mov r3=1 ;;
            {Kernel.Say("r3")}
            mov r3=0xef ;;
            mov cr.itv=r3 ;;
            {Spin}
            {Kernel.Stop}
            """, (0x1800, $"mov r14=7 ;;\n {Kernel.Say("r14")} {Kernel.Stop}"));
        Assert.Equal(VcpuStop.PowerOff, kernel.Stopped);
        Assert.Equal((1UL, 7UL), (kernel.Result(0), kernel.Result(1)));
    }

    [Theory]
    [MemberData(nameof(Engines))]
    public void What_a_vCPU_asked_of_the_hypervisor_last_is_told_with_its_crash(EngineKind engine)
    {
        // 40 calls of a number that does not exist, and xen_version(0, 9, 8); then a jump to where no memory is.
        using Kernel kernel = new(engine, """
            mov r2=63 ;;
            mov ar.lc=39 ;;
            again: break 0x1000 ;;
            br.cloop.sptk again ;;
            mov r32=0 ;;
            mov r33=9 ;;
            mov r34=8 ;;
            mov r2=17 ;;
            break 0x1000 ;;
            movl r3=0x7000000000 ;;
            mov b6=r3 ;;
            br.cond.sptk b6 ;;
            """);
        Assert.Equal(VcpuStop.Crashed, kernel.Stopped);
        string[] lines = kernel.Machine.Vcpus[0].RecentHypercalls.Split(Environment.NewLine);
        Assert.Equal("its last 16 hypercalls:", lines[0]);
        Assert.StartsWith("  63(0x", lines[1], StringComparison.Ordinal);
        Assert.EndsWith($") = {-Errno.ENOSYS}", lines[15], StringComparison.Ordinal);
        Assert.Equal($"  xen_version(0x0, 0x9, 0x8) = {4 << 16 | 2}", lines[16]);
        Assert.Equal("", lines[17]);
    }

    [Theory]
    [MemberData(nameof(Engines))]
    public void A_fault_while_nothing_is_collected_ends_the_domain(EngineKind engine)
    {
        using Kernel kernel = new(engine, $"movl r3=0xfffffffffff04c10 ;;\n st4 [r3]=r0 ;;\n break 0x12345 ;;\n {Kernel.Stop}");
        Assert.Equal(VcpuStop.Crashed, kernel.Stopped);
        Assert.Contains("nested interruption", kernel.Machine.Vcpus[0].Processor.CrashReason, StringComparison.Ordinal);
    }

    [Theory]
    [MemberData(nameof(Engines))]
    public void Frames_beyond_the_domain_are_not_there(EngineKind engine)
    {
        using Kernel kernel = new(engine, $"movl r3=0x4000000000 ;;\n st8 [r3]=r21 ;;\n ld8 r3=[r3] ;;\n {Kernel.Say("r3")} {Kernel.Stop}");
        Assert.Equal(VcpuStop.PowerOff, kernel.Stopped);
        Assert.Equal(ulong.MaxValue, kernel.Result(0));
        Assert.Equal(FrameKind.Hole, kernel.Machine.Domain.Memory.Lookup(0x4000000000 >> Frame.Shift).Kind);
    }
}
