using System.Runtime.InteropServices;
using FastXen.Smp.Host;

namespace FastXen.Smp;

/// <summary>One <see cref="ISchedulable"/> under a <see cref="Scheduler"/>.</summary>
public sealed partial class ScheduledVcpu
{
    private readonly Scheduler scheduler;
    private readonly object gate = new();
    private SharedLine shared;
    private ulong hard, soft;

    internal ScheduledVcpu(Scheduler scheduler, SchedulerDomain domain, ISchedulable work, int index, int home)
    {
        this.scheduler = scheduler;
        Domain = domain;
        Work = work;
        Index = index;
        hard = soft = scheduler.AllHosts;
        shared.Word = new ScheduleWord(0).With(VcpuPhase.Blocked).With(SchedulingClass.Under).On(home).Bits;
    }

    /// <summary>Whose it is.</summary>
    public SchedulerDomain Domain { get; }

    /// <summary>What is run.</summary>
    public ISchedulable Work { get; }

    /// <summary>The exception that ended <see cref="ISchedulable.RunSlice"/>; null where none did.</summary>
    public Exception? Fault { get; internal set; }

    /// <summary>
    /// The host threads that may run it, a bit each; never empty (a set that names none of those there are is refused with an <see cref="ArgumentException"/>).
    /// A vCPU that runs elsewhere moves at once.
    /// </summary>
    public ulong HardAffinity
    {
        get => Volatile.Read(ref hard);
        set
        {
            if ((value & scheduler.AllHosts) == 0)
                throw new ArgumentException($"Hard affinity 0x{value:x} names none of the {scheduler.HostThreadCount} host threads.");
            Volatile.Write(ref hard, value & scheduler.AllHosts);
            LeaveForbiddenHost();
        }
    }

    /// <summary>Those of them that it prefers, a bit each. Where this names none that the hard affinity permits it is ignored.</summary>
    public ulong SoftAffinity
    {
        get => Volatile.Read(ref soft);
        set
        {
            scheduler.NoteSoftAffinity();
            Volatile.Write(ref soft, value & scheduler.AllHosts);
        }
    }

    /// <summary>What it has done so far.</summary>
    public VcpuStatistics Statistics
    {
        get
        {
            ScheduleWord word = Word;
            return new VcpuStatistics(
                word.Phase, word.Class, word.Host, Time(RunNanoseconds), Time(WaitNanoseconds), SwitchCount, WakeCount, PreemptionCount, YieldCount, MigrationCount,
                Volatile.Read(ref shared.Credit) / 1e6, word.Has(ScheduleWord.Parked));

            static TimeSpan Time(long nanoseconds) => TimeSpan.FromTicks(nanoseconds / TimeSpan.NanosecondsPerTick);
        }
    }

    /// <summary>How long it took from each wake-up to running.</summary>
    public LatencyHistogram WakeLatency { get; } = new();

    /// <summary>
    /// Takes it off the processors until <see cref="Unpause"/> was called as often. When this returns it runs no code (unless it is the caller, which runs on to
    /// its next look-point).
    /// </summary>
    public void Pause()
    {
        RequestPause();
        AwaitOut();
    }

    /// <summary>Undoes one <see cref="Pause"/>.</summary>
    public void Unpause()
    {
        for (; ; )
        {
            ScheduleWord word = Word;
            if (TryUnhold(word, word.Unpaused()))
                return;
        }
    }

    /// <summary>Has a vCPU that stopped run again.</summary>
    public void Restart()
    {
        ScheduleWord word = Word;
        if (word.Phase != VcpuPhase.Stopped)
            throw new InvalidOperationException($"A vCPU that is {word.Phase} cannot be restarted.");
        Fault = null;
        // From Held it goes on as any that a hold ended for.
        for (; word.Phase == VcpuPhase.Stopped; word = Word)
        {
            if (TryChange(word, word.With(VcpuPhase.Held)))
                break;
        }

        for (word = Word; word.Phase == VcpuPhase.Held && !word.IsHeld; word = Word)
        {
            if (TryUnhold(word, word))
                return;
        }
    }

