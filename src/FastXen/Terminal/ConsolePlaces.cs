using FastXen.Loader.Configuration;
using FastXen.Loader.Hosting;
using FastXen.Platform.Uart;

namespace FastXen.Terminal;

/// <summary>
/// Opens the places of consoles that configs name. The terminal is for the domains that a process begins with: one has it for itself, several share it. Those that come
/// later have consoles for <c>fastxen console</c>.
/// </summary>
/// <param name="first">The domains that the process begins with; none where it has no terminal.</param>
internal sealed class ConsolePlaces(params GuestConfig[] first)
{
    private readonly GuestConfig[] _onTerminal = [.. first.Where(static config => config.Console.Type == ConsoleType.Stdio)];
    private SharedTerminal? _shared;
    private int _opened;

    /// <summary>The place of a domain's console, or null where it has none.</summary>
    public ICharacterBackend? Open(HostedDomain domain)
    {
        ConsoleConfig config = domain.Config.Console;
        switch (config.Type)
        {
            case ConsoleType.File:
                return new FileConsole(config.Path!);
            case ConsoleType.Socket:
                return new SocketConsole(config.Path!, new User(domain).Failed);
            case ConsoleType.Pty:
                PtyConsole pty = new(new User(domain).Failed);
                Console.Error.WriteLine($"fastxen: {domain.Name}: the console is {pty.Path}");
                return pty;
            // The first are made one after the other, before anybody can ask for more.
            case ConsoleType.Stdio when Interlocked.Increment(ref _opened) <= _onTerminal.Length:
                if (_onTerminal.Length == 1) return new StdioConsole(config.Escape, new User(domain));
                _shared ??= new SharedTerminal([.. _onTerminal.Select(static one => one.Name)], config.Escape);
                return _shared.Add(domain);
            default:
                return null;
        }
    }

    private sealed class User(HostedDomain domain) : IConsoleUser
    {
        public string Status => domain.Domain.Status;

        public void Leave() => domain.Destroy();

        public void Failed(Exception e) => domain.Fail("the console's input", e);
    }
}
