using FastXen.Events;
using FastXen.Smp.Host;

namespace FastXen.Smp;

/// <content>The transitions between phases. Whoever brings the word to <see cref="VcpuPhase.Running"/> owns the vCPU and its plain fields until it lets go.</content>
public sealed partial class ScheduledVcpu
{
    /// <summary>When it becomes runnable by itself; <see cref="long.MaxValue"/>: never. Set before it blocks.</summary>
    internal long WakeTime { get; private set; } = long.MaxValue;

    /// <summary>Takes it from the queue where an entry was found; false when it is not there any more.</summary>
    internal bool TryClaim(int host, SchedulingClass priority, int by)
    {
        for (; ; )
        {
            ScheduleWord word = Word;
            if (word.Phase != VcpuPhase.Queued || word.Host != host || word.Class != priority)
                return false;
            if (TryChange(word, word.With(VcpuPhase.Running).On(by)))
            {
                if (host != by)
                    MigrationCount++;
                return true;
            }
        }
    }

    /// <summary>
    /// Something was requested. Any thread, also one that is woken itself by the caller; <paramref name="from"/>: the host thread that calls
    /// from its scheduling loop.
    /// </summary>
    internal void Wake(HostThread? from)
    {
        // Between the request and the look at the phase.
        Interlocked.MemoryBarrier();
        for (; ; )
        {
            ScheduleWord word = Word;
            switch (word.Phase)
            {
                case VcpuPhase.Running:
                    if (word.WakePending || TryChange(word, word.Woken()))
                        return;
                    break;
                case VcpuPhase.Blocked when RealTime is not null:
                    if (TryChange(word, word.With(VcpuPhase.Running)))
                    {
                        shared.Wakes++;
                        long now = scheduler.Now;
                        BeginReservation(now);
                        Release(from, now, wakes: true);
                        return;
                    }

                    break;
                case VcpuPhase.Blocked when word.IsHeld:
                    if (TryChange(word, word.With(VcpuPhase.Held)))
                        return;
                    break;
                case VcpuPhase.Blocked:
                    if (TryWake(word, from))
                        return;
                    break;
                default:
                    return;
            }
        }
    }

    /// <summary>The owner lets go of a vCPU that could run on: into a queue, or nowhere while it is held.</summary>
    internal void Release(HostThread? from, long now, bool wakes = false)
    {
        for (; ; )
        {
            ScheduleWord word = Word;
            if (word.IsHeld)
            {
                if (!TryChange(word, word.With(VcpuPhase.Held).Unwoken()))
                    continue;
                SignalOut();
                return;
            }

            Placement placement = wakes ? scheduler.PlaceWoken(this, word, from) : scheduler.PlaceReady(this, word);
            NoteQueued(now, wakes);
            if (wakes && Tracing.Scheduling)
                TraceWake(placement.Host, word.Class);
            bool done = TryChange(word, word.With(VcpuPhase.Queued).On(placement.Host).Unwoken());
            scheduler.Complete(this, word.Class, placement, done, from);
            if (done)
            {
                SignalOut();
                return;
            }
        }
    }

    /// <summary>The owner lets go of a vCPU that waits; false, and it keeps it, when it was woken meanwhile.</summary>
    internal bool TryBlock()
    {
        for (; ; )
        {
            ScheduleWord word = Word;
            if (word.WakePending)
            {
                if (TryChange(word, word.Unwoken()))
                    return false;
            }
            else if (TryChange(word, word.With(VcpuPhase.Blocked)))
            {
                SignalOut();
                return true;
            }
        }
    }

    /// <summary>The owner lets go of a vCPU that stopped.</summary>
    internal void ReleaseStopped()
    {
        ScheduleWord word;
        do
        {
            word = Word;
        }
        while (!TryChange(word, word.With(VcpuPhase.Stopped).Unwoken()));
        SignalOut();
    }

    /// <summary>Sets the priority; one that is queued goes to the queue of its new priority.</summary>
    internal void SetClass(SchedulingClass priority)
    {
        for (; ; )
        {
            ScheduleWord word = Word;
            if (word.Class == priority)
                return;
            ScheduleWord next = word.With(priority);
            if (!TryChange(word, next))
                continue;
            if (next.Phase == VcpuPhase.Queued)
                scheduler.Complete(this, priority, new Placement(next.Host, Claimed: false), done: true, from: null);
            return;
        }
    }

    /// <summary>Adds a hold to a vCPU that the caller owns.</summary>
    internal void HoldOwned(ulong hold)
    {
        ScheduleWord word;
        do
        {
            word = Word;
        }
        while (!TryChange(word, word.With(hold)));
    }

    /// <summary>Ends a hold.</summary>
    internal void Unhold(ulong hold)
    {
        for (; ; )
        {
            ScheduleWord word = Word;
            if (!word.Has(hold) || TryUnhold(word, word.Without(hold)))
                return;
        }
    }

    /// <summary>A queued vCPU that may not run there (any more) goes elsewhere; one that runs is asked to.</summary>
    internal void LeaveForbiddenHost()
    {
        for (; ; )
        {
            ScheduleWord word = Word;
            if (MayRunOn(word.Host))
                return;
            if (word.Phase == VcpuPhase.Running)
            {
                scheduler.Hosts[word.Host].Preempt(this);
                return;
            }

            if (word.Phase != VcpuPhase.Queued)
                return;
            Placement placement = scheduler.PlaceReady(this, word);
            bool done = TryChange(word, word.On(placement.Host));
            scheduler.Complete(this, word.Class, placement, done, from: null);
            if (done)
                return;
        }
    }

    private bool TryWake(ScheduleWord word, HostThread? from)
    {
        // A boost is for those that have not used up their share (Xen's credit scheduler: only UNDER becomes BOOST).
        SchedulingClass priority = word.Class == SchedulingClass.Under ? SchedulingClass.Boost : word.Class;
        ScheduleWord next = word.With(VcpuPhase.Queued).With(priority);
        Placement placement = scheduler.PlaceWoken(this, next, from);
        NoteQueued(scheduler.Now, wakes: true);
        if (Tracing.Scheduling)
            TraceWake(placement.Host, priority);
        bool done = TryChange(word, next.On(placement.Host));
        if (done)
            shared.Wakes++;
        scheduler.Complete(this, priority, placement, done, from);
        return done;
    }

    // To a word with fewer holds: one that waited for the last of them to end is queued, without a boost.
    private bool TryUnhold(ScheduleWord word, ScheduleWord next)
    {
        if (next.Phase != VcpuPhase.Held || next.IsHeld)
            return TryChange(word, next);
        Placement placement = scheduler.PlaceReady(this, next);
        NoteQueued(scheduler.Now, wakes: false);
        bool done = TryChange(word, next.With(VcpuPhase.Queued).On(placement.Host));
        scheduler.Complete(this, next.Class, placement, done, from: null);
        return done;
    }

    private void NoteQueued(long now, bool wakes)
    {
        shared.QueuedAt = now;
        shared.IsWoken = wakes;
    }

    // Behind the fence of a transition out of Running.
    private void SignalOut()
    {
        if (Volatile.Read(ref shared.Waiters) == 0)
            return;
        lock (gate)
            Monitor.PulseAll(gate);
    }
}
