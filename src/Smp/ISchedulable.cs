namespace FastXen.Smp;

/// <summary>
/// What a host thread can run: a vCPU, or the single driver of a deterministic domain. Resumable: any host thread may run it, one at a time.
/// </summary>
/// <remarks>
/// No wake-up is lost when both sides follow the Dekker rule: who requests something writes the request, then a full fence, then looks whether the
/// unit waits and calls <see cref="Woken"/>; the unit writes that it waits, then a full fence, then looks at the requests, and only
/// then returns <see cref="SliceOutcome.Blocked"/>.
/// </remarks>
public interface ISchedulable
{
    /// <summary>
    /// Runs until it stops, blocks, yields, is preempted, or the clock (<see cref="System.Diagnostics.Stopwatch.GetTimestamp"/>, nanoseconds on Linux) has
    /// reached <paramref name="until"/>, which is <see cref="SliceOutcome.Preempted"/>, too. An exception ends the unit, like <see cref="SliceOutcome.Stopped"/>.
    /// </summary>
    SliceOutcome RunSlice(long until);

    /// <summary>Has <see cref="RunSlice"/> return <see cref="SliceOutcome.Preempted"/> soon; where none is under way, the next one at once. Any thread; never blocks.</summary>
    void Preempt();

    /// <summary>True when a blocked unit has become runnable. Any thread.</summary>
    bool HasWork { get; }

    /// <summary>Of a blocked unit: the timestamp at which it becomes runnable by itself; null: never. Read by the thread that ran it, before it counts as blocked.</summary>
    long? WakeAt { get; }

    /// <summary>Set once by the scheduler: to be called whenever <see cref="HasWork"/> may have become true. Any thread; takes no lock and does not block.</summary>
    Action? Woken { get; set; }

    /// <summary>What traces call it: numbers of the domain, and of the vCPU in it.</summary>
    (int Domain, int Vcpu) Number => default;

    /// <summary>Set by the scheduler: others wait for this host thread, so that a unit that only spins should return <see cref="SliceOutcome.Yielded"/>. Any thread.</summary>
    bool Contended { set; }
}
