using FastXen.Perf.Measure;

namespace FastXen.Perf.Scheduling;

/// <summary>A domain's share of the time that all got.</summary>
internal sealed record ShareResult(int Weight, double Share, double Fair, double DeviationPercent);

/// <summary>What a capped domain used, in percent of a host thread.</summary>
internal sealed record CapResult(int Cap, double Used, double DeviationPoints);

/// <summary>From a request to a waiting vCPU until it runs, in microseconds.</summary>
internal sealed record LatencyResult(string Neighbours, int Samples, double MedianMicroseconds, double P999Microseconds);

/// <summary>The time of one switch, in nanoseconds, and as a fraction of a switch between two host threads that wake each other through pipes.</summary>
internal sealed record SwitchResult(string Kind, double Nanoseconds, double OverHostThreadSwitch);

/// <summary>The scheduler's measurements.</summary>
/// <param name="MeasuredAt">When.</param>
/// <param name="Machine">Where.</param>
/// <param name="Fairness">Busy domains of weights 1:2:4; bar: 3 percent.</param>
/// <param name="Caps">Busy domains with caps on an otherwise idle scheduler; bar: 2 points.</param>
/// <param name="WakeLatency">Without and with busy neighbours.</param>
/// <param name="HostThreadSwitchNanoseconds">Half of a round trip through two pipes, both threads on one processor.</param>
/// <param name="Switches">Bar: 0.25.</param>
/// <param name="TwoDomainsOverOne">Work of two busy domains on two host threads over that of one; bar: 1.9.</param>
/// <param name="TwoProcessorsOverOne">A parallel program of a guest with two processors over the same with one; bar: 1.8.</param>
internal sealed record SchedulerReport(
    DateTime MeasuredAt,
    HostMachine Machine,
    IReadOnlyList<ShareResult> Fairness,
    IReadOnlyList<CapResult> Caps,
    IReadOnlyList<LatencyResult> WakeLatency,
    double HostThreadSwitchNanoseconds,
    IReadOnlyList<SwitchResult> Switches,
    double TwoDomainsOverOne,
    double TwoProcessorsOverOne)
{
    public void Print()
    {
        Console.WriteLine($"{Machine.Processor}, {Machine.Cores} cores, load average {Machine.LoadAverage}");
        foreach (ShareResult share in Fairness)
            Console.WriteLine($"  weight {share.Weight,4}: {share.Share:P2} of the time, fair {share.Fair:P2}, off by {share.DeviationPercent:F2} %, bar 3: {Verdict(share.DeviationPercent <= 3)}");
        foreach (CapResult cap in Caps)
            Console.WriteLine($"  cap {cap.Cap,3}: used {cap.Used:F2}, off by {cap.DeviationPoints:F2} points, bar 2: {Verdict(cap.DeviationPoints <= 2)}");
        foreach (LatencyResult latency in WakeLatency)
            Console.WriteLine($"  wake to run, {latency.Neighbours,-4} neighbours: median {latency.MedianMicroseconds:F1} us, 99.9th {latency.P999Microseconds:F0} us ({latency.Samples} samples)");
        Console.WriteLine($"  host thread switch {HostThreadSwitchNanoseconds:F0} ns");
        foreach (SwitchResult change in Switches)
            Console.WriteLine($"  vCPU switch, {change.Kind}: {change.Nanoseconds:F0} ns, {change.OverHostThreadSwitch:F3} of that, bar 0.25: {Verdict(change.OverHostThreadSwitch <= 0.25)}");
        Console.WriteLine($"  two busy domains over one: {TwoDomainsOverOne:F2} times the work, bar 1.9: {Verdict(TwoDomainsOverOne >= 1.9)}");
        Console.WriteLine($"  a parallel program with two processors over one: {TwoProcessorsOverOne:F2} times as fast, bar 1.8: {Verdict(TwoProcessorsOverOne >= 1.8)}");
    }

    private static string Verdict(bool met) => met ? "met" : "missed";
}