    /// <summary>Takes it out of the scheduler for good. When this returns it runs no code and is not touched any more. Not from its own <see cref="ISchedulable.RunSlice"/>.</summary>
    public void Remove()
    {
        if (HostThread.Running == this)
            throw new InvalidOperationException("A vCPU cannot remove itself while it runs.");
        if (!Hold(static word => word.With(ScheduleWord.Leaving)))
            return;
        AwaitOut();
        for (; ; )
        {
            ScheduleWord word = Word;
            if (word.Phase == VcpuPhase.Detached)
                return;
            if (word.Phase == VcpuPhase.Running)
            {
                Thread.Yield();
                continue;
            }

            if (TryChange(word, word.With(VcpuPhase.Detached).Without(ScheduleWord.Parked)))
            {
                if (word.Has(ScheduleWord.Parked))
                    scheduler.Accounting.Unparked();
                Domain.Forget(this);
                return;
            }
        }
    }

    internal int Index { get; }

    internal ScheduleWord Word => new(Volatile.Read(ref shared.Word));

    internal bool MayRunOn(int host) => (Volatile.Read(ref hard) >> host & 1) != 0;

    /// <summary>Whether its soft affinity distinguishes between host threads that it may use, and prefers this one.</summary>
    internal bool Prefers(int host)
    {
        ulong allowed = Volatile.Read(ref hard), wanted = Volatile.Read(ref soft) & allowed;
        return wanted != 0 && wanted != allowed && (wanted >> host & 1) != 0;
    }

    /// <summary>The preferred ones of the given host threads that it may use; all of those where it prefers none.</summary>
    internal ulong Preferred(ulong hosts)
    {
        hosts &= Volatile.Read(ref hard);
        ulong wanted = hosts & Volatile.Read(ref soft);
        return wanted != 0 ? wanted : hosts;
    }

    internal void RequestPause()
    {
        Hold(static word => word.Paused());
    }

    /// <summary>Waits until it does not run, where the caller is not what it runs.</summary>
    internal void AwaitOut()
    {
        if (HostThread.Running == this || Word.Phase != VcpuPhase.Running)
            return;
        Work.Preempt();
        Interlocked.Increment(ref shared.Waiters);
        lock (gate)
        {
            // Another hold may keep it from coming out by itself; asking again costs nothing.
            while (Word.Phase == VcpuPhase.Running)
                Monitor.Wait(gate, 1);
        }

        Interlocked.Decrement(ref shared.Waiters);
    }

    // Adds a hold; a vCPU in a queue leaves it, one that runs is asked to come out by the caller. False when it is detached.
    private bool Hold(Func<ScheduleWord, ScheduleWord> add)
    {
        for (; ; )
        {
            ScheduleWord word = Word;
            if (word.Phase == VcpuPhase.Detached)
                return false;
            ScheduleWord next = add(word);
            if (next.Phase == VcpuPhase.Queued)
                next = next.With(VcpuPhase.Held);
            if (TryChange(word, next))
                return true;
        }
    }

    internal bool TryChange(ScheduleWord from, ScheduleWord to) => Interlocked.CompareExchange(ref shared.Word, to.Bits, from.Bits) == from.Bits;

    /// <summary>What many threads write, away from everything else.</summary>
    [StructLayout(LayoutKind.Explicit, Size = 256)]
    private struct SharedLine
    {
        [FieldOffset(128)] public ulong Word;
        [FieldOffset(136)] public long Credit;
        [FieldOffset(144)] public int Waiters;
        [FieldOffset(148)] public int Active;

        // Since when it has waited for its turn, and whether it was woken then. Written by who is about to queue it.
        [FieldOffset(152)] public long QueuedAt;
        [FieldOffset(160)] public long Wakes;
        [FieldOffset(168)] public bool IsWoken;
    }
}
