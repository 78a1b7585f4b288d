namespace FastXen.Platform.Uart;

/// <summary>The far end of a serial line: a terminal, a file, a pty, a socket.</summary>
public interface ICharacterBackend
{
    /// <summary>
    /// Sends what the guest wrote. Called from one thread at a time (a device thread, or the vCPU's on a deterministic machine);
    /// it may wait for a slow reader. Bytes that can no longer be delivered are dropped without an exception: one ends the domain.
    /// </summary>
    void Write(ReadOnlySpan<byte> bytes);

    /// <summary>
    /// Names the taker of input, before the guest runs; input that came earlier is kept by the backend. A rebooted machine has a new
    /// UART and connects again: the last one is the taker.
    /// </summary>
    void Connect(ICharacterInput input);
}
