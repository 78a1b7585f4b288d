using FastXen.Events;
using FastXen.Smp.Queues;

namespace FastXen.Smp.Host;

/// <content>Which vCPU runs next: the rules of Xen's credit scheduler, with the real-time class above them.</content>
internal sealed partial class HostThread
{
    // A vCPU that begins runs at least this long before the clock ends its slice (Xen's shortest timer is 100 microseconds).
    private const long ShortestRun = 50_000;

    /// <summary>
    /// The vCPU that was running has come out with <paramref name="outcome"/> (without meaning when there was none). Returns the one to run until
    /// <see cref="Until"/>; null: the thread counts as idle until <see cref="EndIdle"/>.
    /// </summary>
    public ScheduledVcpu? Advance(SliceOutcome outcome, long now)
    {
        Interlocked.Exchange(ref shared.Reconsider, 0);
        ScheduledVcpu? before = current, keeps = before;
        if (before is not null && !Settle(before, outcome, now))
            keeps = null;
        scheduler.Accounting.RunIfDue(now);
        FireTimers(now);
        if (keeps is not null && (keeps.Word.IsHeld || !keeps.MayRunOn(Index)))
        {
            LetGo(keeps, now);
            keeps = null;
        }

        ScheduledVcpu? next = keeps is null ? ChooseForFree() : ChooseInPlaceOf(keeps, outcome == SliceOutcome.Yielded, now);
        next ??= BecomeIdle();
        if (next is null)
            return null;
        for (; ; )
        {
            current = next;
            // Whoever queued something here meanwhile either finds this vCPU, or is noticed.
            if (Interlocked.Exchange(ref shared.Reconsider, 0) == 0 && parker.Handed < 0)
                break;
            if (ClaimMoreUrgent(next) is not { } better)
                break;
            LetGo(next, now);
            next = better;
        }

        if (next != keeps)
        {
            next.Begin(now);
            switches++;
            since = now;
            sliceEnd = now + scheduler.SliceNanoseconds;
        }

        next.Work.Contended = MayHaveEntries(SchedulingClass.Over);
        long tick = scheduler.TickNanoseconds;
        long until = Math.Min(Math.Min(sliceEnd, (now / tick + 1) * tick), Math.Min(timers.Next, next.RunsUntil(now)));
        if (reconsiderAt > now)
            until = Math.Min(until, reconsiderAt);
        Until = Math.Max(until, now + ShortestRun);
        return next;
    }

    /// <summary>The thread is awake again.</summary>
    public void EndIdle()
    {
        scheduler.ClaimIdle(this);
        scheduler.Accounting.Leave(Index);
    }

    // Charges a vCPU that came out; false when it is not this thread's any more.
    private bool Settle(ScheduledVcpu vcpu, SliceOutcome outcome, long now)
    {
        busyNanoseconds += vcpu.Charge(now);
        if (vcpu.HasUsedReservation)
            timers.Set(vcpu.Index, vcpu.Deadline);
        switch (outcome)
        {
            case SliceOutcome.Stopped:
                current = null;
                // Whoever removes the vCPU waits until its domain has been told.
                Interlocked.Increment(ref shared.Visitors);
                vcpu.ReleaseStopped();
                vcpu.Domain.OnStopped(vcpu);
                Interlocked.Decrement(ref shared.Visitors);
                return false;
            case SliceOutcome.Blocked:
                long due = vcpu.PrepareToBlock();
                if (due != long.MaxValue)
                    timers.Set(vcpu.Index, due);
                current = null;
                if (vcpu.TryBlock())
                    return false;
                current = vcpu;
                return true;
            case SliceOutcome.Yielded:
                vcpu.YieldCount++;
                if (vcpu.Word.Class == SchedulingClass.Boost)
                    vcpu.SetClass(SchedulingClass.Under);
                return true;
            default:
                return true;
        }
    }

