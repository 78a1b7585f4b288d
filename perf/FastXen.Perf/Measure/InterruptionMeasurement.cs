namespace FastXen.Perf.Measure;

/// <summary>native/interruptions: what an interruption and the return from it cost, against a system call of the host.</summary>
internal static class InterruptionMeasurement
{
    private const string Guest = "out/guests/interruptions";

    /// <summary>Measures on one engine. The guest has taken the least of many runs itself.</summary>
    public static IReadOnlyList<PathResult> Take(string engine, int rounds)
    {
        List<double> host = [], entries = [], misses = [];
        for (int round = 0; round < rounds; round++)
        {
            host.Add(KernelMeasurement.HostPaths()["system_call"]);
            TimedRun run = TimedRun.Of(BenchmarkGuest.Executable, "run", "--kernel", Guest, "--memory", "128M", "--engine", engine);
            Dictionary<string, double> nanoseconds = run.Workloads.ToDictionary(loop => loop.Name, loop => loop.Seconds * 1e9 / Convert.ToUInt64(loop.Checksum, 16));
            entries.Add(nanoseconds["break"] - nanoseconds["loop"]);
            misses.Add(nanoseconds["miss"] - nanoseconds["purge"]);
        }

        return [Compare("break_and_rfi", entries), Compare("tlb_miss_and_rfi", misses)];

        PathResult Compare(string name, List<double> guest) =>
            new(name, Spread.Significant(guest.Min()), Spread.Significant(host.Min()), Spread.Significant(guest.Min() / host.Min()), Spread.Of(guest.Zip(host, (slow, fast) => slow / fast)), null);
    }
}
