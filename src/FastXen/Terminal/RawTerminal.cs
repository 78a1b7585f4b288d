using System.Runtime.InteropServices;

namespace FastXen.Terminal;

/// <summary>
/// The terminal on standard input in raw mode: each key goes to the guest at once, Ctrl-C included. The user's settings come back whatever
/// happens: at <see cref="Dispose"/>, at the end of the process, after an unhandled exception, before a signal ends or stops the process.
/// </summary>
internal sealed class RawTerminal : IDisposable
{
    private readonly Lock _lock = new();
    private readonly Libc.Termios _saved;
    private readonly Libc.Termios _raw;
    private readonly List<PosixSignalRegistration> _signals = [];
    private bool _isRaw;

    private RawTerminal(Libc.Termios saved)
    {
        _saved = saved;
        _raw = saved;
        Libc.MakeRaw(ref _raw);
        AppDomain.CurrentDomain.ProcessExit += RestoreAtEnd;
        AppDomain.CurrentDomain.UnhandledException += RestoreAtEnd;
        // Not cancelled: after this handler the signal stops the process, as it does any other.
        _signals.Add(PosixSignalRegistration.Create(PosixSignal.SIGTSTP, _ => Restore()));
        _signals.Add(PosixSignalRegistration.Create(PosixSignal.SIGCONT, _ => Enter()));
        Enter();
    }

    /// <summary>Puts the terminal into raw mode; null when standard input is none.</summary>
    public static RawTerminal? TryEnter() =>
        Libc.IsTerminal(Libc.StandardInput) == 1 && Libc.GetAttributes(Libc.StandardInput, out Libc.Termios saved) == 0 ? new RawTerminal(saved) : null;

    private void Enter()
    {
        lock (_lock)
        {
            Libc.SetAttributes(Libc.StandardInput, Libc.SetNow, in _raw);
            _isRaw = true;
        }
    }

    /// <summary>Gives the user's settings back.</summary>
    public void Restore()
    {
        lock (_lock)
        {
            if (!_isRaw) return;
            Libc.SetAttributes(Libc.StandardInput, Libc.SetNow, in _saved);
            _isRaw = false;
        }
    }

    private void RestoreAtEnd(object? sender, EventArgs e) => Restore();

    /// <inheritdoc/>
    public void Dispose()
    {
        foreach (PosixSignalRegistration signal in _signals) signal.Dispose();
        AppDomain.CurrentDomain.ProcessExit -= RestoreAtEnd;
        AppDomain.CurrentDomain.UnhandledException -= RestoreAtEnd;
        Restore();
    }
}
