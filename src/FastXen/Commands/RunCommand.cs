using FastXen.CommandLine;
using FastXen.Core;
using FastXen.Diagnostics;
using FastXen.Loader;
using FastXen.Loader.Configuration;
using FastXen.Loader.Hosting;
using FastXen.Terminal;

namespace FastXen.Commands;

/// <summary><c>fastxen run</c>: guests that live as long as this process, on its terminal.</summary>
internal static class RunCommand
{
    public static int Run(RunOptions options)
    {
        GuestConfig[] configs = ReadConfigs(options);
        if (options.Lockstep)
        {
            return configs.Length == 1
                ? LockstepCommand.Run(configs[0], options.Input)
                : throw new ConfigException("command line", "--lockstep compares one guest");
        }
        if (options.Input is not null) throw new ConfigException("command line", "--input goes with --lockstep only");
        return RunAsync(options, configs).GetAwaiter().GetResult();
    }

    private static async Task<int> RunAsync(RunOptions options, GuestConfig[] configs)
    {
        using RunTrace trace = new(options);
        using RunDiagnostics diagnostics = new(options);
        using Host host = new()
        {
            HostThreads = HostOptions.Threads(options.HostThreads),
            MemoryLimit = HostOptions.Memory(options.MemoryLimit),
            OpenConsole = new ConsolePlaces(configs).Open,
            Translator = diagnostics.Translator,
        };
        List<HostedDomain> domains = [];
        int signal;
        await using (HostSession session = new(host, options.Socket, HostOptions.Grace(options.Grace), socketRequired: false))
        {
            // Whoever sent the signal would wonder why nothing happens.
            host.Happened += happened =>
            {
                if (session.Signal != 0 && happened.Kind == HostEventKind.AskedToShutDown) Tell($"{happened.Name} was asked to shut down, {happened.Detail}; another signal stops it at once");
            };
            try
            {
                foreach (GuestConfig config in configs) domains.Add(host.Create(config));
            }
            catch (LoadException)
            {
                await session.AbandonAsync();
                throw;
            }
            await session.WaitForAllAsync();
            signal = session.Signal;
        }
        // After the console is gone: the terminal is the user's again.
        foreach (HostedDomain domain in domains)
        {
            foreach (string report in domain.Reports) Console.Error.WriteLine($"fastxen: {domain.Name}: {report}");
            diagnostics.Finish(domain.Domain);
            if (options.Statistics) Console.Error.WriteLine(domain.Domain.Statistics.ToJson());
        }
        // Power is as good as off for a guest that halted its only processor.
        if (domains.TrueForAll(static domain => domain.Ended.Result is VcpuStop.PowerOff or VcpuStop.Halted)) return ExitCode.Success;
        return signal != 0 ? ExitCode.Signal + signal : ExitCode.Failure;
    }

    // The terminal may be in raw mode, in which a new line does not begin at the left.
    private static void Tell(string text) => Console.Error.Write(Console.IsErrorRedirected ? $"fastxen: {text}\n" : $"\r\nfastxen: {text}\r\n");

    private static GuestConfig[] ReadConfigs(RunOptions options)
    {
        string[] files = [.. options.Configs];
        Dictionary<string, string?> fields = Fields(options);
        string[] disks = [.. options.Disks];
        if (files.Length == 0 && options.Kernel is null) throw new ConfigException("command line", "name a config, or a kernel with --kernel");
        if (fields.Count == 0 && disks.Length == 0)
        {
            GuestConfig[] configs = [.. files.SelectMany(GuestConfigReader.ReadAll)];
            if (configs.Length == 0) throw new ConfigException(files[0], "domains", "expected at least one");
            return configs;
        }
        if (files.Length > 1) throw new ConfigException("command line", "options that stand in for a config's fields go with one config only");
        return [GuestConfigReader.Read(files.FirstOrDefault(), fields, disks)];
    }

    // What the options say, by the fields of a config that they stand in for.
    private static Dictionary<string, string?> Fields(RunOptions options)
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
        return fields;
    }

    private static string FullPath(string path) => path.Length == 0 ? path : Path.GetFullPath(path);
}
