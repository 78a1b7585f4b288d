using System.Globalization;
using FastXen.Perf.Measure;

namespace FastXen.Perf.Scheduling;

/// <summary><c>scheduler [--seconds N] [--output FILE]</c>.</summary>
internal static class SchedulerCommand
{
    /// <summary>Measures, prints, writes; returns the exit code.</summary>
    public static int Run(string[] arguments)
    {
        double seconds = 10;
        string output = "perf/results/scheduler.json";
        for (int i = 0; i < arguments.Length; i += 2)
        {
            if (arguments.Length > i + 1 && arguments[i] == "--seconds" && double.TryParse(arguments[i + 1], CultureInfo.InvariantCulture, out seconds) && seconds > 0)
                continue;
            if (arguments.Length > i + 1 && arguments[i] == "--output")
            {
                output = arguments[i + 1];
                continue;
            }

            Console.Error.WriteLine($"not understood: {string.Join(' ', arguments.Skip(i))}\nusage: scheduler [--seconds N] [--output FILE]");
            return 2;
        }

        SchedulerReport report = new SchedulerMeasurement(seconds).Take();
        report.Print();
        ResultFile.Write(output, report);
        return 0;
    }
}
