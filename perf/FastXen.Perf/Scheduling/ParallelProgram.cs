using System.Diagnostics;
using System.Globalization;

namespace FastXen.Perf.Scheduling;

/// <summary>A guest's program (native/xenguest/parallel.c) that does the same work with one processor and with two, each on a host thread of its own.</summary>
internal static class ParallelProgram
{
    /// <summary>How many times faster two processors are.</summary>
    public static double SpeedUp()
    {
        ProcessStartInfo start = new("out/fastxen",
        [
            "run", "--kernel", "out/guests/xenguest", "--memory", "64M", "--vcpus", "2", "--host-threads", "2", "--cmdline", "parallel", "--socket", "none",
        ])
        {
            RedirectStandardOutput = true,
        };
        using Process process = Process.Start(start)!;
        string output = process.StandardOutput.ReadToEnd();
        process.WaitForExit();
        double[] times = [.. from line in output.Split('\n') where line.StartsWith("parallel ", StringComparison.Ordinal) select double.Parse(line.Split(' ')[2], CultureInfo.InvariantCulture)];
        return times.Length == 2 ? times[0] / times[1] : throw new InvalidOperationException($"the guest's program did not say its times:\n{output}");
    }
}
