using FastXen.Events;

namespace FastXen.Smp;

/// <content>What running costs. Only its owner charges a vCPU; accounting adds to the credits of all.</content>
public sealed partial class ScheduledVcpu
{
    private long chargedAt, deadline, budget;

    internal RealTimeParameters? RealTime => Domain.RealTime;

    internal long RunNanoseconds { get; private set; }

    internal long WaitNanoseconds { get; private set; }

    internal long SwitchCount { get; private set; }

    internal long WakeCount => shared.Wakes;

    internal long PreemptionCount { get; set; }

    internal long YieldCount { get; set; }

    internal long MigrationCount { get; private set; }

    /// <summary>End of the present period of a vCPU with a reservation: its deadline.</summary>
    internal long Deadline => Volatile.Read(ref deadline);

    internal ref long Credit => ref shared.Credit;

    /// <summary>Takes part in accounting: it has used a noticeable amount of time lately.</summary>
    internal bool IsActive
    {
        get => Volatile.Read(ref shared.Active) != 0;
        set => Volatile.Write(ref shared.Active, value ? 1 : 0);
    }

    /// <summary>A host thread begins to run it.</summary>
    internal void Begin(long now)
    {
        long waited = Math.Max(now - shared.QueuedAt, 0);
        WaitNanoseconds += waited;
        if (shared.IsWoken)
            WakeLatency.Add(waited);
        shared.IsWoken = false;
        SwitchCount++;
        if (Tracing.Scheduling)
            TraceSchedule(waited);
        chargedAt = now;
        if (RealTime is not null && now >= deadline)
            BeginReservation(now);
    }

    /// <summary>Charges it for the time since the last charge.</summary>
    internal long Charge(long now)
    {
        long ran = Math.Max(now - chargedAt, 0), tick = scheduler.TickNanoseconds;
        bool ticked = now / tick != chargedAt / tick;
        chargedAt = now;
        RunNanoseconds += ran;
        if (RealTime is not null)
        {
            ChargeReservation(ran, now);
            return ran;
        }

        long credit = Interlocked.Add(ref shared.Credit, -ran);
        // A tick that finds it running ends its boost and makes it count, as Xen's does; so does a debt.
        if (ticked && Word.Class == SchedulingClass.Boost)
            SetClass(SchedulingClass.Under);
        if ((ticked || credit < 0) && !IsActive)
            IsActive = true;
        if (Domain.CapShare is var cap and > 0 && credit <= -cap)
        {
            HoldOwned(ScheduleWord.Parked);
            scheduler.Accounting.Parked();
        }

        return ran;
    }

    /// <summary>When the credits of a capped domain, or the reservation, will be used up if it runs from now on.</summary>
    internal long RunsUntil(long now)
    {
        if (RealTime is not null)
            return Word.Class == SchedulingClass.RealTime ? Math.Min(now + budget, deadline) : deadline;
        return Domain.CapShare is var cap and > 0 ? now + Math.Max(Volatile.Read(ref shared.Credit) + cap, 0) : long.MaxValue;
    }

    /// <summary>Sets when it wakes by itself, before it blocks; returns when the host thread must look after it.</summary>
    internal long PrepareToBlock()
    {
        WakeTime = Work.WakeAt ?? long.MaxValue;
        return HasUsedReservation ? Math.Min(WakeTime, deadline) : WakeTime;
    }

    /// <summary>Whether it waits for its next period, or runs in extra time until then.</summary>
    internal bool HasUsedReservation => RealTime is not null && budget <= 0;

    /// <summary>Forgets reservation and boost, when its domain's parameters change. Only while it is paused.</summary>
    internal void ForgetReservation()
    {
        Volatile.Write(ref deadline, 0);
        budget = 0;
        for (; ; )
        {
            ScheduleWord word = Word;
            if (TryChange(word, word.With(RealTime is null ? SchedulingClass.Under : SchedulingClass.RealTime).Without(ScheduleWord.Depleted)))
                return;
        }
    }

    // Its owner: a new period where the last is over (one that was asleep begins its period now), else what is left of it.
    internal void BeginReservation(long now)
    {
        if (RealTime is not { } reservation)
            return;
        if (now >= deadline)
        {
            long next = deadline + reservation.PeriodNanoseconds;
            Volatile.Write(ref deadline, next > now ? next : now + reservation.PeriodNanoseconds);
            budget = reservation.SliceNanoseconds;
        }

        if (budget > 0)
        {
            SetClass(SchedulingClass.RealTime);
            ScheduleWord word;
            do
            {
                word = Word;
            }
            while (word.Has(ScheduleWord.Depleted) && !TryChange(word, word.Without(ScheduleWord.Depleted)));
        }
        else if (reservation.ExtraTime)
        {
            SetClass(SchedulingClass.Over);
        }
        else
        {
            HoldOwned(ScheduleWord.Depleted);
        }
    }

    private void ChargeReservation(long ran, long now)
    {
        if (Word.Class == SchedulingClass.RealTime)
            scheduler.Accounting.Reserved(ran);
        budget -= ran;
        if (now >= deadline || budget <= 0)
            BeginReservation(now);
    }
}
