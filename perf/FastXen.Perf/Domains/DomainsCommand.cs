using FastXen.Perf.Measure;

namespace FastXen.Perf.Domains;

/// <summary><c>domains [--output FILE]</c>: what many idle domains cost.</summary>
internal static class DomainsCommand
{
    /// <summary>Measures, prints, writes; returns the exit code: 1 where a bar is missed.</summary>
    public static int Run(string[] arguments)
    {
        if (arguments is not ([] or ["--output", _]))
        {
            Console.Error.WriteLine("usage: domains [--output FILE]");
            return 2;
        }

        DomainsReport report = DomainsMeasurement.Take();
        report.Print();
        ResultFile.Write(arguments is [_, var file] ? file : "perf/results/domains.json", report);
        return report.Met ? 0 : 1;
    }
}
