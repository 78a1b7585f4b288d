using System.Globalization;

namespace FastXen.Perf.Measure;

/// <summary>A run under valgrind, which counts the instructions of a process on any machine, some twenty times slower.</summary>
internal static class ValgrindRun
{
    private const string Total = "Total instructions:";

    // Translated code is in a mapping of a file (a memfd), which valgrind takes for code that does not change if it is not told.
    private static readonly string[] Options = ["--tool=exp-bbv", "--instr-count-only=yes", "--bb-out-file=/dev/null", "--smc-check=all"];

    // Threads in turn: or a busy vCPU keeps those of a trace from running.
    private static readonly string[] Fair = ["--fair-sched=yes"];

    /// <summary>Whether valgrind is on the path.</summary>
    public static bool IsInstalled { get; } = (Environment.GetEnvironmentVariable("PATH") ?? "").Split(':').Any(directory => File.Exists(Path.Combine(directory, "valgrind")));

    /// <summary>The instructions of all threads of a program.</summary>
    public static double Instructions(string program, params string[] arguments) => Count([program, .. arguments]);

    /// <summary>The same of a program whose threads must all get on: slower, and with more noise.</summary>
    public static double InstructionsOfBusyThreads(string program, params string[] arguments) => Count([.. Fair, program, .. arguments]);

    private static double Count(string[] command)
    {
        (int code, string errors) = TimedRun.Try("valgrind", [.. Options, .. command]);
        double[] threads =
        [
            .. errors.Split('\n').Where(line => line.Contains(Total, StringComparison.Ordinal))
                .Select(line => double.Parse(line[(line.IndexOf(Total, StringComparison.Ordinal) + Total.Length)..], CultureInfo.InvariantCulture)),
        ];
        return code == 0 && threads.Length > 0 ? threads.Sum() : throw new InvalidOperationException($"{string.Join(' ', command)} under valgrind ended with code {code}: {errors}");
    }
}
