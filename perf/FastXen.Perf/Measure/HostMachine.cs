using System.Globalization;

namespace FastXen.Perf.Measure;

/// <summary>The machine that measures.</summary>
internal sealed record HostMachine(string Processor, int Cores, string Kernel, double LoadAverage)
{
    /// <summary>As it is now.</summary>
    public static HostMachine Now => new(
        File.ReadLines("/proc/cpuinfo").First(line => line.StartsWith("model name", StringComparison.Ordinal)).Split(": ")[1],
        Environment.ProcessorCount,
        Environment.OSVersion.VersionString,
        double.Parse(File.ReadAllText("/proc/loadavg").Split(' ')[0], CultureInfo.InvariantCulture));
}
