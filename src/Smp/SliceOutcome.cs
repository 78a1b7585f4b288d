namespace FastXen.Smp;

/// <summary>Why <see cref="ISchedulable.RunSlice"/> returned.</summary>
public enum SliceOutcome
{
    /// <summary>It may run on at once: it was asked to come out, or its time is over.</summary>
    Preempted,
    /// <summary>It waits, and nothing is requested.</summary>
    Blocked,
    /// <summary>It may run on at once, but others should run first.</summary>
    Yielded,
    /// <summary>For good, or until <see cref="ScheduledVcpu.Restart"/>.</summary>
    Stopped,
}
