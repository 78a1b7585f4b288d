using FastXen.Events;

namespace FastXen.Smp;

/// <content>What traces tell of the scheduler's decisions. The methods are called behind a test of <see cref="Tracing"/>.</content>
public sealed partial class ScheduledVcpu
{
    // Before it is queued: it may run at once.
    private void TraceWake(int host, SchedulingClass priority) => FastXenEventSource.Log.Wake(Work.Number.Domain, Work.Number.Vcpu, host, (int)priority);

    private void TraceSchedule(long waited) =>
        FastXenEventSource.Log.Schedule(Work.Number.Domain, Work.Number.Vcpu, Word.Host, (int)Word.Class, (ulong)waited);

    internal void TraceSteal(int thief, int victim) => FastXenEventSource.Log.Steal(Work.Number.Domain, Work.Number.Vcpu, thief, victim);

    internal void TracePreempt(int host, SchedulingClass by) => FastXenEventSource.Log.Preempt(Work.Number.Domain, Work.Number.Vcpu, host, (int)by);

    internal void TraceCredit(long credit) =>
        FastXenEventSource.Log.Credit(Work.Number.Domain, Work.Number.Vcpu, (int)Word.Class, (int)Math.Clamp(credit / 1000, int.MinValue, int.MaxValue));
}
