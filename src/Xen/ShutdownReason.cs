namespace FastXen.Xen;

/// <summary>Why a domain shut down (sched.h, <c>SHUTDOWN_*</c>).</summary>
public enum ShutdownReason : uint
{
    /// <summary>It powered off.</summary>
    PowerOff = 0,

    /// <summary>It wants to start again.</summary>
    Reboot = 1,

    /// <summary>It is ready to be saved.</summary>
    Suspend = 2,

    /// <summary>It crashed.</summary>
    Crash = 3,

    /// <summary>It did not feed its watchdog.</summary>
    Watchdog = 4,
}
