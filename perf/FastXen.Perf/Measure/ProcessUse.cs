using System.Globalization;

namespace FastXen.Perf.Measure;

/// <summary>What a process uses of the host, as /proc tells. Memory in KiB.</summary>
internal static class ProcessUse
{
    /// <summary>What is resident now.</summary>
    public static double Resident(int process) => Status(process, "VmRSS:");

    /// <summary>The most that was resident at a time.</summary>
    public static double MostResident(int process) => Status(process, "VmHWM:");

    /// <summary>Its threads.</summary>
    public static int Threads(int process) => (int)Status(process, "Threads:");

    /// <summary>What is resident of guests' RAM, which is a mapping of its very size for each.</summary>
    public static double ResidentRam(int process, long kibibytes)
    {
        double ram = 0, size = 0;
        foreach (string line in File.ReadLines($"/proc/{process}/smaps"))
        {
            if (line.StartsWith("Size:", StringComparison.Ordinal))
                size = Number(line);
            else if (line.StartsWith("Rss:", StringComparison.Ordinal) && size == kibibytes)
                ram += Number(line);
        }
        return ram;
    }

    /// <summary>Seconds that its present threads were on a processor.</summary>
    public static double ProcessorSeconds(int process)
    {
        double sum = 0;
        foreach (string thread in Directory.EnumerateDirectories($"/proc/{process}/task"))
        {
            try
            {
                sum += double.Parse(File.ReadAllText($"{thread}/schedstat").Split(' ')[0], CultureInfo.InvariantCulture) / 1e9;
            }
            catch (IOException)
            {
                // It has ended since.
            }
        }
        return sum;
    }

    private static double Status(int process, string field) => Number(File.ReadLines($"/proc/{process}/status").First(line => line.StartsWith(field, StringComparison.Ordinal)));

    private static double Number(string line) => double.Parse(line.Split(':')[1].Replace("kB", "", StringComparison.Ordinal), CultureInfo.InvariantCulture);
}
