using System.Diagnostics;
using System.Globalization;
using System.Text.Json;

namespace FastXen.Perf.Measure;

/// <summary>A workload of one run of the benchmark, as its line says.</summary>
/// <param name="Group">"integer" or "floating" (which division belongs to).</param>
/// <param name="Name">Its name.</param>
/// <param name="Checksum">What it computed.</param>
/// <param name="Ticks">Time in units of 2.5 ns, or instruction slots where the guest's clock is deterministic.</param>
internal sealed record Workload(string Group, string Name, string Checksum, ulong Ticks);

/// <summary>One run of native/bench as a process.</summary>
/// <param name="Workloads">In the order of the run.</param>
/// <param name="SlotsPerSecond">What <c>--stats</c> told; 0 for the host's run.</param>
internal sealed record TimedRun(IReadOnlyList<Workload> Workloads, double SlotsPerSecond)
{
    /// <summary>Runs a program to its end.</summary>
    public static TimedRun Of(string program, params string[] arguments)
    {
        ProcessStartInfo start = new(program, arguments) { RedirectStandardInput = true, RedirectStandardOutput = true, RedirectStandardError = true };
        using Process process = Process.Start(start)!;
        Task<string> errors = process.StandardError.ReadToEndAsync();
        string output = process.StandardOutput.ReadToEnd();
        process.WaitForExit();
        if (process.ExitCode != 0)
            throw new InvalidOperationException($"{program} ended with code {process.ExitCode}: {errors.Result}");
        return new TimedRun([.. output.Split('\n').Select(line => line.Trim().Split(' ')).Where(words => words.Length == 4).Select(Read)], Statistic(errors.Result));
    }

    private static Workload Read(string[] words) => new(words[0], words[1], words[2], ulong.Parse(words[3][2..], NumberStyles.HexNumber, CultureInfo.InvariantCulture));

    private static double Statistic(string errors)
    {
        if (!errors.StartsWith('{'))
            return 0;
        using JsonDocument statistics = JsonDocument.Parse(errors);
        return statistics.RootElement.GetProperty("slotsPerSecond").GetDouble();
    }
}
