namespace FastXen.Perf.Measure;

/// <summary>
/// Holds a result against the baseline, engine by engine. A ratio fails when it is worse than the baseline's by more than the noise
/// of both measurements together.
/// </summary>
internal static class Gate
{
    /// <summary>Compares what both have; says what is worse, and returns whether nothing is.</summary>
    public static bool Passes(Report now, Report baseline)
    {
        if (now.Machine.Processor != baseline.Machine.Processor)
            Console.WriteLine($"gate: the baseline was taken on another processor, {baseline.Machine.Processor}");
        int compared = 0;
        List<string> worse = [];
        foreach ((EngineResult engine, EngineResult old) in Pairs(now.Code, baseline.Code, result => result.Engine))
        {
            foreach ((GroupResult group, GroupResult was) in Pairs(engine.Groups, old.Groups, group => group.Group))
                Compare($"{engine.Engine}, geometric mean of {group.Group}", group.GeometricMean, group.Noise, was.GeometricMean, was.Noise);
            foreach ((WorkloadResult workload, WorkloadResult was) in Pairs(engine.Workloads, old.Workloads, workload => workload.Name))
                Compare($"{engine.Engine}, {workload.Name}", workload.Ratio, workload.Noise, was.Ratio, was.Noise);
        }
        foreach ((KernelResult kernel, KernelResult old) in Pairs(now.Kernel, baseline.Kernel, result => result.Engine))
        {
            // One boot has no noise to tell: the default engine is booted several times.
            foreach ((PathResult path, PathResult was) in Pairs(kernel.Paths, old.Paths, path => path.Name).Where(_ => kernel.Rounds > 1 && old.Rounds > 1))
                Compare($"{kernel.Engine}, {path.Name}", path.Ratio, path.Noise, was.Ratio, was.Noise);
        }
        if (now.Counted is { } counted && baseline.Counted is { } before)
        {
            foreach ((CountedResult workload, CountedResult was) in Pairs(counted.Workloads, before.Workloads, workload => workload.Name))
            {
                foreach ((KeyValuePair<string, Count> count, KeyValuePair<string, Count> old) in Pairs(workload.Counts, was.Counts, count => count.Key).Where(pair => IsWork(pair.Now.Key)))
                    Compare($"{counted.Engine}, {count.Key} of {workload.Name}", count.Value.Value, count.Value.Noise + CountTolerance, old.Value.Value, old.Value.Noise);
            }
        }
        // Of these counts more is worse; others describe. Both engines retire the same slots.
        bool IsWork(string count) => count is CountedMeasurement.RetiredSlots
            || (count is CountedMeasurement.HostInstructions or CountedMeasurement.ValgrindInstructions && now.Counted?.Engine == baseline.Counted?.Engine);

        foreach (string line in worse)
            Console.WriteLine($"gate: {line}");
        if (compared == 0)
            Console.WriteLine("gate: the baseline has nothing of what was measured");
        else
            Console.WriteLine($"gate: {compared} numbers compared with the baseline, {worse.Count} worse");
        return compared > 0 && worse.Count == 0;

        void Compare(string what, double value, double noise, double was, double noiseWas)
        {
            compared++;
            double limit = was * (1 + noise + noiseWas);
            if (value > limit)
                worse.Add($"{what}: {value:G6}, the baseline has {was:G6} and allows {limit:G6}");
        }
    }

    /// <summary>What a count may grow by, beyond the difference of two runs: counts have almost no noise, but small changes are not regressions.</summary>
    private const double CountTolerance = 0.02;

    private static IEnumerable<(T Now, T Before)> Pairs<T>(IEnumerable<T>? now, IEnumerable<T>? before, Func<T, string> key)
        => now is null || before is null ? [] : now.Join(before, key, key, (a, b) => (a, b));
}