    // Work of others with credits goes before own work without.
    private ScheduledVcpu? ChooseForFree()
        => Claim(SchedulingClass.Under) ?? Steal(SchedulingClass.Under) ?? Claim(SchedulingClass.Over) ?? Steal(SchedulingClass.Over);

    private ScheduledVcpu ChooseInPlaceOf(ScheduledVcpu vcpu, bool yields, long now)
    {
        reconsiderAt = 0;
        ScheduledVcpu? next;
        if (yields)
        {
            next = Claim(SchedulingClass.Over) ?? Steal(SchedulingClass.Over);
        }
        else if (now >= sliceEnd)
        {
            SchedulingClass priority = vcpu.Word.Class;
            next = priority switch
            {
                SchedulingClass.RealTime => ClaimMoreUrgent(vcpu),
                SchedulingClass.Over => Claim(SchedulingClass.Under) ?? Steal(SchedulingClass.Under) ?? Claim(SchedulingClass.Over),
                _ => Claim(priority),
            };
        }
        else if (now - since < scheduler.RateLimitNanoseconds && vcpu.Word.Class != SchedulingClass.RealTime)
        {
            next = ClaimRealTime(long.MaxValue);
            if (next is null && vcpu.Word.Class > SchedulingClass.Boost && MayHaveEntries(vcpu.Word.Class - 1))
                reconsiderAt = since + scheduler.RateLimitNanoseconds;
        }
        else
        {
            next = ClaimMoreUrgent(vcpu);
        }

        if (next is null)
        {
            if (now >= sliceEnd)
                sliceEnd = now + scheduler.SliceNanoseconds;
            return vcpu;
        }

        if (!yields)
            vcpu.PreemptionCount++;
        LetGo(vcpu, now);
        return next;
    }

    private void LetGo(ScheduledVcpu vcpu, long now)
    {
        current = null;
        vcpu.Release(this, now);
    }

    private ScheduledVcpu? ClaimMoreUrgent(ScheduledVcpu than) => than.Word.Class switch
    {
        SchedulingClass.RealTime => ClaimRealTime(than.Deadline),
        SchedulingClass priority => Claim(priority - 1),
    };

    private bool MayHaveEntries(SchedulingClass upTo) => parker.Handed >= 0 || scheduler.Queues.MayHaveEntries(Index, upTo);

    // The vCPU that was handed over when this thread was woken for it, where it is of that priority.
    private ScheduledVcpu? ClaimHanded(SchedulingClass priority)
    {
        int index = parker.Handed;
        if (index < 0)
            return null;
        ScheduledVcpu? vcpu = scheduler.At(index);
        if (vcpu is not null && vcpu.Word is { Phase: VcpuPhase.Queued } word && word.Host == Index)
        {
            if (!vcpu.MayRunOn(Index))
                vcpu.LeaveForbiddenHost();
            else if (word.Class != priority || !vcpu.TryClaim(Index, priority, Index))
                return null;
            else
                return Taken(vcpu);
        }

        return Taken(null);

        ScheduledVcpu? Taken(ScheduledVcpu? what)
        {
            parker.EndHand();
            return what;
        }
    }

    // The first of this thread's queues, down to a priority. Entries that are not valid any more are dropped.
    private ScheduledVcpu? Claim(SchedulingClass upTo)
    {
        if (ClaimRealTime(long.MaxValue) is { } urgent)
            return urgent;
        for (SchedulingClass priority = SchedulingClass.Boost; priority <= upTo; priority++)
        {
            if (ClaimHanded(priority) is { } handed)
                return handed;
            RunQueue queue = scheduler.Queues[Index, priority];
            while (queue.MayHaveEntries)
            {
                int index = scheduler.Queues.Take(Index, priority);
                if (index == RunQueue.Empty)
                    break;
                if (scheduler.At(index) is not { } vcpu)
                    continue;
                if (!vcpu.MayRunOn(Index))
                    vcpu.LeaveForbiddenHost();
                else if (vcpu.TryClaim(Index, priority, Index))
                    return vcpu;
            }
        }

        return null;
    }

