using FastXen.Core;
using FastXen.Xen.EventChannels;
using FastXen.Xen.Processor;

namespace FastXen.Xen.Tests.Processor;

/// <summary>vcpu_op, the firmware's way to start vCPUs and to end them, and sched_op's ends of a domain.</summary>
public sealed unsafe class VcpuOpTests
{
    private const int Up = 1, Down = 2, IsUp = 3, GetRunstate = 4, ShowRunstate = 5, SetPeriodic = 6, SetOnce = 8, StopOnce = 9;
    private const ulong Argument = 0x18_0000;

    public static TheoryData<EngineKind> Engines => [EngineKind.Interpreter, EngineKind.Translator];

    // The argument, if any, is at 0x180000.
    private static string VcpuOp(int command, int vcpu) => $"""
        mov r32={command} ;;
        mov r33={vcpu} ;;
        movl r34=0x8000000000180000 ;;
        mov r2=24 ;;
        break 0x1000 ;;

        """;

    // Waits until vcpu_op(is_up) of vCPU 1 answers this.
    private static string WaitUntilUp(int label, int isUp) => $"""
        {label}: {VcpuOp(IsUp, 1)}
        cmp.ne p6,p7={isUp},r8 ;;
        (p6) br.cond.sptk.few {label}b ;;

        """;

    // Waits until the word at an address is at least a count.
    private static string WaitForCount(int label, ulong address, int count) => $"""
        movl r3={address} ;;
        mov r15={count} ;;
        {label}: ld8.acq r14=[r3] ;;
        cmp.ltu p6,p7=r14,r15 ;;
        (p6) br.cond.sptk.few {label}b ;;

        """;

    private const string Starts = "0x200100", Turns = "0x200108";

    // SAL_SET_VECTORS(boot rendezvous, 0x120000, gp 0x77), and the interrupt that starts vCPU 1.
    private const string SetRendezvous = """
        movl r32=0x1000000 ;;
        mov r33=2 ;;
        movl r34=0x120000 ;;
        mov r35=0x77 ;;
        mov r36=0 ;;
        movl r2=0x1100 ;;
        break 0x1000 ;;

        """;

    private const string StartOther = """
        mov r14=1 ;;
        mov r15=0xf3 ;;
        movl r2=0x400 ;;
        break 0x1000 ;;

        """;

    // Counts its starts; returns to SAL the first time, and counts turns the second time.
    private const string Other = """
        movl r3=0x200110 ;;
        st8 [r3]=r1 ;;
        mov r14=b0 ;;
        movl r3=0x200118 ;;
        st8 [r3]=r14 ;;
        movl r3=0x200100 ;;
        fetchadd8.acq r8=[r3],1 ;;
        cmp.ne p6,p7=0,r8 ;;
        (p6) br.cond.sptk.few 1f ;;
        movl r2=0x1200 ;;
        break 0x1000 ;;
        1: movl r3=0x200108 ;;
        2: fetchadd8.acq r8=[r3],1 ;;
        br.cond.sptk.few 2b ;;

        """;

    [Theory]
    [MemberData(nameof(Engines))]
    public void The_firmware_starts_a_vcpu_again_and_vcpu_op_stops_it_and_lets_it_go_on(EngineKind engine)
    {
        using Kernel kernel = new(engine, 2, $"""
            {VcpuOp(Up, 1)}
            {Kernel.Say("r8")}
            {SetRendezvous}
            {StartOther}
            {WaitForCount(1, Kernel.Results + 0x100, 1)}
            {WaitUntilUp(2, 0)}
            {StartOther}
            {VcpuOp(IsUp, 1)}
            {Kernel.Say("r8")}
            {WaitForCount(3, Kernel.Results + 0x108, 1)}
            {VcpuOp(Down, 1)}
            {VcpuOp(IsUp, 1)}
            {Kernel.Say("r8")}
            {VcpuOp(Up, 1)}
            {Kernel.Say("r8")}
            movl r3={Turns} ;;
            ld8 r16=[r3] ;;
            adds r16=1,r16 ;;
            4: ld8.acq r14=[r3] ;;
            cmp.ltu p6,p7=r14,r16 ;;
            (p6) br.cond.sptk.few 4b ;;
            {Kernel.Stop}
            """, Other);
        Assert.Equal(VcpuStop.PowerOff, kernel.Stopped);
        // One that never started has nowhere to go on.
        Assert.Equal((-Errno.EINVAL, 1, 0, 0), ((long)kernel.Result(0), (long)kernel.Result(1), (long)kernel.Result(2), (long)kernel.Result(3)));
        // Started twice: with gp, and with b0 at the return to SAL.
        Assert.Equal((2UL, 0x77UL, 0x840UL), (kernel.Result(0x20), kernel.Result(0x22), kernel.Result(0x23)));
    }

