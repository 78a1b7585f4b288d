namespace FastXen.Platform.Uart;

/// <summary>The receiving side of a serial device, as its backend sees it.</summary>
public interface ICharacterInput
{
    /// <summary>
    /// Offers input; any thread, never blocks. Returns how many of the bytes were taken (the queue is bounded): the backend keeps
    /// the rest and offers it again later, or drops it.
    /// </summary>
    int Offer(ReadOnlySpan<byte> bytes);
}
