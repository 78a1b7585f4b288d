using System.Buffers;
using FastXen.Events;
using FastXen.Platform;
using FastXen.Platform.Net.Switch;
using FastXen.Xen.EventChannels;
using FastXen.Xen.Grants;
using FastXen.Xen.Rings;
using FastXen.Xen.Xenstore;

namespace FastXen.Xen.Backends.Net;

/// <summary>A virtual network card: frames of the public header io/netif.h, to and from a switch or a network of the host.</summary>
#pragma warning disable CA1001 // Ends when the device is removed.
public sealed unsafe class VifBackend : BackendDevice, ILinkEnd
#pragma warning restore CA1001
{
    // Frames between two turns of other devices.
    private const int Turn = 64;

    private readonly NetworkAttachment network;
    private readonly VifReceiver receiver;
    private ILinkEnd? link;
    private TransmitRing? transmit;
    private BackRing? transmitRing, receiveRing;
    private uint transmitReference, receiveReference;
    private VifFeatures features;

    // A frame for which there was no room yet.
    private byte[]? held;
    private int heldLength;
    private FrameOffload heldOffload;
    private long sent, refused;

    internal VifBackend(XenstoreServer store, XenDomain domain, NetworkAttachment network)
        : base(store, domain, "vif", network.Handle)
    {
        this.network = network;
        receiver = new VifReceiver(network.Patience);
        if (network.Switch == null == (network.Network == null))
            throw new DeviceConfigurationException($"Network card {network.Handle} has no network, or two; expected a switch or a network of its own.");
    }

    /// <inheritdoc/>
    public override bool IsBroken => transmit is { IsBroken: true } || receiver.IsBroken;

    /// <summary>Frames that the guest sent.</summary>
    public long Sent => Volatile.Read(ref sent);

    /// <summary>Frames that the guest sent and that were refused as malformed.</summary>
    public long Refused => Volatile.Read(ref refused);

    /// <summary>Frames that the guest was given.</summary>
    public long Delivered => receiver.Delivered;

    /// <summary>Frames for the guest that it could not take.</summary>
    public long Dropped => receiver.Dropped;

    /// <inheritdoc/>
    public LinkFeatures Features => receiver.Features;

    /// <inheritdoc/>
    public bool Take(ReadOnlySpan<byte> frame, FrameOffload offload, IEventSink? waiter) => receiver.Take(frame, offload, waiter);

    private protected override void Open()
    {
        if (network.Switch is { } on)
        {
            link = on.Connect(this, network.Address);
            return;
        }
        var joined = new NetworkLink(network.Network!);
        link = joined;
        joined.Connect(this);
    }

    private protected override void DescribeBack()
    {
        Tell("handle", Number);
        Tell("mac", network.Address.ToString());
        if (network.Switch is { } on)
            Tell("bridge", on.Name);
        Tell("feature-sg", 1);
        Tell("feature-gso-tcpv4", 1);
        Tell("feature-rx-copy", 1);
        Tell("feature-rx-flip", 1);
        Tell("hotplug-status", "connected");
    }

    private protected override void DescribeFront()
    {
        Give("handle", Text(Number));
        Give("mac", network.Address.ToString());
    }

    private protected override string? ReadParameters() =>
        Ask("tx-ring-ref") is { } transmitting && Ask("rx-ring-ref") is { } receiving && Ask("event-channel") is { } port
            ? $"tx-ring-ref {transmitting}, rx-ring-ref {receiving}, event-channel {port}" : null;

    private protected override bool Connect()
    {
        features = new VifFeatures(
            Has("request-rx-copy"), Has("feature-sg"), Has("feature-gso-tcpv4"), !Has("feature-no-csum-offload"));
        (transmitReference, receiveReference) = (Ask("tx-ring-ref") ?? 0, Ask("rx-ring-ref") ?? 0);
        transmitRing = Map(transmitReference, TransmitRing.SlotSize);
        receiveRing = transmitRing == null ? null : Map(receiveReference, ReceiveRing.SlotSize);
        return receiveRing != null;
    }

    private protected override void Start(HostChannel channel)
    {
        transmit = new TransmitRing(Domain, transmitRing!, channel);
        receiver.Connect(new ReceiveRing(Domain, receiveRing!, channel, features));
    }

    private protected override void Disconnect()
    {
        // After this nobody is in the ring.
        receiver.Connect(null);
        transmit = null;
        Forget();
        Unmap(ref transmitRing, transmitReference);
        Unmap(ref receiveRing, receiveReference);
    }

    private protected override bool Serve()
    {
        receiver.Drain();
        byte[] frame = held ?? ArrayPool<byte>.Shared.Rent(TransmitRing.MaximumFrame);
        held = frame;
        bool more = Send(frame);
        if (heldLength == 0)
            Forget();
        return more;
    }

    private bool Send(byte[] frame)
    {
        TransmitRing from = transmit!;
        for (int i = 0; i < Turn; i++)
        {
            if (heldLength == 0)
            {
                int length = from.Take(frame, out heldOffload);
                if (length <= 0)
                {
                    if (length == 0)
                        Interlocked.Increment(ref refused);
                    else if (!from.HasMore())
                        return false;
                    continue;
                }
                heldLength = length;
                Interlocked.Increment(ref sent);
            }
            // The link signals this device when it has room.
            if (!link!.Give(frame.AsSpan(0, heldLength), heldOffload, this))
                return false;
            heldLength = 0;
        }
        return true;
    }

    private void Forget()
    {
        if (held != null)
            ArrayPool<byte>.Shared.Return(held);
        held = null;
        heldLength = 0;
    }

    private protected override void LetGo()
    {
        receiver.Dispose();
        (link as NetworkLink)?.Connect(null);
        (link as SwitchPort)?.Dispose();
        if (network.OwnsNetwork)
            network.Network?.Dispose();
    }

    private BackRing? Map(uint reference, int slotSize) =>
        Domain.Grants.MapToHost(reference, isReadOnly: false, out byte* page) == GrantStatus.Okay ? new BackRing(page, slotSize) : null;

    private void Unmap(ref BackRing? ring, uint reference)
    {
        if (ring == null)
            return;
        ring = null;
        Domain.Grants.UnmapFromHost(reference, isReadOnly: false);
    }
}
