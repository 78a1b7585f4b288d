namespace FastXen.Perf.Measure;

/// <summary>
/// User code: native/bench as a guest, MMU on, against the same C source on the host, in turns. A workload's time is its least one,
/// so that what else the machine does disturbs little.
/// </summary>
internal static class CodeMeasurement
{
    // The host is done in a moment: more runs cost nothing.
    private const int NativeRunsPerRound = 4;
    private const double SpeedUpBar = 15;

    /// <summary>Measures; null where guest and host do not compute the same.</summary>
    public static IReadOnlyList<EngineResult>? Take(IReadOnlyList<string> engines, int rounds)
    {
        // The default engine runs in each round, the others, which are slower, in the first two.
        List<List<TimedRun>> native = [];
        Dictionary<string, List<TimedRun>> guest = engines.ToDictionary(engine => engine, _ => new List<TimedRun>());
        for (int round = 0; round < rounds; round++)
        {
            native.Add([]);
            foreach (string engine in engines.Where(engine => round < 2 || engine == engines[0]))
            {
                Native(native[round], NativeRunsPerRound / 2);
                guest[engine].Add(TimedRun.Of(BenchmarkGuest.Executable, BenchmarkGuest.Arguments(engine, "host")));
            }
            Native(native[round], NativeRunsPerRound / 2);
        }
        TimedRun counted = TimedRun.Of(BenchmarkGuest.Executable, BenchmarkGuest.Arguments(engines[0], "deterministic"));
        if (guest.Values.Concat(native).SelectMany(runs => runs).Append(counted).Any(run => !Checksums(run).SequenceEqual(Checksums(native[0][0]))))
        {
            Console.Error.WriteLine("the guest and the host computed different checksums");
            return null;
        }
        return [.. engines.Select(engine => Compare(engine, guest[engine], native, counted))];
    }

    /// <summary>The translator's speed over the interpreter's, where both were measured.</summary>
    public static SpeedUp? Compare(IReadOnlyList<EngineResult> results)
    {
        if (results.FirstOrDefault(result => result.Engine == "translator") is not { } fast || results.FirstOrDefault(result => result.Engine == "interpreter") is not { } slow)
            return null;
        Dictionary<string, double> ratios = fast.Workloads.Zip(slow.Workloads).ToDictionary(pair => pair.First.Name, pair => Math.Round(pair.Second.GuestSeconds / pair.First.GuestSeconds, 2));
        return new SpeedUp(Math.Round(Spread.GeometricMean(ratios.Values), 2), SpeedUpBar, ratios);
    }

    private static void Native(List<TimedRun> runs, int count)
    {
        for (int i = 0; i < count; i++)
            runs.Add(TimedRun.Of(BenchmarkGuest.Native));
    }

    private static IEnumerable<string> Checksums(TimedRun run) => run.Workloads.Select(workload => $"{workload.Name} {workload.Checksum}");

    private static EngineResult Compare(string engine, List<TimedRun> guest, List<List<TimedRun>> native, TimedRun counted)
    {
        int count = counted.Workloads.Count;
        // The ratio of each workload in each round alone, for the noise.
        double[][] rounds = [.. guest.Select((run, round) => Enumerable.Range(0, count).Select(k => run.Workloads[k].Seconds / native[round].Min(host => host.Workloads[k].Seconds)).ToArray())];
        List<WorkloadResult> workloads = [];
        for (int k = 0; k < count; k++)
        {
            double slow = guest.Min(run => run.Workloads[k].Seconds), fast = native.SelectMany(runs => runs).Min(run => run.Workloads[k].Seconds);
            workloads.Add(new WorkloadResult(
                counted.Workloads[k].Group, counted.Workloads[k].Name, Spread.Significant(slow), Spread.Significant(fast), Spread.Significant(slow / fast), Spread.Of(rounds.Select(round => round[k]))));
        }
        List<GroupResult> groups = [];
        foreach (string group in workloads.Select(workload => workload.Group).Distinct())
        {
            int[] members = [.. Enumerable.Range(0, count).Where(k => workloads[k].Group == group)];
            WorkloadResult worst = members.Select(k => workloads[k]).MaxBy(workload => workload.Ratio)!;
            groups.Add(new GroupResult(
                group,
                Spread.Significant(Spread.GeometricMean(members.Select(k => workloads[k].Ratio))),
                Spread.Of(rounds.Select(round => Spread.GeometricMean(members.Select(k => round[k])))),
                worst.Ratio,
                worst.Name,
                Bars.OfGroup(group)));
        }
        double speed = counted.Workloads.Sum(workload => (double)workload.Ticks) / workloads.Sum(workload => workload.GuestSeconds) / 1e6;
        return new EngineResult(engine, guest.Count, Math.Round(speed, 1), groups, workloads);
    }
}
