using System.Diagnostics.Tracing;

namespace FastXen.Events;

// Which vCPU has which host thread, and why.
public sealed partial class FastXenEventSource
{
    /// <summary>A vCPU begins to run on a host thread (the managed thread's number).</summary>
    [Event(10, Keywords = Keywords.Scheduling, Level = EventLevel.Informational)]
    public void SwitchIn(int domain, int vcpu, int thread) => Write(10, 0b111, [(uint)domain, (uint)vcpu, (uint)thread]);

    /// <summary>
    /// A vCPU left its host thread: Stopped, Blocked (PAL_HALT_LIGHT), Preempted, Yielded (it spins), Limit (the turn of a deterministic vCPU is over).
    /// <paramref name="slots"/>: instruction slots that it retired.
    /// </summary>
    [Event(11, Keywords = Keywords.Scheduling, Level = EventLevel.Informational)]
    public void SwitchOut(int domain, int vcpu, int thread, ulong slots, string reason) =>
        Write(11, 0b0111, [(uint)domain, (uint)vcpu, (uint)thread, slots], reason);

    /// <summary>
    /// A blocked vCPU became runnable and is put into a host thread's queue. Here and below, <paramref name="thread"/> is the scheduler's number of a host
    /// thread, and priorities are 0 real time, 1 BOOST, 2 UNDER, 3 OVER.
    /// </summary>
    [Event(12, Keywords = Keywords.Scheduling, Level = EventLevel.Informational)]
    public void Wake(int domain, int vcpu, int thread, int priority) => Write(12, 0b1111, [(uint)domain, (uint)vcpu, (uint)thread, (uint)priority]);

    /// <summary>A host thread with nothing better to do took a vCPU from the queue of the <paramref name="victim"/>.</summary>
    [Event(13, Keywords = Keywords.Scheduling, Level = EventLevel.Informational)]
    public void Steal(int domain, int vcpu, int thread, int victim) => Write(13, 0b1111, [(uint)domain, (uint)vcpu, (uint)thread, (uint)victim]);

    /// <summary>A running vCPU is asked to leave for one of <paramref name="priority"/>.</summary>
    [Event(14, Keywords = Keywords.Scheduling, Level = EventLevel.Informational)]
    public void Preempt(int domain, int vcpu, int thread, int priority) => Write(14, 0b1111, [(uint)domain, (uint)vcpu, (uint)thread, (uint)priority]);

    /// <summary>The scheduler gave a vCPU its share; <paramref name="credit"/>: microseconds that it has now, negative when it owes.</summary>
    [Event(15, Keywords = Keywords.Scheduling, Level = EventLevel.Verbose)]
    public void Credit(int domain, int vcpu, int priority, int credit) => Write(15, 0b1111, [(uint)domain, (uint)vcpu, (uint)priority, (uint)credit]);

    /// <summary>The scheduler chose a vCPU for a host thread. <paramref name="waited"/>: for its turn, since it was queued.</summary>
    [Event(16, Keywords = Keywords.Scheduling, Level = EventLevel.Informational)]
    public void Schedule(int domain, int vcpu, int thread, int priority, ulong waited) =>
        Write(16, 0b01111, [(uint)domain, (uint)vcpu, (uint)thread, (uint)priority, waited]);
}
