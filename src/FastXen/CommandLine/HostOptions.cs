using System.Globalization;
using FastXen.Commands;
using FastXen.Loader;
using FastXen.Loader.Configuration;
using FastXen.Smp;

namespace FastXen.CommandLine;

/// <summary>Reads options of <c>run</c> and <c>serve</c> that have units.</summary>
internal static class HostOptions
{
    private const double Longest = 86_400;

    /// <summary>A grace time in seconds.</summary>
    public static TimeSpan Grace(string? text) => text is null ? HostSession.DefaultGrace : TimeSpan.FromSeconds(Seconds(text, "--grace"));

    /// <summary>A number of host threads; null where the option is absent.</summary>
    public static int? Threads(string? text)
    {
        if (text is null) return null;
        return int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out int threads) && threads is >= 1 and <= Scheduler.MaximumHostThreads
            ? threads
            : throw new ConfigException("command line", $"--host-threads: expected a number from 1 to {Scheduler.MaximumHostThreads}, found \"{text}\"");
    }

    /// <summary>The memory that all domains may have together; null where the option is absent.</summary>
    public static ulong? Memory(string? text)
    {
        if (text is null) return null;
        return MemorySize.TryParse(text, out ulong bytes) && bytes >= 1 << 20
            ? bytes
            : throw new ConfigException("command line", $"--memory-limit: expected a size such as \"8G\", found \"{text}\"");
    }

    /// <summary>Seconds, such as <c>2.5</c>.</summary>
    public static double Seconds(string text, string option) =>
        double.TryParse(text, NumberStyles.AllowDecimalPoint, CultureInfo.InvariantCulture, out double seconds) && seconds is >= 0 and <= Longest
            ? seconds
            : throw new ConfigException("command line", $"{option}: expected seconds from 0 to {Longest}, found \"{text}\"");
}
