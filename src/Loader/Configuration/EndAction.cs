namespace FastXen.Loader.Configuration;

/// <summary>What becomes of a domain whose guest has ended, as in xl's configs.</summary>
public enum EndAction
{
    /// <summary>It is gone.</summary>
    Destroy,
    /// <summary>It starts again, as at first.</summary>
    Restart,
    /// <summary>It stays as it ended, memory and registers included, to be looked at, until it is destroyed.</summary>
    Preserve,
    /// <summary>A core file is written, then it is gone.</summary>
    CoredumpDestroy,
    /// <summary>A core file is written, then it starts again.</summary>
    CoredumpRestart,
}

/// <summary>How a guest's ends are answered. Those that somebody else asked for are not answered by these.</summary>
/// <param name="OnPoweroff">It powered off, or halted all its processors.</param>
/// <param name="OnReboot">It rebooted.</param>
/// <param name="OnCrash">It crashed, or a watchdog ended it.</param>
/// <param name="CoreFile">Where core files go; each one takes the place of the last. Null where none is written.</param>
public sealed record EndActions(EndAction OnPoweroff = EndAction.Destroy, EndAction OnReboot = EndAction.Restart, EndAction OnCrash = EndAction.Destroy, string? CoreFile = null);

/// <summary>How actions are written.</summary>
internal static class EndActionNames
{
    /// <summary>In the order of <see cref="EndAction"/>.</summary>
    public static readonly string[] All = ["destroy", "restart", "preserve", "coredump-destroy", "coredump-restart"];

    /// <summary>As it is written.</summary>
    public static string Spelled(this EndAction action) => All[(int)action];
}
