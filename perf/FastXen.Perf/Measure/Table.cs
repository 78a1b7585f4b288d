namespace FastXen.Perf.Measure;

/// <summary>A result as text.</summary>
internal static class Table
{
    /// <summary>Prints all parts that were measured.</summary>
    public static void Print(Report report)
    {
        foreach (EngineResult engine in report.Code ?? [])
        {
            Console.WriteLine($"\n{engine.Engine}, {engine.Rounds} rounds, {engine.MillionSlotsPerSecond:F1} million slots a second");
            Console.WriteLine("  workload      guest ms   native ms    ratio    noise");
            foreach (WorkloadResult line in engine.Workloads)
                Console.WriteLine($"  {line.Name,-10}{line.GuestSeconds * 1e3,12:F2}{line.NativeSeconds * 1e3,12:F3}{line.Ratio,9:F2}{line.Noise,9:P1}");
            foreach (GroupResult group in engine.Groups)
            {
                Console.WriteLine(
                    $"  {group.Group}: geometric mean {group.GeometricMean:F2} (noise {group.Noise:P1}), bar {group.Bars.Mean}: {Verdict(group.GeometricMean, group.Bars.Mean)}; "
                    + $"worst {group.Worst:F2} ({group.WorstName}), bar {group.Bars.Worst}: {Verdict(group.Worst, group.Bars.Worst)}");
            }
        }
        if (report.TranslatorOverInterpreter is { } gain)
            Console.WriteLine($"\nthe translator is {gain.GeometricMean:F1} times as fast as the interpreter (geometric mean), bar {gain.Bar}: {(gain.GeometricMean >= gain.Bar ? "met" : "missed")}");
        foreach (KernelResult kernel in report.Kernel ?? [])
        {
            Console.WriteLine($"\nthe kit's Linux, {kernel.Engine}, {kernel.Rounds} rounds");
            Console.WriteLine("  path               guest ns     host ns    ratio    noise");
            foreach (PathResult path in kernel.Paths)
                Print(path);
            Console.WriteLine($"  Run /init at {kernel.KernelToInitSeconds:F2} s of the kernel's clock, {kernel.StartToInitSeconds:F2} s after the start of the process; scripts done at {kernel.StartToUpSeconds:F2} s");
            Console.WriteLine($"  /tests/run {kernel.TestsSeconds:F1} s ({kernel.TestsVerdict}); memory beyond guest RAM {kernel.OverheadMebibytes:F0} MiB");
        }
        if (report.Interruptions is { } interruptions)
        {
            Console.WriteLine("\ninterruptions, over a system call of the host");
            foreach (PathResult path in interruptions)
                Print(path);
        }
        if (report.Counted is { } counted)
        {
            Console.WriteLine($"\ncounted, {counted.Engine}");
            foreach (CountedResult line in counted.Workloads)
                Console.WriteLine($"  {line.Name,-10}{line.Slots,12} slots; {string.Join(", ", line.Counts.Select(pair => $"{pair.Key} {pair.Value.Value:G10}"))}");
        }
        Console.WriteLine();
    }

    private static void Print(PathResult path) =>
        Console.WriteLine($"  {path.Name,-16}{path.GuestNanoseconds,11:F0}{path.HostNanoseconds,12:F0}{path.Ratio,9:F2}{path.Noise,9:P1}{(path.Bar is { } bar ? $"  bar {bar}: {Verdict(path.Ratio, bar)}" : "")}");

    private static string Verdict(double value, double bar) => value <= bar ? "met" : "missed";
}
