using System.Globalization;

namespace FastXen.Perf.Measure;

/// <summary>The tables of README.md, made of a result.</summary>
internal static class ReadmeTable
{
    /// <summary>In Markdown, with a column for each engine.</summary>
    public static IEnumerable<string> Of(Report report)
    {
        IReadOnlyList<EngineResult> engines = report.Code ?? [];
        if (engines.Count > 0)
        {
            yield return Row("user code (`native/bench`)", engines.Select(engine => engine.Engine));
            yield return Row("---", engines.Select(_ => "---"));
            foreach ((string group, string title) in new[] { ("integer", "integer"), ("floating", "floating point and 64-bit division") })
            {
                WorkloadResult[][] members = [.. engines.Select(engine => engine.Workloads.Where(workload => workload.Group == group).OrderBy(workload => workload.Ratio).ToArray())];
                yield return Row($"{title}, geometric mean of {members[0].Length} programs", engines.Select(engine => Number(engine.Groups.First(result => result.Group == group).GeometricMean)));
                yield return Row("... best, worst", members.Select(list => $"{Number(list[0].Ratio)} (`{list[0].Name}`), {Number(list[^1].Ratio)} (`{list[^1].Name}`)"));
            }
            yield return Row("million instruction slots a second", engines.Select(engine => Number(engine.MillionSlotsPerSecond)));
            yield return "";
        }
        IReadOnlyList<KernelResult> kernels = report.Kernel ?? [];
        if (kernels.Count > 0)
        {
            yield return Row("the kit's Linux against the host's (`native/kernelpaths`)", kernels.Select(kernel => kernel.Engine));
            yield return Row("---", kernels.Select(_ => "---"));
            for (int path = 0; path < kernels[0].Paths.Count; path++)
                yield return Row(kernels[0].Paths[path].Name.Replace('_', ' '), kernels.Select(kernel => Number(kernel.Paths[path].Ratio)));
            yield return Row("from kernel entry to `Run /init`", kernels.Select(kernel => Number(kernel.KernelToInitSeconds) + " s"));
            yield return Row("`/tests/run`", kernels.Select(kernel => Number(kernel.TestsSeconds) + " s"));
            yield return Row("the process's memory beyond guest RAM, after all of it", kernels.Select(kernel => Number(kernel.OverheadMebibytes) + " MiB"));
        }
    }

    private static string Row(string title, IEnumerable<string> cells) => $"| {title} | {string.Join(" | ", cells)} |";

    private static string Number(double value) => value.ToString(value >= 10 ? "F0" : "F1", CultureInfo.InvariantCulture);
}
