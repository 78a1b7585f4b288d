using FastXen.Platform.Uart;

namespace FastXen.Terminal;

/// <summary>Offers bytes to a serial device until it has taken them all: its queue is short and a guest may be slow.</summary>
internal sealed class InputPump
{
    private static readonly TimeSpan Pause = TimeSpan.FromMilliseconds(2);

    private volatile bool _stopped;

    /// <summary>The device; set once.</summary>
    public ICharacterInput? Input { get; set; }

    /// <summary>Hands bytes over; waits for room.</summary>
    public void Send(ReadOnlySpan<byte> bytes)
    {
        while (bytes.Length > 0 && !_stopped)
        {
            int taken = Input?.Offer(bytes) ?? bytes.Length;
            bytes = bytes[taken..];
            if (taken == 0) Thread.Sleep(Pause);
        }
    }

    /// <summary>Makes the rest of the input be dropped.</summary>
    public void Stop() => _stopped = true;
}