    [Theory]
    [MemberData(nameof(Engines))]
    public void A_vcpu_that_is_down_does_not_run(EngineKind engine)
    {
        using Kernel kernel = new(engine, 2, $"""
            {SetRendezvous}
            movl r3={Starts} ;;
            mov r14=1 ;;
            st8 [r3]=r14 ;;
            {StartOther}
            {WaitForCount(1, Kernel.Results + 0x108, 1)}
            {VcpuOp(Down, 1)}
            // Long enough for it to come by a look-point; then it stands.
            movl r3={Turns} ;;
            2: ld8.acq r14=[r3] ;;
            movl r16=200000 ;;
            mov ar.lc=r16 ;;
            3: br.cloop.sptk.few 3b ;;
            ld8.acq r15=[r3] ;;
            cmp.ne p6,p7=r14,r15 ;;
            (p6) br.cond.sptk.few 2b ;;
            {Kernel.Stop}
            """, Other);
        Assert.Equal(VcpuStop.PowerOff, kernel.Stopped);
        Assert.Equal(RunstateKind.Offline, kernel.Machine.Vcpus[1].Runstate.State);
    }

    [Theory]
    [MemberData(nameof(Engines))]
    public void Runstates_tell_where_the_time_went(EngineKind engine)
    {
        // The runstate in memory is that of the slice's begin; the other one counts on.
        using Kernel kernel = new(engine, 1, $"""
            movl r14=0x180000 ;;
            movl r15=0x8000100000200100 ;;
            st8 [r14]=r15 ;;
            {VcpuOp(ShowRunstate, 0)}
            {Kernel.Say("r8")}
            movl r15=0x8000000000200100 ;;
            st8 [r14]=r15 ;;
            {VcpuOp(ShowRunstate, 0)}
            {Kernel.Say("r8")}
            {VcpuOp(GetRunstate, 0)}
            {Kernel.Say("r8")}
            {VcpuOp(GetRunstate, 1)}
            {Kernel.Say("r8")}
            {VcpuOp(GetRunstate, 64)}
            {Kernel.Say("r8")}
            {Kernel.Stop}
            """, Other);
        Assert.Equal(VcpuStop.PowerOff, kernel.Stopped);
        Assert.Equal((-Errno.EFAULT, 0, 0), ((long)kernel.Result(0), (long)kernel.Result(1), (long)kernel.Result(2)));
        Assert.Equal((-Errno.ENOENT, -Errno.EINVAL), ((long)kernel.Result(3), (long)kernel.Result(4)));
        Assert.True(kernel.Machine.Domain.Memory.TryRead(Argument, out RunstateInfo info));
        Assert.True(kernel.Machine.Domain.Memory.TryRead(Kernel.Results + 0x100, out RunstateInfo shown));
        Assert.Equal((int)RunstateKind.Running, info.State);
        Assert.Equal((info.State, info.Since, info.Time[3]), (shown.State, shown.Since, shown.Time[3]));
        Assert.True(info.Time[0] > 0);
        Assert.Equal((0UL, 0UL, 0UL), (shown.Time[0], info.Time[1], info.Time[2]));
    }

    [Fact]
    public void Runstates_add_up()
    {
        var runstate = new Runstate();
        runstate.Enter(RunstateKind.Running, 100);
        runstate.Enter(RunstateKind.Blocked, 150);
        runstate.Enter(RunstateKind.Runnable, 350);
        runstate.Enter(RunstateKind.Running, 400);
        // Time does not go back.
        runstate.Enter(RunstateKind.Runnable, 390);
        RunstateInfo info = runstate.At(1000);
        Assert.Equal((50UL, 650UL, 200UL, 100UL), (info.Time[0], info.Time[1], info.Time[2], info.Time[3]));
        Assert.Equal(((int)RunstateKind.Runnable, 400UL), (info.State, info.Since));
        RunstateInfo before = runstate.AtChange;
        Assert.Equal(50UL, before.Time[1]);
    }

