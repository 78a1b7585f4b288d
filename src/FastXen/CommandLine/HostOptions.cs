using System.Globalization;
using FastXen.Commands;
using FastXen.Loader;

namespace FastXen.CommandLine;

/// <summary>Reads options of <c>run</c> and <c>serve</c> that have units.</summary>
internal static class HostOptions
{
    private const double Longest = 86_400;

    /// <summary>A grace time in seconds.</summary>
    public static TimeSpan Grace(string? text) => text is null ? HostSession.DefaultGrace : TimeSpan.FromSeconds(Seconds(text));

    /// <summary>Seconds, such as <c>2.5</c>.</summary>
    public static double Seconds(string text) =>
        double.TryParse(text, NumberStyles.AllowDecimalPoint, CultureInfo.InvariantCulture, out double seconds) && seconds is >= 0 and <= Longest
            ? seconds
            : throw new ConfigException("command line", $"--grace: expected seconds from 0 to {Longest}, found \"{text}\"");
}
