using System.Diagnostics;
using FastXen.Core.Interpret;
using FastXen.Core.Sharing;
using FastXen.Core.State;

namespace FastXen.Core;

/// <summary>The resumable part of a vCPU: any host thread may run it, one at a time.</summary>
/// <remarks>
/// No request is lost: who asks for something writes the request, then (after a full fence) looks at whether the vCPU waits or runs; the vCPU writes that it
/// waits or runs, then (after a full fence) looks at the requests. At least one of the two sees the other.
/// </remarks>
public sealed unsafe partial class Vcpu
{
    private readonly WakeSignal wake = new();
    private volatile bool waiting, sleeping, runsGuest;
    private volatile int stop;
    private volatile bool preempted;
    private long wokenAt;
    private VcpuPause pause;
    private Translate.Dispatcher? dispatcher;

    /// <summary>
    /// <see cref="RunSlice"/> returns at the first look-point (taken branch, page end, interruption, change of translations or PSR) at which this many
    /// instructions have retired; <see cref="StopReason"/> stays as it is, and the next call goes on. Two deterministic vCPUs whose limits
    /// are raised by the same steps run in lockstep. Set it on the vCPU's own thread.
    /// </summary>
    public ulong RunLimit { get; set; } = ulong.MaxValue;

    /// <summary>
    /// The timestamp (<see cref="Stopwatch.GetTimestamp"/>) at which <see cref="RunSlice"/> returns <see cref="VcpuPause.Preempted"/>, at the next look-point: the end of a
    /// time slice. Set it between slices; a deterministic vCPU looks at it only when something else makes it look.
    /// </summary>
    public long RunUntil { get; set; } = long.MaxValue;

    /// <summary>
    /// A deterministic vCPU that waits goes to its timer at once. False where others share its time: then it blocks, and their owner lets time
    /// pass.
    /// </summary>
    public bool SkipsIdleTime { get; set; } = true;

    /// <summary>Why the vCPU was stopped; <see cref="VcpuStop.None"/> while it was not.</summary>
    public VcpuStop StopReason => (VcpuStop)stop;

    /// <summary>A sentence for <see cref="VcpuStop.Crashed"/>.</summary>
    public string? CrashReason { get; private set; }

    /// <summary>
    /// Called when <see cref="HasWork"/> may have become true. Set it once, before the vCPU runs. It is called on any thread, devices' and other vCPUs' among
    /// them, and must not block.
    /// </summary>
    public Action? Woken { get; set; }

    /// <summary>True while there are more vCPUs to run than host threads: a vCPU that spins yields. Any thread.</summary>
    public bool Overcommitted
    {
        get => Volatile.Read(ref State->Overcommitted) != 0;
        set => Volatile.Write(ref State->Overcommitted, value ? 1u : 0);
    }

    /// <summary>True while a thread runs guest code of this vCPU. Any thread; whoever needs more than a hint reads it after a full fence behind its request.</summary>
    public bool RunsGuest => runsGuest;

    /// <summary>
    /// Any thread: a blocked vCPU has become runnable, because an interrupt is requested, its timer is due, or it is to stop. (Not because of purges or
    /// forgotten code: they are done before it next runs.)
    /// </summary>
    public bool HasWork => !waiting || stop != 0 || LocalSapic.AnyRequested(State) || (WakeAt is { } due && Stopwatch.GetTimestamp() >= due);

    /// <summary>
    /// Of a blocked vCPU: the timestamp (<see cref="Stopwatch.GetTimestamp"/>) at which its own timer makes it runnable; null where none does
    /// (and where time is deterministic). Any thread while it is blocked.
    /// </summary>
    public long? WakeAt => State->Deterministic != 0 ? null : Clock.TimerTimestamp(State);

    /// <summary>
    /// Between slices, where the vCPU waited: the timestamp (<see cref="Stopwatch.GetTimestamp"/>) since which it has been runnable, at most
    /// <paramref name="now"/>.
    /// </summary>
    public long RunnableSince(long now)
    {
        long woken = Volatile.Read(ref wokenAt);
        return Math.Min(woken == 0 ? now : woken, Math.Min(WakeAt ?? now, now));
    }

    /// <summary>
    /// Runs guest code until the vCPU is stopped, waits with nothing to do, is preempted, yields, or has reached <see cref="RunLimit"/>. One thread at
    /// a time; which one may change from call to call.
    /// </summary>
    public VcpuPause RunSlice()
    {
        // The engines begin with Attend, whose fence lies between this and its look at all requests.
        runsGuest = true;
        CodeEpochs.Enter(State);
        TraceSwitchIn();
        if (State->Hypervisor != null)
            State->Hypervisor->Entered(State);
        Volatile.Write(ref wokenAt, 0);
        Volatile.Write(ref State->Deadline, 0);
        try
        {
            if (Engine == EngineKind.Translator)
            {
                dispatcher ??= new Translate.Dispatcher(this, Code.Translator);
                dispatcher.Run();
            }
            else
            {
                Interpreter.Run(State);
            }
        }
        finally
        {
            // Also of a slice that ended with an exception: nobody waits for this vCPU any more.
            CodeEpochs.Leave(State);
            runsGuest = false;
        }

        TraceSwitchOut();
        if (State->Hypervisor != null)
            State->Hypervisor->Left(State, pause);
        return pause;
    }

