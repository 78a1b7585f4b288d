using System.Text;
using FastXen.Platform.Uart;

namespace FastXen.Terminal;

/// <summary>What the user can ask of a running domain from its console.</summary>
internal interface IConsoleUser
{
    /// <summary>Ends the domain.</summary>
    void Leave();

    /// <summary>The console broke.</summary>
    void Failed(Exception e);

    /// <summary>Describes what the domain is doing, in a line.</summary>
    string Status { get; }
}

/// <summary>The console on standard input and output: the terminal in raw mode with an escape key, or a pipe or file as it is.</summary>
internal sealed class StdioConsole : ICharacterBackend, IDisposable
{
    private readonly RawTerminal? _terminal = RawTerminal.TryEnter();
    private readonly EscapeKey _escape;
    private readonly IConsoleUser _user;
    private readonly InputPump _pump;

    public StdioConsole(byte? escape, IConsoleUser user)
    {
        _pump = new InputPump(user.Failed);
        _escape = new EscapeKey(_terminal is null ? null : escape);
        _user = user;
        if (_terminal is not null && escape is not null) Tell($"{_escape.Name} q leaves, {_escape.Name} ? helps");
    }

    /// <inheritdoc/>
    public void Write(ReadOnlySpan<byte> bytes) => Libc.WriteAll(Libc.StandardOutput, bytes, patience: -1);

    /// <inheritdoc/>
    public void Connect(ICharacterInput input)
    {
        _pump.Connect(input, ReadInput);
    }

    private void ReadInput() => TypedInput.Read(_escape, _pump.Send, Obey);

    private void Obey(EscapeCommand command)
    {
        switch (command)
        {
            case EscapeCommand.Leave:
                _user.Leave();
                break;
            case EscapeCommand.Status:
                Tell(_user.Status);
                break;
            case EscapeCommand.Next or EscapeCommand.Help:
                string key = _escape.Name;
                Tell($"{key} q: leave (the guest is lost)   {key} s: status   {key} {key}: send {key}");
                break;
        }
    }

    // The terminal does not return the carriage by itself in raw mode.
    private static void Tell(string text) => Libc.WriteAll(Libc.StandardOutput, Encoding.UTF8.GetBytes($"\r\n[fastxen: {text}]\r\n"), patience: -1);

    /// <inheritdoc/>
    public void Dispose()
    {
        _pump.Stop();
        _terminal?.Dispose();
    }
}
