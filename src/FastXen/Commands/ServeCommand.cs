using FastXen.CommandLine;
using FastXen.Loader;
using FastXen.Loader.Configuration;
using FastXen.Loader.Hosting;
using FastXen.Terminal;

namespace FastXen.Commands;

/// <summary><c>fastxen serve</c>: a host whose guests come and go by its control socket. Its log goes to standard error.</summary>
internal static class ServeCommand
{
    public static int Run(ServeOptions options)
    {
        if (options.Socket == HostSession.NoSocket) throw new ConfigException("command line", "a host that serves needs a control socket");
        GuestConfig[] configs = [.. options.Configs.SelectMany(GuestConfigReader.ReadAll)];
        return RunAsync(options, configs).GetAwaiter().GetResult();
    }

    private static async Task<int> RunAsync(ServeOptions options, GuestConfig[] configs)
    {
        using Host host = new()
        {
            HostThreads = HostOptions.Threads(options.HostThreads),
            MemoryLimit = HostOptions.Memory(options.MemoryLimit),
            OpenConsole = new ConsolePlaces().Open,
        };
        host.Log.Written += static line => Console.Error.WriteLine(line);
        await using HostSession session = new(host, options.Socket, HostOptions.Grace(options.Grace), socketRequired: true);
        host.Log.Write($"control socket {session.Socket}");
        try
        {
            foreach (GuestConfig config in configs) host.Create(config);
        }
        catch (LoadException)
        {
            await session.AbandonAsync();
            throw;
        }
        await session.Stopped;
        return ExitCode.Success;
    }
}
