namespace FastXen.Platform.Net;

/// <summary>What a network card is plugged into. Frames are Ethernet without the frame check sequence.</summary>
public interface INetBackend : IDisposable
{
    /// <summary>Checksums of frames to the guest need not be checked: they never crossed a wire.</summary>
    bool ChecksumsAreValid { get; }

    /// <summary>TCP segments of up to 64 KiB are taken from the guest in one frame.</summary>
    bool TakesLargeSegments { get; }

    /// <summary>Checksums of frames from the guest are not looked at: they may be left out.</summary>
    bool IgnoresChecksums => false;

    /// <summary>Takes a frame from the guest. One thread at a time; does not wait for the network.</summary>
    void Send(ReadOnlySpan<byte> frame);

    /// <summary>
    /// Names the taker of frames to the guest, or null when the card is gone. A rebooted machine has a new card and connects again.
    /// </summary>
    void Connect(IFrameSink? sink);
}
