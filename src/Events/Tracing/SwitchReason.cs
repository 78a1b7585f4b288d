namespace FastXen.Events;

/// <summary>Why a vCPU left its host thread.</summary>
public enum SwitchReason
{
    /// <summary>It stopped.</summary>
    Stopped,
    /// <summary>It waits for an interrupt (PAL_HALT_LIGHT).</summary>
    Blocked,
    /// <summary>Its time is over, another one is more urgent, or its domain is paused.</summary>
    Preempted,
    /// <summary>It gave up the rest of its time (hint @pause).</summary>
    Yielded,
}
