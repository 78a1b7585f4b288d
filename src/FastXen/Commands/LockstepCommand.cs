using System.Runtime.InteropServices;
using FastXen.Core.Lockstep;
using FastXen.Diagnostics;
using FastXen.Loader;
using FastXen.Loader.Configuration;
using FastXen.Platform.Uart;

namespace FastXen.Commands;

/// <summary><c>fastxen run --lockstep</c>: the console's output, and the first difference.</summary>
internal sealed class LockstepCommand : ICharacterBackend
{
    private readonly Stream _output = Console.OpenStandardOutput();

    public static int Run(GuestConfig config, string? inputFile)
    {
        byte[] input = [];
        try
        {
            if (inputFile is not null) input = File.ReadAllBytes(inputFile);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new ImageException(inputFile!, $"cannot be read: {e.Message}", e);
        }

        LockstepDifference.DescribeTranslation = CodeDump.Describe;
        using LockstepDomain domain = new(config, new LockstepCommand(), input);
        using var signal = PosixSignalRegistration.Create(PosixSignal.SIGINT, context =>
        {
            context.Cancel = true;
            domain.RequestStop();
        });
        LockstepDifference? difference = domain.Run();
        Console.Error.WriteLine(difference is null
            ? $"fastxen: {config.Name}: the engines agree over {domain.Agreed} instructions"
            : $"fastxen: {config.Name}: {difference.Report()}");
        return difference is null ? ExitCode.Success : ExitCode.Failure;
    }

    /// <inheritdoc/>
    public void Write(ReadOnlySpan<byte> bytes)
    {
        try
        {
            _output.Write(bytes);
            _output.Flush();
        }
        catch (IOException)
        {
            // The reader went away; the comparison is what counts.
        }
    }

    /// <inheritdoc/>
    public void Connect(ICharacterInput input)
    {
    }
}
