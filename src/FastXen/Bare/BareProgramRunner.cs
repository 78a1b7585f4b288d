using FastXen.Core;

namespace FastXen.Bare;

/// <summary><c>fastxen exec</c>: runs bare programs, one JSON object a line.</summary>
public static class BareProgramRunner
{
    /// <summary>Name of standard input in messages.</summary>
    private const string StandardInput = "standard input";

    /// <summary>Runs the programs of a file, or of <paramref name="input"/> where it is null, and prints the state in which each ended.</summary>
    /// <returns>The exit code: 0; 2 where a program cannot be read (those before it have run).</returns>
    public static int Run(string? file, string engine, TextReader input, TextWriter output, TextWriter error)
    {
        // Programs end after a number of bundles, which only the interpreter counts.
        if (BareEngine.Find(engine, [EngineKind.Interpreter], error) is null)
            return ExitCode.BadInput;
        try
        {
            ProcessorImage reset = BareMachine.ResetState();
            if (file is null)
                JsonLines.Read(StandardInput, input, RunLine);
            else
                JsonLines.Read(file, RunLine);
            void RunLine(JsonField line) => output.WriteLine(RunProgram(BareProgram.Read(line, reset)));
            return ExitCode.Success;
        }
        catch (BareFormatException e)
        {
            error.WriteLine($"fastxen: {e.Message}");
            return ExitCode.BadInput;
        }
    }

    private static string RunProgram(BareProgram program)
    {
        // A new machine for each: its memory is zero, and no program sees what another left.
        using var machine = new BareMachine();
        foreach ((ulong address, byte[] bytes) in program.Memory)
            machine.Write(address, bytes);
        machine.Load(program.Initial, mapped: false);
        (bool reached, ulong steps) = machine.Run(program.Stops, program.Maximum);
        return BareStateWriter.Write(program.Id, machine.Capture(), reached, steps);
    }
}
