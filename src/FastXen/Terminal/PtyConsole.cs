using System.Runtime.InteropServices;
using System.Text;
using FastXen.Loader;
using FastXen.Platform.Uart;

namespace FastXen.Terminal;

/// <summary>A console on a pseudo-terminal, for a terminal program to open.</summary>
internal sealed class PtyConsole : ICharacterBackend, IDisposable
{
    // Nobody may be reading: output that does not fit is dropped, after a moment for a reader that is only slow.
    private const int Patience = 50;

    private readonly InputPump _pump;
    private readonly int _master;
    private readonly int _slave;
    private bool _stuck;

    public PtyConsole(Action<Exception> failed)
    {
        _pump = new InputPump(failed);
        _master = Checked(Libc.OpenPseudoTerminal(Libc.OpenReadWrite | Libc.OpenNoControllingTerminal | Libc.OpenNonBlocking));
        Checked(Libc.GrantPseudoTerminal(_master));
        Checked(Libc.UnlockPseudoTerminal(_master));
        Path = SlavePath(_master);
        // Kept open, so that the line does not hang up between two readers; raw, so that the guest's own terminal driver is the only one.
        _slave = Checked(Libc.Open(Path, Libc.OpenReadWrite | Libc.OpenNoControllingTerminal));
        Checked(Libc.GetAttributes(_slave, out Libc.Termios attributes));
        Libc.MakeRaw(ref attributes);
        Checked(Libc.SetAttributes(_slave, Libc.SetNow, in attributes));
    }

    /// <summary>What to open, such as /dev/pts/3.</summary>
    public string Path { get; }

    private static unsafe string SlavePath(int master)
    {
        byte* name = stackalloc byte[128];
        if (Libc.NamePseudoTerminal(master, name, 128) != 0) throw new ConfigException("console", "the host has no name for its pseudo-terminal");
        return Encoding.UTF8.GetString(MemoryMarshal.CreateReadOnlySpanFromNullTerminated(name));
    }

    private static int Checked(int result) =>
        result >= 0 ? result : throw new ConfigException("console", $"the host gives no pseudo-terminal: {Marshal.GetLastPInvokeErrorMessage()}");

    /// <inheritdoc/>
    public void Write(ReadOnlySpan<byte> bytes) => _stuck = !Libc.WriteAll(_master, bytes, _stuck ? 0 : Patience);

    /// <inheritdoc/>
    public void Connect(ICharacterInput input)
    {
        _pump.Connect(input, ReadInput);
    }

    private void ReadInput()
    {
        Span<byte> buffer = stackalloc byte[1024];
        while (Libc.ReadSome(_master, buffer) is > 0 and int length) _pump.Send(buffer[..length]);
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        _pump.Stop();
        Libc.Close(_slave);
    }
}
