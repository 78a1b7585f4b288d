using System.Globalization;
using FastXen.Perf.Measure;

namespace FastXen.Perf.Xen;

/// <summary>An operation of a paravirtualized guest against what it is compared with.</summary>
/// <param name="Name">Its name.</param>
/// <param name="Unit">"ns" or "MiB/s".</param>
/// <param name="Guest">The guest's best.</param>
/// <param name="Reference">What it is compared with.</param>
/// <param name="ReferenceValue">The best of that, in the same unit.</param>
/// <param name="Ratio">The first over the second.</param>
/// <param name="Noise">Of the ratios of the rounds (perf/README.md).</param>
/// <param name="Bar">The most that the ratio may be, of a speed the least; null: only reported.</param>
internal sealed record XenNumber(string Name, string Unit, double Guest, string Reference, double ReferenceValue, double Ratio, double Noise, double? Bar)
{
    /// <summary>True where it meets its bar or has none.</summary>
    public bool Met => Bar is not { } bar || (Unit == "ns" ? Ratio <= bar : Ratio >= bar);
}

/// <summary>Many domains of the small kernel that wait at their prompts.</summary>
/// <param name="Domains">How many.</param>
/// <param name="MemoryMebibytes">What each was given.</param>
/// <param name="Booted">Those that came to their prompt.</param>
/// <param name="BootSeconds">From the start of the process until all had.</param>
/// <param name="ProcessorPercent">What the process then uses of one processor, the least of some windows.</param>
/// <param name="MebibytesEach">The process's resident memory over the domains, their RAM included.</param>
/// <param name="Threads">Threads of the process.</param>
internal sealed record IdleXenDomains(int Domains, int MemoryMebibytes, int Booted, double BootSeconds, double ProcessorPercent, double MebibytesEach, int Threads)
{
    /// <summary>All are up.</summary>
    public bool Met => Booted == Domains;
}

/// <summary>What the Xen interface costs.</summary>
/// <param name="MeasuredAt">When.</param>
/// <param name="Machine">Where.</param>
/// <param name="Rounds">Of guest and host in turns.</param>
/// <param name="Numbers">The operations.</param>
/// <param name="Missing">Operations that the guest did not measure.</param>
/// <param name="Idle">Many domains; null where they were not started.</param>
internal sealed record XenReport(DateTime MeasuredAt, HostMachine Machine, int Rounds, IReadOnlyList<XenNumber> Numbers, IReadOnlyList<string> Missing, IdleXenDomains? Idle)
{
    /// <summary>All bars.</summary>
    public bool Met => Numbers.All(static number => number.Met) && Missing.Count == 0 && Idle is null or { Met: true };

    public void Print()
    {
        Line($"{Machine.Processor}, {Machine.Cores} cores, load average {Machine.LoadAverage}");
        Line($"  {"operation",-22}{"guest",12}{"reference",12}        {"ratio",8}{"noise",9}");
        foreach (XenNumber n in Numbers)
        {
            Line($"  {n.Name,-22}{n.Guest,12:F1}{n.ReferenceValue,12:F1} {n.Unit,-7}{n.Ratio,8:F3}{n.Noise,9:P1}  {n.Reference}{(n.Bar is { } bar ? $"; bar {bar}: {(n.Met ? "met" : "missed")}" : "")}");
        }
        foreach (string name in Missing)
            Line($"  {name}: the guest did not come to it");
        if (Idle is { } idle)
        {
            Line($"  {idle.Booted} of {idle.Domains} domUs with {idle.MemoryMebibytes} MiB at their prompts after {idle.BootSeconds:F1} s: {(idle.Met ? "met" : "missed")}");
            Line($"  {idle.ProcessorPercent:F2} % of a processor while they idle, {idle.MebibytesEach:F2} MiB each, {idle.Threads} threads");
        }
    }

    private static void Line(FormattableString text) => Console.WriteLine(text.ToString(CultureInfo.InvariantCulture));
}
