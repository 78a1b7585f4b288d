using FastXen.Events;

namespace FastXen.Smp.Credit;

/// <summary>
/// Divides the time that the host threads had since the last accounting among the active vCPUs, as credits: by weight, no domain more than its
/// cap or than it can use. Done every slice (30 ms) by whichever host thread gets there first. Credits are nanoseconds of run time.
/// </summary>
internal sealed class Accounting(Scheduler scheduler)
{
    // After a long sleep of everybody no more than this is divided.
    private const int MostSlices = 32;

    // Xen keeps no more than one slice of credits or debts. Here the host may stop a thread in the middle of its slice: its vCPU has more than its slice, and
    // the others wait for longer, which evens out only if it is remembered.
    private const int MostSlicesKept = 8;

    private long next, last;
    private int busy;
    private int parked;
    private int watcher = -1;
    private long reserved;
    private long balance;

    /// <summary>A vCPU was parked because its domain has reached its cap.</summary>
    public void Parked() => Interlocked.Increment(ref parked);

    /// <summary>One is no longer.</summary>
    public void Unparked() => Interlocked.Decrement(ref parked);

    /// <summary>Vcpus with reservations ran for this long.</summary>
    public void Reserved(long nanoseconds) => Interlocked.Add(ref reserved, nanoseconds);

    /// <summary>Begins the time that will be divided.</summary>
    public void Begin(long now)
    {
        last = now;
        Volatile.Write(ref next, (now / scheduler.SliceNanoseconds + 1) * scheduler.SliceNanoseconds);
    }

    /// <summary>
    /// A host thread becomes idle: until when it may sleep. While vCPUs are parked one idle thread looks after the accounting; those that run do so anyway.
    /// </summary>
    public long Enter(int host)
        => Volatile.Read(ref parked) > 0 && Interlocked.CompareExchange(ref watcher, host, -1) is var present && (present == -1 || present == host)
            ? Volatile.Read(ref next) : long.MaxValue;

    /// <summary>A host thread is not idle any more.</summary>
    public void Leave(int host)
    {
        if (Volatile.Read(ref watcher) == host)
            Interlocked.CompareExchange(ref watcher, -1, host);
    }

    /// <summary>Does the accounting when it is time and no other thread does.</summary>
    public void RunIfDue(long now)
    {
        if (now < Volatile.Read(ref next) || Interlocked.Exchange(ref busy, 1) != 0)
            return;
        if (now >= next)
        {
            Divide(Math.Min(now - last, MostSlices * scheduler.SliceNanoseconds));
            Begin(now);
        }

        Volatile.Write(ref busy, 0);
    }

    private void Divide(long elapsed)
    {
        SchedulerDomain[] domains = scheduler.ActiveDomains;
        long total = Math.Max(elapsed * scheduler.HostThreadCount - Interlocked.Exchange(ref reserved, 0), 0);
        // What was used beyond what was given converges to nothing.
        long owed = Math.Max(-balance, 0);
        total += owed;
        long weights = 0;
        foreach (SchedulerDomain domain in domains)
        {
            domain.CountActive();
            weights += (long)domain.Credit.Weight * domain.ActiveVcpus;
        }

        if (weights == 0)
        {
            balance = 0;
            return;
        }

        // Those whose share is more than they can use get what they can use; the rest is divided again among the others.
        for (bool again = true; again;)
        {
            again = false;
            foreach (SchedulerDomain domain in domains)
            {
                if (domain.Settled)
                    continue;
                long weight = (long)domain.Credit.Weight * domain.ActiveVcpus;
                long peak = domain.ActiveVcpus * elapsed + Share(owed, weight, weights);
                if (domain.Credit.Cap > 0)
                    peak = Math.Min(peak, elapsed * domain.Credit.Cap / 100);
                if (Share(total, weight, weights) <= peak)
                    continue;
                domain.Settle(peak);
                total -= peak;
                weights -= weight;
                again = true;
            }
        }

        balance = 0;
        foreach (SchedulerDomain domain in domains)
        {
            if (!domain.Settled)
                domain.Settle(Share(total, (long)domain.Credit.Weight * domain.ActiveVcpus, weights));
            foreach (ScheduledVcpu vcpu in domain.VcpuArray)
            {
                if (vcpu.IsActive)
                    Give(vcpu, domain.Grant / Math.Max(domain.ActiveVcpus, 1));
            }
        }
    }

    private static long Share(long total, long weight, long weights) => weights == 0 ? 0 : (long)((Int128)total * weight / weights);

    private void Give(ScheduledVcpu vcpu, long grant)
    {
        long most = MostSlicesKept * scheduler.SliceNanoseconds;
        long credit = Interlocked.Add(ref vcpu.Credit, grant);
        if (credit < -most)
            credit = Interlocked.Add(ref vcpu.Credit, -most - credit);
        ScheduleWord word = vcpu.Word;
        if (credit < 0)
        {
            if (word.Class is SchedulingClass.Under or SchedulingClass.Boost)
                vcpu.SetClass(SchedulingClass.Over);
        }
        else
        {
            if (word.Class == SchedulingClass.Over)
                vcpu.SetClass(SchedulingClass.Under);
            if (word.Has(ScheduleWord.Parked))
            {
                Unparked();
                vcpu.Unhold(ScheduleWord.Parked);
            }

            // One that does not use what it gets stops earning, and begins again with a little in hand. One that waits for its turn is not to blame.
            if ((word.Phase is VcpuPhase.Blocked or VcpuPhase.Stopped || word.Pauses > 0) && credit > scheduler.SliceNanoseconds)
            {
                vcpu.IsActive = false;
                credit = Interlocked.Add(ref vcpu.Credit, -(credit / 2));
            }
            else if (credit > most)
            {
                credit = Interlocked.Add(ref vcpu.Credit, most - credit);
            }
        }

        balance += credit;
        if (Tracing.Credits)
            vcpu.TraceCredit(credit);
    }
}
