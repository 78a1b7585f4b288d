using System.Globalization;
using System.Reflection;
using System.Runtime.InteropServices;
using FastXen.Loader.Hosting;

namespace FastXen.Control;

/// <summary>What <c>info</c> tells of the machine and of this process.</summary>
internal static class HostFacts
{
    public static HostInfo Read(Host host, string socket) => new()
    {
        Host = Environment.MachineName,
        Release = Line("/proc/sys/kernel/osrelease"),
        Machine = RuntimeInformation.OSArchitecture == Architecture.X64 ? "x86_64" : RuntimeInformation.OSArchitecture.ToString(),
        Cpus = Environment.ProcessorCount,
        TotalMemoryBytes = Kilobytes("/proc/meminfo", "MemTotal:"),
        FreeMemoryBytes = Kilobytes("/proc/meminfo", "MemAvailable:"),
        Domains = host.Domains.Count,
        DomainMemoryBytes = host.Domains.Aggregate(0UL, static (sum, domain) => sum + domain.Domain.MemoryBytes),
        MemoryLimitBytes = host.Budget.Limit,
        MemoryTakenBytes = host.Budget.Used,
        ResidentBytes = Kilobytes("/proc/self/status", "VmRSS:"),
        Threads = (int)Number("/proc/self/status", "Threads:"),
        FastxenVersion = typeof(HostFacts).Assembly.GetCustomAttribute<AssemblyInformationalVersionAttribute>()?.InformationalVersion ?? "",
        Pid = Environment.ProcessId,
        UptimeSeconds = host.Log.Now.TotalSeconds,
        Socket = socket,
    };

    private static ulong Kilobytes(string file, string field) => Number(file, field) << 10;

    private static ulong Number(string file, string field)
    {
        try
        {
            foreach (string line in File.ReadLines(file))
            {
                if (line.StartsWith(field, StringComparison.Ordinal))
                    return ulong.Parse(line[field.Length..].Trim().Split(' ')[0], CultureInfo.InvariantCulture);
            }
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            // Not every host shows its /proc.
        }
        return 0;
    }

    private static string Line(string file)
    {
        try
        {
            return File.ReadAllText(file).Trim();
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return Environment.OSVersion.VersionString;
        }
    }
}
