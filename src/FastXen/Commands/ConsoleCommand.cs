using System.Net.Sockets;
using FastXen.CommandLine;
using FastXen.Control;
using FastXen.Loader.Configuration;
using FastXen.Terminal;

namespace FastXen.Commands;

/// <summary><c>fastxen console</c>: this terminal is one of those at a domain's console.</summary>
internal static class ConsoleCommand
{
    public static int Run(ConsoleOptions options)
    {
        using ControlClient client = new(options.Socket);
        ControlRequest request = new() { Command = "console", Domain = options.Domain };
        if (options.Json)
        {
            Console.Out.WriteLine(client.Ask(request).GetRawText());
            return ExitCode.Success;
        }
        DomainDone domain = client.Ask(request, ControlJson.Default.DomainDone);
        using RawTerminal? terminal = RawTerminal.TryEnter();
        bool left = false;
        Thread typing = new(() =>
        {
            left = Type(client, terminal is not null);
            // The host closes the connection then, and the loop below ends.
            if (left) client.EndInput();
        })
        { IsBackground = true, Name = "console input" };
        typing.Start();
        try
        {
            Span<byte> bytes = stackalloc byte[4096];
            while (client.Receive(bytes) is > 0 and int count) Libc.WriteAll(Libc.StandardOutput, bytes[..count], patience: -1);
        }
        catch (SocketException e)
        {
            throw new ControlException($"the host went away: {e.Message}", e);
        }
        finally
        {
            terminal?.Dispose();
        }
        if (terminal is not null) Console.Error.WriteLine(left ? "" : $"{Environment.NewLine}fastxen: {domain.Name} is gone");
        return ExitCode.Success;
    }

    // True when the user asked to leave. At the end of a pipe the output goes on.
    private static bool Type(ControlClient client, bool terminal)
    {
        Span<byte> bytes = stackalloc byte[1024];
        try
        {
            while (Libc.ReadSome(Libc.StandardInput, bytes) is > 0 and int count)
            {
                Span<byte> typed = bytes[..count];
                int escape = terminal ? typed.IndexOf(ConsoleConfig.DefaultEscape) : -1;
                client.SendAll(escape < 0 ? typed : typed[..escape]);
                if (escape >= 0) return true;
            }
        }
        catch (Exception e) when (e is SocketException or ObjectDisposedException)
        {
            // The domain is gone; the reading side says so.
        }
        return false;
    }
}
