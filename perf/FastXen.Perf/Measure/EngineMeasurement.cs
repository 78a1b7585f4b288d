using System.Text.Json;

namespace FastXen.Perf.Measure;

/// <summary>The least times of a workload on the guest and on the host.</summary>
internal sealed record Comparison(string Name, double GuestSeconds, double NativeSeconds, double Ratio, ulong GuestSlots, double MillionSlotsPerSecond);

/// <summary>All that perf/results/bench.json tells.</summary>
internal sealed record Report(DateTime Taken, HostMachine Machine, int Runs, string Engine, double MillionSlotsPerSecond, double GeometricMeanRatio, IReadOnlyList<Comparison> Workloads);

/// <summary>
/// The engine's speed: native/bench as a guest, MMU on, against the same C program on the host, in turns. A workload's time is its
/// least one, so that what else the machine does disturbs little.
/// </summary>
internal static class EngineMeasurement
{
    private const int Runs = 3;
    // The host is done in a moment: more runs cost nothing.
    private const int NativeRunsPerRun = 4;
    private const double TicksPerSecond = 400e6;
    private static readonly string[] Guest = ["run", "--kernel", "out/guests/bench", "--memory", "128M", "--stats", "--clock"];
    private static readonly JsonSerializerOptions Format = new() { WriteIndented = true, PropertyNamingPolicy = JsonNamingPolicy.CamelCase };

    /// <summary>Measures; the argument, if there is one, names the JSON file.</summary>
    public static int Run(string[] arguments)
    {
        string output = arguments is [var named] ? named : "perf/results/bench.json";
        HostMachine machine = HostMachine.Now;
        List<TimedRun> guest = [], native = [];
        for (int run = 0; run < Runs; run++)
        {
            guest.Add(TimedRun.Of("out/fastxen", [.. Guest, "host"]));
            for (int k = 0; k < NativeRunsPerRun; k++)
                native.Add(TimedRun.Of("out/bench.native"));
        }
        TimedRun counted = TimedRun.Of("out/fastxen", [.. Guest, "deterministic"]);
        if (guest.Concat(native).Append(counted).Any(run => !Checksums(run).SequenceEqual(Checksums(native[0]))))
        {
            Console.Error.WriteLine("the guest and the host computed different checksums");
            return 1;
        }
        Report report = Compare(machine, guest, native, counted);
        Print(report);
        Directory.CreateDirectory(Path.GetDirectoryName(Path.GetFullPath(output))!);
        File.WriteAllText(output, JsonSerializer.Serialize(report, Format) + "\n");
        Console.WriteLine($"in {output}");
        return 0;
    }

    private static IEnumerable<string> Checksums(TimedRun run) => run.Workloads.Select(workload => $"{workload.Name} {workload.Checksum}");

    private static Report Compare(HostMachine machine, List<TimedRun> guest, List<TimedRun> native, TimedRun counted)
    {
        List<Comparison> workloads = [];
        for (int k = 0; k < native[0].Workloads.Count; k++)
        {
            double slow = guest.Min(run => run.Workloads[k].Ticks) / TicksPerSecond, fast = native.Min(run => run.Workloads[k].Ticks) / TicksPerSecond;
            ulong slots = counted.Workloads[k].Ticks;
            workloads.Add(new Comparison(
                counted.Workloads[k].Name, Math.Round(slow, 4), Math.Round(fast, 6), Math.Round(slow / fast, 1), slots, Math.Round(slots / slow / 1e6, 1)));
        }
        double mean = Math.Exp(workloads.Average(workload => Math.Log(workload.Ratio)));
        double speed = guest.Max(run => run.SlotsPerSecond) / 1e6;
        return new Report(DateTime.UtcNow, machine, Runs, "interpreter", Math.Round(speed, 1), Math.Round(mean, 1), workloads);
    }

    private static void Print(Report report)
    {
        Console.WriteLine($"{report.Machine.Processor}, {report.Machine.Cores} cores, load average {report.Machine.LoadAverage} at the start");
        Console.WriteLine("workload      guest s     native s    ratio   million slots   a second");
        foreach (Comparison line in report.Workloads)
            Console.WriteLine($"{line.Name,-10}{line.GuestSeconds,11:F3}{line.NativeSeconds,13:F5}{line.Ratio,9:F1}{line.GuestSlots / 1e6,16:F1}{line.MillionSlotsPerSecond,11:F1}");
        Console.WriteLine($"geometric mean of the ratios {report.GeometricMeanRatio:F1}; {report.MillionSlotsPerSecond:F1} million guest instructions (slots) a second");
    }
}
