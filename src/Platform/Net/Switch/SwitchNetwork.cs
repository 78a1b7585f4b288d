using FastXen.Events;

namespace FastXen.Platform.Net.Switch;

/// <summary>A port of a switch as the network of a virtio card.</summary>
public sealed class SwitchNetwork : INetBackend, ILinkEnd
{
    private const int Mtu = 1500, EthernetHeader = 14;
    private readonly SwitchPort port;
    private volatile IFrameSink? sink;

    /// <summary>Plugs into a switch. <paramref name="address"/>: the card's.</summary>
    public SwitchNetwork(VirtualSwitch network, MacAddress address)
    {
        ArgumentNullException.ThrowIfNull(network);
        port = network.Connect(this, address);
    }

    /// <inheritdoc/>
    public bool ChecksumsAreValid => false;

    /// <inheritdoc/>
    public bool TakesLargeSegments => true;

    /// <inheritdoc/>
    public LinkFeatures Features => LinkFeatures.None;

    /// <inheritdoc/>
    public void Send(ReadOnlySpan<byte> frame)
    {
        // The card's guest says of a large segment only that it is one: it is cut so that the packets have the usual size.
        ushort size = 0;
        if (frame.Length > EthernetHeader + Mtu && InternetFrame.TryParse(frame, out InternetFrame parsed) && parsed.IsTcp)
            size = (ushort)Math.Max(1, Mtu - (parsed.TransportAt - parsed.NetworkAt) - (frame[parsed.TransportAt + 12] >> 4) * 4);
        port.Take(frame, new FrameOffload(FrameChecksum.Unchecked, size), null);
    }

    /// <inheritdoc/>
    public void Connect(IFrameSink? sink) => this.sink = sink;

    /// <inheritdoc/>
    public bool Take(ReadOnlySpan<byte> frame, FrameOffload offload, IEventSink? waiter)
    {
        // A virtio card has a queue of its own.
        bool isTaken = sink?.Receive(frame) ?? false;
        return isTaken || waiter != null;
    }

    /// <inheritdoc/>
    public void Dispose() => port.Dispose();
}
