namespace FastXen.Perf.Measure;

/// <summary>native/bench as a guest.</summary>
internal static class BenchmarkGuest
{
    /// <summary>The executable under measurement.</summary>
    public const string Executable = "out/fastxen";

    /// <summary>The same programs for the host.</summary>
    public const string Native = "out/bench.native";

    /// <summary>The arguments of a run; without workloads, all run.</summary>
    public static string[] Arguments(string engine, string clock, params string[] workloads)
        => ["run", "--kernel", "out/guests/bench", "--memory", "128M", "--stats", "--engine", engine, "--clock", clock, .. workloads.Length > 0 ? ["--cmdline", string.Join(' ', workloads)] : Array.Empty<string>()];
}
