namespace FastXen.Platform.Net;

/// <summary>Takes frames for the guest.</summary>
public interface IFrameSink
{
    /// <summary>Queues a copy of a frame; any thread, never blocks. False when the queue is full and the frame was dropped.</summary>
    bool Receive(ReadOnlySpan<byte> frame);
}