    // Best priority first; in each, those that prefer this thread before others.
    private ScheduledVcpu? Steal(SchedulingClass upTo)
    {
        for (SchedulingClass priority = SchedulingClass.Boost; priority <= upTo; priority++)
        {
            ScheduledVcpu? stolen = scheduler.AnySoftAffinity ? Steal(priority, preferred: true) : null;
            stolen ??= Steal(priority, preferred: false);
            if (stolen is null)
                continue;
            steals++;
            return stolen;
        }

        return null;
    }

    private ScheduledVcpu? Steal(SchedulingClass priority, bool preferred)
    {
        int hosts = scheduler.HostThreadCount;
        for (int i = 1; i < hosts; i++)
        {
            int victim = (Index + i) % hosts;
            if (scheduler.Hosts[victim].parker.Handed is >= 0 and var handed && Steal(handed, victim, priority, preferred) is { } stolen)
                return stolen;
            RunQueue queue = scheduler.Queues[victim, priority];
            ulong position = 0;
            while (queue.Peek(ref position, out int index))
            {
                if (Steal(index, victim, priority, preferred) is { } vcpu)
                    return vcpu;
            }
        }

        return null;
    }

    private ScheduledVcpu? Steal(int index, int victim, SchedulingClass priority, bool preferred)
    {
        if (scheduler.At(index) is not { } vcpu || !(preferred ? vcpu.Prefers(Index) : vcpu.MayRunOn(Index)) || !vcpu.TryClaim(victim, priority, Index))
            return null;
        if (Tracing.Scheduling)
            vcpu.TraceSteal(Index, victim);
        return vcpu;
    }

    // The real-time class has no queue: they are few, and the earliest deadline goes first (global EDF).
    private ScheduledVcpu? ClaimRealTime(long before)
    {
        ScheduledVcpu[] candidates = scheduler.RealTimeVcpus;
        while (candidates.Length > 0)
        {
            ScheduledVcpu? first = null;
            foreach (ScheduledVcpu vcpu in candidates)
            {
                if (vcpu.Word is { Phase: VcpuPhase.Queued, Class: SchedulingClass.RealTime } && vcpu.MayRunOn(Index) && vcpu.Deadline < before
                    && (first is null || vcpu.Deadline < first.Deadline))
                {
                    first = vcpu;
                }
            }

            if (first is null)
                break;
            if (first.TryClaim(first.Word.Host, SchedulingClass.RealTime, Index))
                return first;
        }

        return null;
    }

    // First it counts as idle, then it looks again: who queues something either sees an idle thread and wakes it, or is seen here.
    private ScheduledVcpu? BecomeIdle()
    {
        scheduler.AddIdle(this);
        if (ChooseForFree() is { } found)
        {
            EndIdle();
            return found;
        }

        ParkUntil = Math.Min(timers.Next, scheduler.Accounting.Enter(Index));
        return null;
    }

    private void FireTimers(long now)
    {
        while (timers.TryTake(now, out int index))
        {
            if (scheduler.At(index) is not { } vcpu)
                continue;
            ScheduleWord word = vcpu.Word;
            if (word.Phase == VcpuPhase.Blocked)
            {
                if (now >= vcpu.WakeTime)
                    vcpu.Wake(this);
                else if (vcpu.WakeTime != long.MaxValue && word.Host == Index)
                    timers.Set(index, vcpu.WakeTime);
            }
            else if (vcpu.RealTime is not null && word is ({ Phase: VcpuPhase.Held } or { Phase: VcpuPhase.Queued, Class: SchedulingClass.Over }))
            {
                if (now < vcpu.Deadline)
                {
                    timers.Set(index, vcpu.Deadline);
                }
                else if (vcpu.TryChange(word, word.With(VcpuPhase.Running)))
                {
                    vcpu.BeginReservation(now);
                    vcpu.Release(this, now);
                }
                else
                {
                    timers.Set(index, now);
                }
            }
        }
    }
}
