namespace FastXen.Perf.Measure;

/// <summary>
/// The kit's Linux: native/kernelpaths in the guest against the same program on the host's own Linux, in turns, and how long a boot
/// and the kit's tests take.
/// </summary>
internal static class KernelMeasurement
{
    private const string GuestProgram = "out/kernelpaths.guest", HostProgram = "out/kernelpaths.native";
    private static readonly Dictionary<string, double> Bars = new()
    {
        ["system_call"] = 8,
        ["page_fault"] = 10,
        ["pipe_round_trip"] = 8,
        ["fork_exec_wait"] = 6,
        ["signal_delivery"] = 8,
    };

    /// <summary>Measures; null where there is no kit.</summary>
    public static IReadOnlyList<KernelResult>? Take(IReadOnlyList<string> engines, int rounds)
    {
        string kit = Environment.GetEnvironmentVariable("FASTXEN_KIT") is { Length: > 0 } named ? named : "../shared/kit";
        string kernel = Path.Combine(kit, "vmlinux.gz");
        if (!File.Exists(kernel) || !File.Exists(GuestProgram))
        {
            Console.WriteLine("no guest kit: the kit's Linux is left out");
            return null;
        }
        InitramfsArchive archive = new();
        archive.AddDirectory("bench");
        archive.AddExecutable("bench/kernelpaths", File.ReadAllBytes(GuestProgram));
        // The pause leaves time to look at the process's memory.
        archive.AddExecutable("bench/run", "#!/bin/sh\n/bench/kernelpaths && echo tests begin && { /tests/run; sleep 1; }\n"u8.ToArray());
        string initramfs = Path.GetTempFileName();
        try
        {
            archive.WriteAfter(Path.Combine(kit, "initramfs.cpio.gz"), initramfs);
            // A boot takes long: fewer rounds than for user code, and one only for the engines that are not the default.
            return [.. engines.Select((engine, k) => Take(engine, k == 0 ? Math.Max(2, (rounds + 1) / 2) : 1, kernel, initramfs))];
        }
        finally
        {
            File.Delete(initramfs);
        }
    }

    private static KernelResult Take(string engine, int rounds, string kernel, string initramfs)
    {
        List<IReadOnlyDictionary<string, double>> host = [HostPaths()];
        List<LinuxRun> guest = [];
        for (int round = 0; round < rounds; round++)
        {
            guest.Add(LinuxRun.Of(engine, kernel, initramfs, "/bench/run"));
            host.Add(HostPaths());
        }
        return new KernelResult(
            engine,
            rounds,
            [.. host[0].Keys.Select(Compare)],
            guest.Min(run => run.KernelToInit),
            Math.Round(guest.Min(run => run.StartToInit), 3),
            Math.Round(guest.Min(run => run.StartToUp), 3),
            Math.Round(guest.Min(run => run.Tests), 3),
            string.Join("; ", guest.Select(run => run.TestsVerdict).Distinct()),
            Math.Round(guest.Max(run => run.OverheadMebibytes), 1));

        PathResult Compare(string name)
        {
            double slow = guest.Min(run => run.Paths[name]), fast = host.Min(run => run[name]);
            // A round's host time is the better of the runs before and after it.
            double noise = Spread.Of(guest.Select((run, round) => run.Paths[name] / Math.Min(host[round][name], host[round + 1][name])));
            return new PathResult(name, Spread.Significant(slow), Spread.Significant(fast), Spread.Significant(slow / fast), noise, Bars.TryGetValue(name, out double bar) ? bar : null);
        }
    }

    /// <summary>The paths on the host's own Linux: nanoseconds, by name.</summary>
    public static Dictionary<string, double> HostPaths()
    {
        using System.Diagnostics.Process process = System.Diagnostics.Process.Start(new System.Diagnostics.ProcessStartInfo(HostProgram) { RedirectStandardOutput = true })!;
        Dictionary<string, double> paths = [];
        while (process.StandardOutput.ReadLine() is { } line)
        {
            if (LinuxRun.ReadPath(line) is (string name, double nanoseconds))
                paths.Add(name, nanoseconds);
        }
        process.WaitForExit();
        return process.ExitCode == 0 ? paths : throw new InvalidOperationException($"{HostProgram} ended with code {process.ExitCode}");
    }
}
