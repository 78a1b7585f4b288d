using System.Runtime.InteropServices;
using FastXen.CommandLine;
using FastXen.Core;
using FastXen.Diagnostics;
using FastXen.Loader;
using FastXen.Loader.Configuration;
using FastXen.Platform.Uart;
using FastXen.Terminal;

namespace FastXen.Commands;

/// <summary><c>fastxen run</c>.</summary>
internal sealed class RunCommand : IConsoleUser
{
    private readonly Domain _domain;
    private volatile int _signal;

    private RunCommand(Domain domain) => _domain = domain;

    public static int Run(RunOptions options)
    {
        GuestConfig config = ReadConfig(options);
        if (options.Lockstep) return LockstepCommand.Run(config, options.Input);
        if (options.Input is not null) throw new ConfigException("command line", "--input goes with --lockstep only");
        List<string> reports = [];
        using RunTrace trace = new(options);
        using RunDiagnostics diagnostics = new(options);
        using Domain domain = new(config, reports.Add) { Translator = diagnostics.Translator };
        int exit = new RunCommand(domain).Run(config);
        // After the console is gone: the terminal is the user's again.
        foreach (string report in reports) Console.Error.WriteLine($"fastxen: {config.Name}: {report}");
        diagnostics.Finish(domain);
        if (options.Statistics) Console.Error.WriteLine(domain.Statistics.ToJson());
        return exit;
    }

    /// <inheritdoc/>
    public string Status => _domain.Status;

    /// <inheritdoc/>
    public void Leave() => _domain.RequestStop();

    private int Run(GuestConfig config)
    {
        PosixSignalRegistration[] signals =
        [
            PosixSignalRegistration.Create(PosixSignal.SIGHUP, context => Stop(context, 1)),
            PosixSignalRegistration.Create(PosixSignal.SIGINT, context => Stop(context, 2)),
            PosixSignalRegistration.Create(PosixSignal.SIGQUIT, context => Stop(context, 3)),
            PosixSignalRegistration.Create(PosixSignal.SIGTERM, context => Stop(context, 15)),
        ];
        try
        {
            VcpuStop reason;
            ICharacterBackend console = OpenConsole(config.Console);
            using (console as IDisposable)
                reason = _domain.Run(console);
            return reason switch
            {
                // Power is as good as off for a guest that halted its only processor.
                VcpuStop.PowerOff or VcpuStop.Halted => ExitCode.Success,
                _ when _signal != 0 => ExitCode.Signal + _signal,
                _ => ExitCode.Failure,
            };
        }
        finally
        {
            foreach (PosixSignalRegistration signal in signals) signal.Dispose();
        }
    }

    // The first signal stops the guest, and the process ends in good order. A second one does not wait for that.
    private void Stop(PosixSignalContext context, int number)
    {
        context.Cancel = _signal == 0;
        _signal = number;
        _domain.RequestStop();
    }

    private ICharacterBackend OpenConsole(ConsoleConfig config)
    {
        switch (config.Type)
        {
            case ConsoleType.File:
                return new FileConsole(config.Path!);
            case ConsoleType.Socket:
                return new SocketConsole(config.Path!);
            case ConsoleType.Pty:
                PtyConsole pty = new();
                Console.Error.WriteLine($"fastxen: the console is {pty.Path}");
                return pty;
            default:
                return new StdioConsole(config.Escape, this);
        }
    }

    /// <summary>The config file, if there is one, with the options in the place of its fields.</summary>
    private static GuestConfig ReadConfig(RunOptions options)
    {
        Dictionary<string, string?> fields = [];
        if (options.Kernel is { } kernel) fields["kernel"] = FullPath(kernel);
        if (options.Initrd is { } initrd) fields["initrd"] = FullPath(initrd);
        if (options.CommandLine is { } text) fields["commandLine"] = text;
        if (options.Memory is { } memory) fields["memory"] = memory;
        if (options.Vcpus is { } vcpus) fields["vcpus"] = vcpus;
        if (options.Engine is { } engine) fields["engine"] = engine;
        if (options.Clock is { } clock) fields["clock"] = clock;
        if (options.Console is { } console)
        {
            bool terminal = console == "stdio";
            fields["console:type"] = terminal ? "stdio" : "file";
            fields["console:path"] = terminal ? null : FullPath(console);
        }
        if (options.Config is null && options.Kernel is null) throw new ConfigException("command line", "name a config, or a kernel with --kernel");
        return GuestConfigReader.Read(options.Config, fields, [.. options.Disks]);
    }

    private static string FullPath(string path) => path.Length == 0 ? path : Path.GetFullPath(path);
}
