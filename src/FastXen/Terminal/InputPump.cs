using FastXen.Platform.Uart;

namespace FastXen.Terminal;

/// <summary>Offers bytes to a serial device until it has taken them all: its queue is short and a guest may be slow.</summary>
/// <param name="failed">Told of what the reader's thread threw: it is over then.</param>
internal sealed class InputPump(Action<Exception> failed)
{
    private static readonly TimeSpan Pause = TimeSpan.FromMilliseconds(2);

    private volatile bool _stopped;

    private volatile ICharacterInput? _input;

    /// <summary>Names the device. The first time, a thread is started that reads what there is to offer; after a reboot it goes on.</summary>
    public void Connect(ICharacterInput input, ThreadStart read)
    {
        bool first = _input is null;
        _input = input;
        if (first) new Thread(() => Run(read)) { IsBackground = true, Name = "console input" }.Start();
    }

    private void Run(ThreadStart read)
    {
        try
        {
            read();
        }
#pragma warning disable CA1031 // Something of this console broke: its domain ends, the process does not.
        catch (Exception e)
#pragma warning restore CA1031
        {
            failed(e);
        }
    }

    /// <summary>Names the device of a pump whose bytes another one's thread reads.</summary>
    public void Name(ICharacterInput input) => _input = input;

    /// <summary>Hands bytes over; waits for room.</summary>
    public void Send(ReadOnlySpan<byte> bytes)
    {
        while (bytes.Length > 0 && !_stopped)
        {
            int taken = _input?.Offer(bytes) ?? 0;
            bytes = bytes[taken..];
            if (taken == 0) Thread.Sleep(Pause);
        }
    }

    /// <summary>Makes the rest of the input be dropped.</summary>
    public void Stop() => _stopped = true;
}
