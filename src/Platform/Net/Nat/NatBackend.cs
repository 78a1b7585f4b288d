using System.Buffers.Binary;

namespace FastXen.Platform.Net.Nat;

/// <summary>
/// A network of one guest and a router that needs no privileges: what the guest sends to other hosts leaves through sockets of this
/// process. The router answers ARP, DHCP, echo and name queries. IPv4 only; the guest uses the address that DHCP gives.
/// </summary>
public sealed class NatBackend : INetBackend
{
    private const int EthernetHeader = 14;
    private const ushort Ipv4Type = 0x0800;
    private static readonly MacAddress RouterMac = new(0x52_55_0a_00_02_02);

    private readonly Lock gate = new();
    private readonly NatOptions options;
    private readonly FrameWriter writer = new(RouterMac);
    private readonly DhcpServer dhcp;
    private readonly IcmpNat icmp;
    private readonly UdpNat udp;
    private readonly TcpNat tcp;
    private bool disposed;

    /// <summary>Makes the network and opens forwarded ports. Throws <see cref="DeviceConfigurationException"/> when one is taken.</summary>
    public NatBackend(NatOptions? options = null)
    {
        this.options = options ??= new NatOptions();
        Routing routing = new(options);
        dhcp = new DhcpServer(options, writer);
        icmp = new IcmpNat(options, writer, gate);
        udp = new UdpNat(options, writer, routing, gate);
        tcp = new TcpNat(options, writer, routing, gate);
        try
        {
            ForwardedPorts = [.. options.HostForwards.Select(forward => forward.IsUdp ? udp.Forward(forward) : tcp.Forward(forward))];
        }
        catch
        {
            Dispose();
            throw;
        }
    }

    /// <summary>The host's ports of <see cref="NatOptions.HostForwards"/>, in their order.</summary>
    public IReadOnlyList<int> ForwardedPorts { get; } = [];

    /// <inheritdoc/>
    public bool ChecksumsAreValid => true;

    /// <inheritdoc/>
    public bool TakesLargeSegments => true;

    /// <inheritdoc/>
    public bool IgnoresChecksums => true;

    /// <inheritdoc/>
    public void Connect(IFrameSink? sink)
    {
        lock (gate)
        {
            // Connections of an earlier boot mean nothing to the next one.
            writer.Sink = null;
            udp.Clear();
            tcp.Clear();
            writer.Sink = sink;
        }
    }

    /// <inheritdoc/>
    public void Send(ReadOnlySpan<byte> frame)
    {
        if (frame.Length < EthernetHeader)
            return;
        MacAddress source = MacAddress.Read(frame[MacAddress.Size..]);
        ushort type = BinaryPrimitives.ReadUInt16BigEndian(frame[12..]);
        lock (gate)
        {
            if (disposed)
                return;
            writer.Guest = source;
            if (type == ArpPacket.EtherType)
                HandleArp(frame[EthernetHeader..]);
            else if (type == Ipv4Type && Ipv4Packet.TryParse(frame[EthernetHeader..], out Ipv4Packet packet))
                Handle(packet);
        }
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        lock (gate)
        {
            if (disposed)
                return;
            disposed = true;
            udp.Dispose();
            tcp.Dispose();
        }
    }

    private void HandleArp(ReadOnlySpan<byte> bytes)
    {
        if (ArpPacket.TryParseRequest(bytes, out Ipv4Address asker, out Ipv4Address wanted) && (wanted == options.Gateway || wanted == options.Dns))
            writer.SendArpReply(wanted, asker);
    }

    private void Handle(in Ipv4Packet packet)
    {
        if (packet.Protocol == Ipv4Packet.Udp && UdpDatagram.TryParse(packet.Payload, out UdpDatagram datagram))
        {
            bool toUs = packet.Destination == Ipv4Address.Broadcast || packet.Destination == options.Gateway;
            if (toUs && datagram.DestinationPort == DhcpServer.ServerPort)
                dhcp.Handle(datagram.Payload);
            else if (packet.Source == options.Guest)
                udp.Handle(packet.Destination, datagram);
        }
        else if (packet.Source != options.Guest)
        {
            return;
        }
        else if (packet.Protocol == Ipv4Packet.Tcp && TcpSegment.TryParse(packet.Payload, out TcpSegment segment))
        {
            tcp.Handle(packet.Destination, segment);
        }
        else if (packet.Protocol == Ipv4Packet.Icmp)
        {
            icmp.Handle(packet);
        }
    }
}
