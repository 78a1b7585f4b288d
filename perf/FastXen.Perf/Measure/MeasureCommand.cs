namespace FastXen.Perf.Measure;

/// <summary>What <c>measure</c> is asked for.</summary>
/// <param name="Parts">Of "code", "kernel" and "counted".</param>
/// <param name="Engines">The default engine first.</param>
/// <param name="Rounds">How many times the guest runs on the default engine.</param>
/// <param name="Gate">Whether to compare with the baseline.</param>
/// <param name="Output">The JSON file to write.</param>
internal sealed record MeasureCommand(IReadOnlySet<string> Parts, IReadOnlyList<string> Engines, int Rounds, bool Gate, string Output)
{
    private const string Baseline = "perf/baseline.json";
    private static readonly string[] AllParts = ["code", "kernel", "counted"], AllEngines = ["translator", "interpreter"];

    /// <summary>Reads the arguments, measures, writes; returns the exit code.</summary>
    public static int Run(string[] arguments)
    {
        List<string> parts = [], engines = [];
        int rounds = 5;
        bool gate = false, readme = false;
        string output = "perf/results/bench.json";
        for (int i = 0; i < arguments.Length; i++)
        {
            string Value() => i + 1 < arguments.Length ? arguments[++i] : throw new ArgumentException($"{arguments[i]} needs a value");
            try
            {
                switch (arguments[i])
                {
                    case "--code" or "--kernel" or "--counted": parts.Add(arguments[i][2..]); break;
                    case "--engine": engines.Add(Known(Value(), AllEngines)); break;
                    case "--rounds": rounds = Math.Max(2, int.Parse(Value(), System.Globalization.CultureInfo.InvariantCulture)); break;
                    case "--readme": readme = true; break;
                    case "--gate": gate = true; break;
                    case "--output": output = Value(); break;
                    default: throw new ArgumentException($"no such option: {arguments[i]}");
                }
            }
            catch (Exception wrong) when (wrong is ArgumentException or FormatException)
            {
                Console.Error.WriteLine($"{wrong.Message}\nusage: measure [--code] [--kernel] [--counted] [--engine NAME]... [--rounds N] [--gate] [--readme] [--output FILE]");
                return 2;
            }
        }
        if (readme)
        {
            foreach (string line in ReadmeTable.Of(Report.Load(output)))
                Console.WriteLine(line);
            return 0;
        }
        return new MeasureCommand((parts.Count > 0 ? parts : [.. AllParts]).ToHashSet(), [.. (engines.Count > 0 ? engines : [.. AllEngines]).Where(Runs)], rounds, gate, output).Run();
    }

    private static string Known(string name, string[] names)
        => names.Contains(name) ? name : throw new ArgumentException($"\"{name}\" is not one of {string.Join(", ", names)}");

    // An executable without the translator refuses it, with code 2.
    private static bool Runs(string engine)
    {
        (int code, string errors) = TimedRun.Try(BenchmarkGuest.Executable, BenchmarkGuest.Arguments(engine, "host", "nothing"));
        if (code == 0)
            return true;
        Console.WriteLine($"the {engine} is left out: {errors.Trim()}");
        return false;
    }

    private int Run()
    {
        if (Engines.Count == 0)
            return 1;
        Report report = new(DateTime.UtcNow, HostMachine.Now);
        Console.WriteLine($"{report.Machine.Processor}, {report.Machine.Cores} cores, load average {report.Machine.LoadAverage} at the start");
        if (Parts.Contains("code"))
        {
            report.Code = CodeMeasurement.Take(Engines, Rounds);
            if (report.Code is null)
                return 1;
            report.TranslatorOverInterpreter = CodeMeasurement.Compare(report.Code);
        }
        if (Parts.Contains("counted"))
            report.Counted = CountedMeasurement.Take(Engines[0]);
        if (Parts.Contains("kernel"))
        {
            report.Kernel = KernelMeasurement.Take(Engines, Rounds);
            report.Interruptions = InterruptionMeasurement.Take(Engines[0], Rounds);
        }
        report.LoadAverageAtEnd = HostMachine.Now.LoadAverage;
        report.Save(Output);
        Table.Print(report);
        Console.WriteLine($"in {Output}");
        return !Gate || Measure.Gate.Passes(report, Report.Load(Baseline)) ? 0 : 1;
    }
}
