using System.Globalization;
using System.Text.Json;
using FastXen.Perf.Measure;

namespace FastXen.Perf.Tracing;

/// <summary>Instructions that the whole process executes for one guest, as valgrind counts them.</summary>
/// <param name="Guest">"bench" (its short form) or "linux".</param>
/// <param name="Without">By the build without emit sites.</param>
/// <param name="Off">By the normal build, while nobody listens.</param>
/// <param name="Again">The same once more: what differs is noise.</param>
/// <param name="On">While a trace of exits and hypercalls is recorded.</param>
internal sealed record TracingResult(string Guest, double Without, double Off, double Again, double On)
{
    /// <summary>What the emit sites cost while nobody listens, as a share of all.</summary>
    public double OffShare => Off / Without - 1;

    /// <summary>How much two counts of one thing differ, as a share.</summary>
    public double Noise => Math.Abs(Again / Off - 1);

    /// <summary>What a trace of exits and hypercalls costs, as a share of all.</summary>
    public double OnShare => On / Off - 1;
}

/// <summary><c>tracing UNTRACED [--output FILE]</c>: what tracing costs, counted.</summary>
internal static class TracingCommand
{
    private static readonly JsonSerializerOptions Format = new() { WriteIndented = true, PropertyNamingPolicy = JsonNamingPolicy.CamelCase };

    /// <summary>Measures, prints, writes; returns the exit code: 1 where tracing exits and hypercalls costs 5% or more.</summary>
    public static int Run(string[] arguments)
    {
        if (arguments is not [string untraced, .. var rest] || (rest is not [] && rest is not ["--output", _]))
        {
            Console.Error.WriteLine("usage: tracing UNTRACED [--output FILE], UNTRACED being the executable without emit sites");
            return 2;
        }

        if (!ValgrindRun.IsInstalled)
        {
            Console.Error.WriteLine("valgrind is not installed: nothing can be counted");
            return 1;
        }

        List<TracingResult> results = [Take("bench", untraced, "--kernel", "out/guests/bench", "--memory", "128M", "--cmdline", "short")];
        string kit = Environment.GetEnvironmentVariable("FASTXEN_KIT") ?? "../shared/kit";
        if (File.Exists($"{kit}/vmlinux.gz"))
            results.Add(Take("linux", untraced, "--kernel", $"{kit}/vmlinux.gz", "--initrd", $"{kit}/initramfs.cpio.gz", "--memory", "256M", "--cmdline", "console=ttyS0 kit.run=/bin/true"));
        string output = rest is [_, var file] ? file : "perf/results/tracing.json";
        Directory.CreateDirectory(Path.GetDirectoryName(Path.GetFullPath(output))!);
        File.WriteAllText(output, JsonSerializer.Serialize(results, Format));
        foreach (TracingResult result in results)
            Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{result.Guest,-8}{result.Without,16:F0} instructions without emit sites; off {result.OffShare:+0.000%;-0.000%} (noise {result.Noise:0.000%}), exits and hypercalls on {result.OnShare:+0.00%;-0.00%}"));
        Console.WriteLine($"in {output}");
        return results.TrueForAll(static result => result.OnShare < 0.05) ? 0 : 1;
    }

    private static TracingResult Take(string guest, string untraced, params string[] arguments)
    {
        string[] run = ["run", .. arguments, "--clock", "deterministic", "--console", "/dev/null"];
        return new TracingResult(
            guest,
            ValgrindRun.Instructions(untraced, run),
            ValgrindRun.Instructions(BenchmarkGuest.Executable, run),
            ValgrindRun.Instructions(BenchmarkGuest.Executable, run),
            ValgrindRun.Instructions(BenchmarkGuest.Executable, [.. run, "--trace", "/dev/null", "--trace-keywords", "exits,hypercalls"]));
    }
}
