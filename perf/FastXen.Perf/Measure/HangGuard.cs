using System.Diagnostics;

namespace FastXen.Perf.Measure;

/// <summary>Ends a process that hangs, so that a measurement ends, too.</summary>
internal static class HangGuard
{
    // Far more than anything takes.
    private static readonly TimeSpan Time = TimeSpan.FromMinutes(20);

    /// <summary>Guards a process until the guard is disposed of.</summary>
    public static Timer Over(Process process) => new(_ => process.Kill(), null, Time, Timeout.InfiniteTimeSpan);
}
