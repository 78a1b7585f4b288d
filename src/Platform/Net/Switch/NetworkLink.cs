using FastXen.Events;

namespace FastXen.Platform.Net.Switch;

/// <summary>A network of the host (<see cref="INetBackend"/>) as the end of a link.</summary>
public sealed class NetworkLink : ILinkEnd, IFrameSink
{
    private readonly Lock sending = new();
    private readonly INetBackend network;
    private volatile ILinkEnd? guest;

    /// <summary>The network stays the caller's.</summary>
    public NetworkLink(INetBackend network)
    {
        ArgumentNullException.ThrowIfNull(network);
        this.network = network;
        Features = (network.TakesLargeSegments ? LinkFeatures.LargeSegments : 0) | (network.IgnoresChecksums ? LinkFeatures.BlankChecksums : 0);
    }

    /// <inheritdoc/>
    public LinkFeatures Features { get; }

    /// <summary>Begins to give the network's frames to a guest or a switch; null ends it.</summary>
    public void Connect(ILinkEnd? taker)
    {
        guest = taker;
        network.Connect(taker == null ? null : this);
    }

    /// <inheritdoc/>
    public bool Take(ReadOnlySpan<byte> frame, FrameOffload offload, IEventSink? waiter)
    {
        lock (sending)
            network.Send(frame);
        return true;
    }

    /// <inheritdoc/>
    public bool Receive(ReadOnlySpan<byte> frame) =>
        guest is { } taker && taker.Give(frame, new FrameOffload(network.ChecksumsAreValid ? FrameChecksum.Validated : FrameChecksum.Unchecked), null);
}
