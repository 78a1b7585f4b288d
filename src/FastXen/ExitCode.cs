namespace FastXen;

/// <summary>What the process's exit code says.</summary>
public static class ExitCode
{
    /// <summary>The command did what it was asked; for <c>run</c>: the guest powered off.</summary>
    public const int Success = 0;

    /// <summary>The domain crashed, a comparison failed, or the user left.</summary>
    public const int Failure = 1;

    /// <summary>A bad option, config or image.</summary>
    public const int BadInput = 2;

    /// <summary>A signal ended the process: its number is added, as shells do.</summary>
    public const int Signal = 128;
}