    [Theory]
    [MemberData(nameof(Engines))]
    public void Timers_of_vcpu_op_raise_their_own_event(EngineKind engine)
    {
        // bind_virq(VIRQ_TIMER), a period that is too short, a time that has passed, one at once, and a poll for its event.
        using Kernel kernel = new(engine, 1, $"""
            movl r14=0x180000 ;;
            st8 [r14]=r0 ;;
            mov r32=1 ;;
            movl r33=0x8000000000180000 ;;
            mov r2=32 ;;
            break 0x1000 ;;
            {Kernel.Say("r8")}
            adds r15=8,r14 ;;
            ld4 r16=[r15] ;;
            adds r17=0x40,r14 ;;
            st4 [r17]=r16 ;;
            movl r15=999999 ;;
            st8 [r14]=r15 ;;
            {VcpuOp(SetPeriodic, 0)}
            {Kernel.Say("r8")}
            mov r15=1 ;;
            st8 [r14]=r15 ;;
            adds r16=8,r14 ;;
            st8 [r16]=r15 ;;
            {VcpuOp(SetOnce, 0)}
            {Kernel.Say("r8")}
            {VcpuOp(StopOnce, 0)}
            {Kernel.Say("r8")}
            st8 [r16]=r0 ;;
            {VcpuOp(SetOnce, 0)}
            {Kernel.Say("r8")}
            movl r15=0x8000000000180040 ;;
            st8 [r14]=r15 ;;
            mov r15=1 ;;
            st8 [r16]=r15 ;;
            adds r16=16,r14 ;;
            st8 [r16]=r0 ;;
            mov r32=3 ;;
            movl r33=0x8000000000180000 ;;
            mov r2=29 ;;
            break 0x1000 ;;
            {Kernel.Say("r8")}
            {Kernel.Stop}
            """, Other);
        Assert.Equal(VcpuStop.PowerOff, kernel.Stopped);
        Assert.Equal((0, -Errno.EINVAL, -Errno.ETIME), ((long)kernel.Result(0), (long)kernel.Result(1), (long)kernel.Result(2)));
        Assert.Equal((0, 0, 0), ((long)kernel.Result(3), (long)kernel.Result(4), (long)kernel.Result(5)));
        Assert.True(kernel.Machine.Domain.EventChannels.IsVirqBound(Virq.Timer));
    }

    [Theory]
    [MemberData(nameof(Engines))]
    public void The_reason_of_a_shutdown_may_be_told_before(EngineKind engine)
    {
        string Sched(int command, int reason) => $"""
            movl r14=0x180000 ;;
            mov r15={reason} ;;
            st4 [r14]=r15 ;;
            mov r32={command} ;;
            movl r33=0x8000000000180000 ;;
            mov r2=29 ;;
            break 0x1000 ;;
            {Kernel.Say("r8")}

            """;
        const int Shutdown = 2, Code = 5;
        using Kernel kernel = new(engine, Sched(Code, 1) + Sched(Code, 3) + Sched(Shutdown, 0) + Kernel.Stop);
        Assert.Equal(VcpuStop.Reboot, kernel.Stopped);
        Assert.Equal(ShutdownReason.Reboot, kernel.Machine.ShutdownReason);
        Assert.Equal((0UL, 0UL), (kernel.Result(0), kernel.Result(1)));
    }

    [Fact]
    public void Watchdogs_are_two_and_bite()
    {
        using var bitten = new ManualResetEventSlim();
        using var dogs = new Watchdogs(bitten.Set);
        Assert.Equal(1, dogs.Set(0, 3600));
        Assert.Equal(2, dogs.Set(0, 3600));
        Assert.Equal(-Errno.ENOSPC, dogs.Set(0, 3600));
        Assert.Equal(-Errno.EINVAL, dogs.Set(3, 3600));
        Assert.Equal(0, dogs.Set(1, 3600));
        Assert.Equal(0, dogs.Set(2, 0));
        Assert.Equal(-Errno.EINVAL, dogs.Set(2, 3600));
        Assert.Equal(2, dogs.Set(0, 1));
        Assert.True(bitten.Wait(TimeSpan.FromSeconds(30)));
    }
}