    /// <summary>Runs until the vCPU is stopped, at once where it has been since its reset, or <see cref="RunLimit"/> is reached. The thread sleeps while the vCPU waits.</summary>
    public VcpuStop Run()
    {
        for (; ; )
        {
            switch (RunSlice())
            {
                case VcpuPause.Stopped or VcpuPause.Limit:
                    return StopReason;
                case VcpuPause.Blocked:
                    Sleep();
                    break;
                case VcpuPause.Yielded:
                    Thread.Yield();
                    break;
            }
        }
    }

    /// <summary>
    /// Has <see cref="RunSlice"/> return <see cref="VcpuPause.Preempted"/> at the next look-point, at most 20,000 slots from now; where none is under way, the
    /// next one returns at once. Any thread.
    /// </summary>
    public void Preempt()
    {
        preempted = true;
        Interlocked.Exchange(ref State->Deadline, 0);
    }

    /// <summary>Posts an external interrupt (sets its IRR bit and wakes the vCPU). Any thread.</summary>
    public void PostInterrupt(byte vector)
    {
        LocalSapic.Request(State, vector);
        Wake();
    }

    /// <summary>Asks the vCPU to stop for good (reset, power-off, halt). Any thread; the first request counts.</summary>
    public void RequestStop(VcpuStop reason)
    {
        Interlocked.CompareExchange(ref stop, (int)reason, 0);
        Interlocked.Exchange(ref State->Deadline, 0);
        Wake();
    }

    /// <summary>Takes <see cref="RequestStop"/> back: the vCPU may run on from where it is. While it does not run.</summary>
    public void WithdrawStop()
    {
        if (runsGuest)
            throw new InvalidOperationException("The vCPU runs.");
        stop = 0;
    }

    /// <summary>Stops the domain for a reason that the guest's processor would have met with a machine check.</summary>
    public void Crash(string reason)
    {
        CrashReason ??= reason;
        RequestStop(VcpuStop.Crashed);
    }

    /// <summary>
    /// From the next look-point on the vCPU runs no code until an interrupt is requested (PAL_HALT_LIGHT): <see cref="RunSlice"/> returns
    /// <see cref="VcpuPause.Blocked"/>. Only from the vCPU's own thread, in a firmware service.
    /// </summary>
    public void WaitForInterrupt()
    {
        Volatile.Write(ref wokenAt, 0);
        waiting = true;
        State->Deadline = 0;
    }

    /// <summary>Between runs of slots: timer, requests, external interrupts. False: leave the run loop.</summary>
    internal bool Attend()
    {
        VcpuState* s = State;
        // At the limit nothing is done yet: the next slice begins with it.
        if (stop == 0 && s->Retired >= RunLimit)
            return Leave(VcpuPause.Limit);
        Clock.Tick(s);
        s->Deadline = Math.Min(s->Deadline, RunLimit);
        // What was requested before this is seen below; who requests later finds the new deadline, and clears it.
        Interlocked.MemoryBarrier();
        if (stop != 0)
            return Leave(VcpuPause.Stopped);
        if (preempted || (RunUntil != long.MaxValue && Stopwatch.GetTimestamp() >= RunUntil))
            return Leave(VcpuPause.Preempted);
        ServePurges();
        if (s->NatPresent != 0)
            Registers.ForgetNat(s);
        if (waiting && !EndWait())
            return Leave(VcpuPause.Blocked);
        if (Spinning.ShouldYield(s))
            return Leave(VcpuPause.Yielded);
        if (s->Hypervisor != null)
            return AttendHypervisor(s);
        if ((s->PsrValue & Psr.I) != 0 && LocalSapic.Deliverable(s))
            Interruptions.DeliverHere(s, Vector.ExternalInterrupt, 0);
        return stop == 0 || Leave(VcpuPause.Stopped);
    }

    // The hypervisor may have it wait: a vCPU that is down.
    private bool AttendHypervisor(VcpuState* s)
    {
        s->Hypervisor->Attend(s);
        if (stop != 0)
            return Leave(VcpuPause.Stopped);
        return !waiting || Leave(VcpuPause.Blocked);
    }

    // True when the vCPU runs on. Deterministic time passes at once while nothing runs.
    private bool EndWait()
    {
        while (!LocalSapic.AnyRequested(State))
        {
            if (State->Deterministic == 0 || !SkipsIdleTime || Clock.UntilTimer(State) is not { } counts)
                return false;
            Clock.Skip(State, counts);
            Clock.Tick(State);
            State->Deadline = Math.Min(State->Deadline, RunLimit);
        }

        waiting = false;
        return true;
    }

    private bool Leave(VcpuPause reason)
    {
        pause = reason;
        // Whoever asked for the end of this slice has it, whatever the reason.
        preempted = false;
        Spinning.Forget(State);
        return false;
    }

    // Behind a full fence that follows a request.
    private void Wake()
    {
        if (!waiting)
            return;
        if (Volatile.Read(ref wokenAt) == 0)
            Volatile.Write(ref wokenAt, Stopwatch.GetTimestamp());
        if (sleeping)
            wake.Set();
        Woken?.Invoke();
    }

    // The thread of Run, while the vCPU waits.
    private void Sleep()
    {
        sleeping = true;
        Interlocked.MemoryBarrier();
        if (!HasWork)
        {
            long ticks = WakeAt is { } due ? Math.Max(due - Stopwatch.GetTimestamp(), 0) : long.MaxValue;
            wake.Wait(ticks == long.MaxValue ? ulong.MaxValue : (ulong)((UInt128)ticks * 1_000_000_000 / (ulong)Stopwatch.Frequency));
        }

        sleeping = false;
    }
}
