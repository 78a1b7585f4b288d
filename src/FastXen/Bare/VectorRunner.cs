using FastXen.Core;

namespace FastXen.Bare;

/// <summary>What became of a file of vectors.</summary>
/// <param name="Family">The file's name without extensions.</param>
/// <param name="Passed">Cases that ended as they should.</param>
/// <param name="Failures">Ids of the others, with the first difference of each.</param>
public sealed record VectorReport(string Family, int Passed, IReadOnlyList<(string Id, string Difference)> Failures);

/// <summary><c>fastxen vectors</c>: runs files of instruction vectors.</summary>
public static class VectorRunner
{
    /// <summary>Bundles after which a case is given up.</summary>
    private const ulong StepLimit = 2000;

    /// <summary>
    /// Runs the files and prints a line for each: passed, failed, the ids that failed. The first difference of each failed
    /// case goes to <paramref name="error"/>.
    /// </summary>
    /// <returns>The exit code: 0; 1 where a case failed; 2 where a file cannot be read.</returns>
    public static int Run(IReadOnlyList<string> files, string engine, TextWriter output, TextWriter error)
    {
        if (BareEngine.Find(engine, [EngineKind.Interpreter, EngineKind.Translator], error) is not { } kind)
            return ExitCode.BadInput;
        int exit = ExitCode.Success;
        try
        {
            foreach (string file in files)
            {
                VectorReport report = RunFile(file, kind);
                output.WriteLine(Summary(report));
                foreach ((string id, string difference) in report.Failures)
                    error.WriteLine($"{id}: {difference}");
                if (report.Failures.Count != 0)
                    exit = ExitCode.Failure;
            }
        }
        catch (BareFormatException e)
        {
            error.WriteLine($"fastxen: {e.Message}");
            return ExitCode.BadInput;
        }
        return exit;
    }

    /// <summary>Runs all cases of a file.</summary>
    public static VectorReport RunFile(string file, EngineKind engine)
    {
        int passed = 0;
        List<(string, string)> failures = [];
        using var machine = new BareMachine(engine);
        VectorFile.Read(file, vector =>
        {
            if (RunCase(machine, vector) is { } difference)
                failures.Add((vector.Id, difference));
            else
                passed++;
        });
        return new VectorReport(VectorFile.Family(file), passed, failures);
    }

    private static string? RunCase(BareMachine machine, VectorCase vector)
    {
        machine.Load(vector.Before, mapped: true);
        machine.Write(vector.Before.Ip, vector.Code);
        machine.Write(VectorFile.DataAddress, vector.DataBefore);
        (bool reached, ulong steps) = machine.Run(vector.Stops, StepLimit);
        ProcessorImage after = machine.Capture();
        return reached
            ? VectorComparison.Difference(vector, after, machine.Memory(VectorFile.DataAddress, VectorFile.DataSize))
            : $"reached no stop in {steps} bundles, the last of them before 0x{after.Ip:x}";
    }

    private static string Summary(VectorReport report)
    {
        string line = $"{report.Family}: {report.Passed} passed, {report.Failures.Count} failed";
        return report.Failures.Count == 0 ? line : $"{line}: {string.Join(' ', report.Failures.Select(failure => failure.Id))}";
    }
}
