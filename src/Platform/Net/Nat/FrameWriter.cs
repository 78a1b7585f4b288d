using System.Buffers.Binary;

namespace FastXen.Platform.Net.Nat;

/// <summary>
/// Builds frames to the guest in one buffer: put the payload of the transport protocol into <see cref="Payload"/>, then send it.
/// Packets larger than the MTU are fragmented. Used under the NAT's lock.
/// </summary>
internal sealed class FrameWriter(MacAddress gateway)
{
    private const int EthernetHeader = 14;
    private const int Mtu = 1500;
    private const ushort Ipv4Type = 0x0800;
    private const ushort MoreFragments = 0x2000;
    private const byte TimeToLive = 64;
    private const int FragmentBytes = (Mtu - Ipv4Packet.MinHeader) & ~7;

    private readonly byte[] packet = new byte[65536];
    private readonly byte[] frame = new byte[EthernetHeader + Mtu];
    private ushort identification;

    /// <summary>Where frames go; null before the network is connected.</summary>
    public IFrameSink? Sink { get; set; }

    /// <summary>The guest's address on the link, learnt from its frames.</summary>
    public MacAddress Guest { get; set; } = MacAddress.Broadcast;

    /// <summary>Room for what follows the IP header.</summary>
    public Span<byte> Payload => packet.AsSpan(0, 65535 - Ipv4Packet.MinHeader);

    /// <summary>Sends the first <paramref name="length"/> bytes of <see cref="Payload"/> as IP packets.</summary>
    public void SendIpv4(byte protocol, Ipv4Address source, Ipv4Address destination, int length)
    {
        identification++;
        int offset = 0;
        do
        {
            int part = Math.Min(length - offset, FragmentBytes);
            bool last = offset + part == length;
            Span<byte> header = frame.AsSpan(EthernetHeader, Ipv4Packet.MinHeader);
            header.Clear();
            header[0] = 0x45;
            BinaryPrimitives.WriteUInt16BigEndian(header[2..], (ushort)(Ipv4Packet.MinHeader + part));
            BinaryPrimitives.WriteUInt16BigEndian(header[4..], identification);
            BinaryPrimitives.WriteUInt16BigEndian(header[6..], (ushort)(offset / 8 | (last ? 0 : MoreFragments)));
            header[8] = TimeToLive;
            header[9] = protocol;
            source.Write(header[12..]);
            destination.Write(header[16..]);
            BinaryPrimitives.WriteUInt16BigEndian(header[10..], InternetChecksum.Fold(InternetChecksum.Add(0, header)));
            packet.AsSpan(offset, part).CopyTo(frame.AsSpan(EthernetHeader + Ipv4Packet.MinHeader));
            SendFrame(Ipv4Type, destination == Ipv4Address.Broadcast ? MacAddress.Broadcast : Guest, Ipv4Packet.MinHeader + part);
            offset += part;
        }
        while (offset < length);
    }

    /// <summary>Sends a UDP datagram.</summary>
    public void SendUdp(Ipv4Address source, int sourcePort, Ipv4Address destination, int destinationPort, ReadOnlySpan<byte> payload)
    {
        int length = UdpDatagram.Header + payload.Length;
        if (length > Payload.Length)
            return;
        Span<byte> datagram = Payload[..length];
        BinaryPrimitives.WriteUInt16BigEndian(datagram, (ushort)sourcePort);
        BinaryPrimitives.WriteUInt16BigEndian(datagram[2..], (ushort)destinationPort);
        BinaryPrimitives.WriteUInt16BigEndian(datagram[4..], (ushort)length);
        BinaryPrimitives.WriteUInt16BigEndian(datagram[6..], 0);
        payload.CopyTo(datagram[UdpDatagram.Header..]);
        ushort checksum = TransportChecksum(Ipv4Packet.Udp, source, destination, datagram);
        BinaryPrimitives.WriteUInt16BigEndian(datagram[6..], checksum == 0 ? ushort.MaxValue : checksum);
        SendIpv4(Ipv4Packet.Udp, source, destination, length);
    }

    /// <summary>The checksum of a TCP or UDP packet with its pseudo-header.</summary>
    public static ushort TransportChecksum(byte protocol, Ipv4Address source, Ipv4Address destination, ReadOnlySpan<byte> bytes) =>
        InternetChecksum.Fold(InternetChecksum.Add((ulong)source.Value + destination.Value + protocol + (uint)bytes.Length, bytes));

    /// <summary>Sends an ARP reply: <paramref name="claimed"/> is at the gateway's address.</summary>
    public void SendArpReply(Ipv4Address claimed, Ipv4Address asker)
    {
        Span<byte> arp = frame.AsSpan(EthernetHeader, ArpPacket.Size);
        ArpPacket.WriteReply(arp, gateway, claimed, Guest, asker);
        SendFrame(ArpPacket.EtherType, Guest, ArpPacket.Size);
    }

    private void SendFrame(ushort type, MacAddress destination, int length)
    {
        destination.Write(frame);
        gateway.Write(frame.AsSpan(6));
        BinaryPrimitives.WriteUInt16BigEndian(frame.AsSpan(12), type);
        Sink?.Receive(frame.AsSpan(0, EthernetHeader + length));
    }
}
