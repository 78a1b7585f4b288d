namespace FastXen.Smp;

/// <summary>Where a scheduled vCPU is.</summary>
public enum VcpuPhase
{
    /// <summary>Not (or no longer) of a scheduler.</summary>
    Detached,
    /// <summary>Waits for an event; costs nothing.</summary>
    Blocked,
    /// <summary>Could run, but is paused, or parked because its domain reached its cap or it used up its reservation.</summary>
    Held,
    /// <summary>Waits for its turn in the queue of a host thread.</summary>
    Queued,
    /// <summary>Belongs to a host thread, which runs it.</summary>
    Running,
    /// <summary>Stopped for good, or until <see cref="ScheduledVcpu.Restart"/>.</summary>
    Stopped,
}
