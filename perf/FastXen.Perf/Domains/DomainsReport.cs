using System.Globalization;
using FastXen.Perf.Measure;

namespace FastXen.Perf.Domains;

/// <summary>What many idle domains cost.</summary>
/// <param name="MeasuredAt">When.</param>
/// <param name="Machine">Where.</param>
/// <param name="Domains">How many there were; their guest wakes up once a second.</param>
/// <param name="ProcessorPercent">What the process used of one processor, the least of some windows; bar: 2.</param>
/// <param name="MostProcessorPercent">The same of the worst window.</param>
/// <param name="TouchedMebibytes">Resident RAM of a domain's guest.</param>
/// <param name="OverheadMebibytes">What another domain adds to the process beyond that; bar: 4.</param>
/// <param name="FirstMebibytes">The process with one domain.</param>
/// <param name="Threads">Threads of the process.</param>
/// <param name="FirstThreads">Of the one with one domain.</param>
internal sealed record DomainsReport(
    DateTime MeasuredAt, HostMachine Machine, int Domains, double ProcessorPercent, double MostProcessorPercent, double TouchedMebibytes, double OverheadMebibytes, double FirstMebibytes,
    int Threads, int FirstThreads)
{
    /// <summary>All bars.</summary>
    public bool Met => ProcessorPercent < 2 && OverheadMebibytes < 4;

    public void Print()
    {
        Console.WriteLine($"{Machine.Processor}, {Machine.Cores} cores, load average {Machine.LoadAverage}");
        Line($"  {Domains} idle domains: {ProcessorPercent:F2} % of a processor (worst window {MostProcessorPercent:F2}), bar 2: {Verdict(ProcessorPercent < 2)}");
        Line($"  each {OverheadMebibytes:F2} MiB beyond the {TouchedMebibytes:F2} MiB of RAM that it touched, bar 4: {Verdict(OverheadMebibytes < 4)}; a process with one: {FirstMebibytes:F1} MiB");
        Line($"  {Threads} threads; with one domain {FirstThreads}");
    }

    private static void Line(FormattableString text) => Console.WriteLine(text.ToString(CultureInfo.InvariantCulture));

    private static string Verdict(bool met) => met ? "met" : "missed";
}
