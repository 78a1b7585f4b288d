using System.Globalization;
using FastXen.Perf.Measure;

namespace FastXen.Perf.Tracing;

/// <summary><c>tracing UNTRACED [--output FILE]</c>: what tracing costs, counted where that is short, and timed by turns.</summary>
internal static class TracingCommand
{
    private const int Rounds = 7;

    private static readonly string[] Recording = ["--trace", "/dev/null", "--trace-keywords", "exits,hypercalls"];

    /// <summary>Measures, prints, writes; returns the exit code: 1 where tracing exits and hypercalls costs 5% or more, beyond noise.</summary>
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

        List<TracingResult> results = [];
        Add(Count("bench", untraced, Command("--kernel", "out/guests/bench", "--memory", "128M", "--cmdline", "short")));
        Add(Time("bench", untraced, Command("--kernel", "out/guests/bench", "--memory", "128M")));
        string kit = Environment.GetEnvironmentVariable("FASTXEN_KIT") ?? "../shared/kit";
        if (File.Exists($"{kit}/vmlinux.gz"))
            Add(Time("linux", untraced, Command("--kernel", $"{kit}/vmlinux.gz", "--initrd", $"{kit}/initramfs.cpio.gz", "--memory", "256M", "--cmdline", "console=ttyS0 kit.run=/bin/true")));
        ResultFile.Write(rest is [_, var file] ? file : "perf/results/tracing.json", results);
        return results.TrueForAll(static result => result.OnShare - result.Noise < 0.05) ? 0 : 1;

        void Add(TracingResult result)
        {
            results.Add(result);
            Console.WriteLine(string.Create(
                CultureInfo.InvariantCulture,
                $"{result.Guest,-6}{result.Without,16:G10} {result.Unit,-13}without emit sites; off {result.OffShare:+0.000%;-0.000%} (noise {result.Noise:0.000%}), exits and hypercalls on {result.OnShare:+0.00%;-0.00%}"));
        }
    }

    private static string[] Command(params string[] guest) => ["run", .. guest, "--clock", "deterministic", "--console", "/dev/null"];

    private static TracingResult Count(string guest, string untraced, string[] run)
    {
        double off = ValgrindRun.Instructions(BenchmarkGuest.Executable, run), again = ValgrindRun.Instructions(BenchmarkGuest.Executable, run);
        return new TracingResult(
            guest, "instructions", ValgrindRun.Instructions(untraced, run), off, ValgrindRun.InstructionsOfBusyThreads(BenchmarkGuest.Executable, [.. run, .. Recording]), Math.Abs(again / off - 1));
    }

    // In turns, so that what disturbs the machine disturbs all three.
    private static TracingResult Time(string guest, string untraced, string[] run)
    {
        List<double> without = [], off = [], on = [];
        for (int round = 0; round < Rounds; round++)
        {
            without.Add(ChildProcessorTime.Of(untraced, run));
            off.Add(ChildProcessorTime.Of(BenchmarkGuest.Executable, run));
            on.Add(ChildProcessorTime.Of(BenchmarkGuest.Executable, [.. run, .. Recording]));
        }
        return new TracingResult(guest, "seconds", without.Min(), off.Min(), on.Min(), Math.Max(Spread.Of(without), Spread.Of(off)));
    }
}
