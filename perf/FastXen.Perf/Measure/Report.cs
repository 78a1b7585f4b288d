using System.Text.Json;

namespace FastXen.Perf.Measure;

/// <summary>What issue 3 asks for; a bar that nobody set is null.</summary>
internal sealed record Bars(double Mean, double Worst)
{
    /// <summary>The bars of a group of workloads.</summary>
    public static Bars OfGroup(string group) => group == "integer" ? new Bars(4, 8) : new Bars(5, 10);
}

/// <summary>A workload on one engine: the least times of guest and host, and what they make.</summary>
/// <param name="Group">Its group.</param>
/// <param name="Name">Its name.</param>
/// <param name="GuestSeconds">Least time of the guest.</param>
/// <param name="NativeSeconds">Least time of the same source on the host.</param>
/// <param name="Ratio">Their ratio.</param>
/// <param name="Noise">How much the ratios of single rounds differ: see <see cref="Spread"/>.</param>
internal sealed record WorkloadResult(string Group, string Name, double GuestSeconds, double NativeSeconds, double Ratio, double Noise);

/// <summary>The workloads of a group together.</summary>
internal sealed record GroupResult(string Group, double GeometricMean, double Noise, double Worst, string WorstName, Bars Bars);

/// <summary>User code on one engine.</summary>
internal sealed record EngineResult(string Engine, int Rounds, double MillionSlotsPerSecond, IReadOnlyList<GroupResult> Groups, IReadOnlyList<WorkloadResult> Workloads);

/// <summary>How many times faster the translator is than the interpreter.</summary>
internal sealed record SpeedUp(double GeometricMean, double Bar, IReadOnlyDictionary<string, double> Workloads);

/// <summary>A path of the kernel: an operation's least time on the guest's Linux and on the host's.</summary>
internal sealed record PathResult(string Name, double GuestNanoseconds, double HostNanoseconds, double Ratio, double Noise, double? Bar);

/// <summary>The kit's Linux on one engine. Times in seconds, the least of the rounds; memory in MiB, the most.</summary>
/// <param name="Engine">The engine.</param>
/// <param name="Rounds">How many boots.</param>
/// <param name="Paths">Kernel paths.</param>
/// <param name="KernelToInitSeconds">The kernel's own clock as it prints "Run /init".</param>
/// <param name="StartToInitSeconds">From the start of the process to that line.</param>
/// <param name="StartToUpSeconds">From the start of the process to the line that ends the kit's boot scripts.</param>
/// <param name="TestsSeconds">Duration of <c>/tests/run</c>.</param>
/// <param name="TestsVerdict">What it said at its end.</param>
/// <param name="OverheadMebibytes">The process's greatest resident memory beyond guest RAM, after all that.</param>
internal sealed record KernelResult(
    string Engine,
    int Rounds,
    IReadOnlyList<PathResult> Paths,
    double KernelToInitSeconds,
    double StartToInitSeconds,
    double StartToUpSeconds,
    double TestsSeconds,
    string TestsVerdict,
    double OverheadMebibytes);

/// <summary>Work that is counted, not timed, of a workload under the deterministic clock.</summary>
/// <param name="Name">The workload.</param>
/// <param name="Slots">Instruction slots of the workload alone.</param>
/// <param name="Counts">Of the whole run: each counter, by name.</param>
internal sealed record CountedResult(string Name, ulong Slots, IReadOnlyDictionary<string, Count> Counts);

/// <summary>A counter: the least of two runs, and how much they differ.</summary>
internal readonly record struct Count(double Value, double Noise);

/// <summary>Counted work on one engine.</summary>
internal sealed record CountedReport(string Engine, IReadOnlyList<CountedResult> Workloads);

/// <summary>All that perf/results/bench.json tells. Parts that were not measured are null.</summary>
internal sealed record Report(DateTime Taken, HostMachine Machine)
{
    private static readonly JsonSerializerOptions Format = new()
    {
        WriteIndented = true,
        PropertyNamingPolicy = JsonNamingPolicy.CamelCase,
        DefaultIgnoreCondition = System.Text.Json.Serialization.JsonIgnoreCondition.WhenWritingNull,
    };

    /// <summary>Load average as the measurement ended.</summary>
    public double LoadAverageAtEnd { get; set; }

    /// <summary>User code, by engine; the default engine first.</summary>
    public IReadOnlyList<EngineResult>? Code { get; set; }

    /// <summary>Where both engines ran.</summary>
    public SpeedUp? TranslatorOverInterpreter { get; set; }

    /// <summary>The kit's Linux, by engine.</summary>
    public IReadOnlyList<KernelResult>? Kernel { get; set; }

    /// <summary>Interruptions and their ends, on the default engine, over a system call of the host.</summary>
    public IReadOnlyList<PathResult>? Interruptions { get; set; }

    /// <summary>Counted work, on the default engine.</summary>
    public CountedReport? Counted { get; set; }

    /// <summary>Reads a result.</summary>
    public static Report Load(string path) => JsonSerializer.Deserialize<Report>(File.ReadAllText(path), Format) ?? throw new InvalidDataException($"{path} is empty");

    /// <summary>Writes this result.</summary>
    public void Save(string path)
    {
        Directory.CreateDirectory(Path.GetDirectoryName(Path.GetFullPath(path))!);
        File.WriteAllText(path, JsonSerializer.Serialize(this, Format) + "\n");
    }
}
