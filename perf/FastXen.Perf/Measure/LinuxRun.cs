using System.Diagnostics;
using System.Globalization;

namespace FastXen.Perf.Measure;

/// <summary>One boot of the kit's Linux that runs native/kernelpaths and the kit's tests. Times in seconds.</summary>
internal sealed record LinuxRun(
    IReadOnlyDictionary<string, double> Paths, double KernelToInit, double StartToInit, double StartToUp, double Tests, string TestsVerdict, double OverheadMebibytes)
{
    private const string Memory = "1G";
    private const int LastLines = 40;
    private const long MemoryKibibytes = 1 << 20;

    /// <summary>Boots, runs, powers off.</summary>
    public static LinuxRun Of(string engine, string kernel, string initramfs, string program)
    {
        string[] arguments = ["run", "--kernel", kernel, "--initrd", initramfs, "--memory", Memory, "--engine", engine, "--cmdline", $"console=ttyS0 kit.run={program}"];
        Stopwatch clock = Stopwatch.StartNew();
        using Process process = Process.Start(new ProcessStartInfo(BenchmarkGuest.Executable, arguments) { RedirectStandardInput = true, RedirectStandardOutput = true, RedirectStandardError = true })!;
        process.StandardInput.Close();
        using Timer guard = HangGuard.Over(process);
        Task<string> errors = process.StandardError.ReadToEndAsync();
        Dictionary<string, double> paths = [];
        double kernelToInit = 0, startToInit = 0, startToUp = 0, testsBegin = 0, tests = 0, overhead = 0;
        string verdict = "";
        Queue<string> last = [];
        while (process.StandardOutput.ReadLine() is { } line)
        {
            last.Enqueue(line);
            if (last.Count > LastLines)
                last.Dequeue();
            double time = clock.Elapsed.TotalSeconds;
            if (ReadPath(line) is (string name, double nanoseconds))
                paths.Add(name, nanoseconds);
            else if (line.Contains("Run /init", StringComparison.Ordinal))
                (startToInit, kernelToInit) = (time, double.Parse(line.TrimStart('[', ' ').Split(']')[0], CultureInfo.InvariantCulture));
            else if (line.StartsWith("kit: up", StringComparison.Ordinal))
                startToUp = time;
            else if (line.StartsWith("tests begin", StringComparison.Ordinal))
                testsBegin = time;
            // Without a verdict that counts: one of the tests asks for twenty signals of a timer before time() shows the next second.
            else if (line.StartsWith("kit-tests: ", StringComparison.Ordinal))
                (tests, verdict, overhead) = (time - testsBegin, line[11..].Trim(), (ProcessUse.MostResident(process.Id) - ProcessUse.ResidentRam(process.Id, MemoryKibibytes)) / 1024);
            else if (line.Contains("Kernel panic", StringComparison.Ordinal))
                process.Kill();
        }
        process.WaitForExit();
        if (process.ExitCode != 0 || tests == 0)
            throw new InvalidOperationException($"the kit's Linux did not get to the end of its tests (code {process.ExitCode}): {errors.Result}\n{string.Join('\n', last)}");
        return new LinuxRun(paths, kernelToInit, startToInit, startToUp, tests, verdict, overhead);
    }

    /// <summary>The name and the nanoseconds of a line of native/kernelpaths; null for other lines.</summary>
    public static (string Name, double Nanoseconds)? ReadPath(string line)
        => line.TrimEnd().Split(' ') is ["path", string name, string picoseconds] ? (name, double.Parse(picoseconds, CultureInfo.InvariantCulture) / 1000) : null;
}
