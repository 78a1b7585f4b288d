namespace FastXen.Perf.Measure;

/// <summary>
/// Work that is counted instead of timed, so that a busy machine changes nothing: what <c>--stats</c> tells of each workload alone
/// under the deterministic clock, and the instructions that the host executed in user mode, where it lets them be counted.
/// </summary>
internal static class CountedMeasurement
{
    /// <summary>The counter of the host's instructions.</summary>
    public const string HostInstructions = "hostInstructions";

    // Times, which are not counts.
    private static readonly string[] Timed = ["seconds", "slotsPerSecond"];

    /// <summary>Counts each workload twice.</summary>
    public static CountedReport Take(string engine)
    {
        using HostInstructionCounter? counter = HostInstructionCounter.Open();
        if (counter is null)
            Console.WriteLine("this host does not let its instructions be counted: the statistics of the engine only");
        string[] names = [.. TimedRun.Of("out/bench.native").Workloads.Select(workload => workload.Name)];
        return new CountedReport(engine, [.. names.Select(name => Take(engine, name, counter))]);
    }

    private static CountedResult Take(string engine, string name, HostInstructionCounter? counter)
    {
        List<TimedRun> runs = [];
        Dictionary<string, List<double>> values = [];
        for (int run = 0; run < 2; run++)
        {
            ulong before = counter?.Read() ?? 0;
            runs.Add(TimedRun.Of(BenchmarkGuest.Executable, BenchmarkGuest.Arguments(engine, "deterministic", name)));
            foreach ((string statistic, double value) in runs[run].Statistics.Where(pair => !Timed.Contains(pair.Key)))
                Add(statistic, value);
            if (counter is not null)
                Add(HostInstructions, counter.Read() - before);
        }
        return new CountedResult(name, runs[0].Workloads[0].Ticks, values.ToDictionary(pair => pair.Key, pair => new Count(pair.Value.Min(), Spread.Of(pair.Value))));

        void Add(string statistic, double value)
        {
            if (!values.TryGetValue(statistic, out List<double>? list))
                values[statistic] = list = [];
            list.Add(value);
        }
    }
}
