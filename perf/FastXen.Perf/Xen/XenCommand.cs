using System.Globalization;
using FastXen.Perf.Measure;

namespace FastXen.Perf.Xen;

/// <summary><c>xen [--rounds N] [--no-idle] [--output FILE]</c>: what the Xen interface costs.</summary>
internal static class XenCommand
{
    /// <summary>Measures, prints, writes; returns the exit code: 1 where a bar is missed.</summary>
    public static int Run(string[] arguments)
    {
        int rounds = 3;
        bool withIdle = true;
        string output = "perf/results/xen.json";
        for (ReadOnlySpan<string> rest = arguments; !rest.IsEmpty;)
        {
            switch (rest)
            {
                case ["--rounds", var number, ..] when int.TryParse(number, CultureInfo.InvariantCulture, out rounds) && rounds > 0:
                    rest = rest[2..];
                    break;
                case ["--no-idle", ..]:
                    withIdle = false;
                    rest = rest[1..];
                    break;
                case ["--output", var file, ..]:
                    output = file;
                    rest = rest[2..];
                    break;
                default:
                    Console.Error.WriteLine("usage: xen [--rounds N] [--no-idle] [--output FILE]");
                    return 2;
            }
        }

        XenReport report = XenMeasurement.Take(rounds, withIdle);
        report.Print();
        ResultFile.Write(output, report);
        return report.Met ? 0 : 1;
    }
}
