using FastXen.Loader.Configuration;
using FastXen.Loader.Hosting;
using FastXen.Platform.Uart;

namespace FastXen.Terminal;

/// <summary>Opens the places of consoles that configs name. The terminal is for one domain; the others' consoles are there for <c>fastxen console</c>.</summary>
internal sealed class ConsolePlaces(bool hasTerminal)
{
    private int _terminals = hasTerminal ? 1 : 0;

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
            case ConsoleType.Stdio when Interlocked.Exchange(ref _terminals, 0) == 1:
                return new StdioConsole(config.Escape, new User(domain));
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
