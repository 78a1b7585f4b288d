namespace FastXen.Perf.Measure;

/// <summary>
/// Work that is counted instead of timed, so that a busy machine changes nothing: what <c>--stats</c> tells of the short form of each
/// workload alone, under the deterministic clock, and the instructions that the host executed for it in user mode.
/// </summary>
internal static class CountedMeasurement
{
    /// <summary>The host's instructions, as its processor counts them.</summary>
    public const string HostInstructions = "hostInstructions";

    /// <summary>The host's instructions, as valgrind counts them.</summary>
    public const string ValgrindInstructions = "valgrindInstructions";

    /// <summary>The guest's instruction slots, which are the same on all engines.</summary>
    public const string RetiredSlots = "retiredSlots";

    // Times, which are not counts.
    private static readonly string[] Timed = ["seconds", "slotsPerSecond"];

    /// <summary>Counts each workload twice (valgrind, which is slow and exact: once).</summary>
    public static CountedReport Take(string engine)
    {
        using HostInstructionCounter? counter = HostInstructionCounter.Open();
        if (counter is null)
            Console.WriteLine("this host does not let a process count instructions");
        if (!ValgrindRun.IsInstalled)
            Console.WriteLine("valgrind is not installed");
        string[] names = [.. TimedRun.Of(BenchmarkGuest.Native, "short").Workloads.Select(workload => workload.Name)];
        return new CountedReport(engine, [.. names.Select(name => Take(engine, name, counter))]);
    }

    private static CountedResult Take(string engine, string name, HostInstructionCounter? counter)
    {
        string[] arguments = BenchmarkGuest.Arguments(engine, "deterministic", "short", name);
        List<TimedRun> runs = [];
        Dictionary<string, List<double>> values = [];
        for (int run = 0; run < 2; run++)
        {
            ulong before = counter?.Read() ?? 0;
            runs.Add(TimedRun.Of(BenchmarkGuest.Executable, arguments));
            foreach ((string statistic, double value) in runs[run].Statistics.Where(pair => !Timed.Contains(pair.Key)))
                Add(statistic, value);
            if (counter is not null)
                Add(HostInstructions, counter.Read() - before);
        }
        if (ValgrindRun.IsInstalled)
            Add(ValgrindInstructions, ValgrindRun.Instructions(BenchmarkGuest.Executable, arguments));
        return new CountedResult(name, runs[0].Workloads[0].Ticks, values.ToDictionary(pair => pair.Key, pair => new Count(pair.Value.Min(), Spread.Of(pair.Value))));

        void Add(string statistic, double value)
        {
            if (!values.TryGetValue(statistic, out List<double>? list))
                values[statistic] = list = [];
            list.Add(value);
        }
    }
}
