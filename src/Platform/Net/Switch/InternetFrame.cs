using System.Buffers.Binary;

namespace FastXen.Platform.Net.Switch;

/// <summary>Where things are in a frame with TCP or UDP on IPv4, or on IPv6 without extension headers. One VLAN tag may be there.</summary>
internal readonly record struct InternetFrame
{
    private const ushort Ipv4Type = 0x0800, Ipv6Type = 0x86dd, VlanType = 0x8100;
    private const int TypeAt = 12, VlanSize = 4, MinimumIpv4 = 20, Ipv6Size = 40, MinimumTcp = 20, UdpSize = 8;
    private const byte Tcp = 6, Udp = 17;
    // More fragments, and the offset.
    private const int FragmentBits = 0x3fff;

    /// <summary>Offset of the IP header.</summary>
    public int NetworkAt { get; init; }

    /// <summary>Offset of the TCP or UDP header.</summary>
    public int TransportAt { get; init; }

    /// <summary>Offset behind the packet; padding may follow.</summary>
    public int End { get; init; }

    /// <summary>TCP, not UDP.</summary>
    public bool IsTcp { get; init; }

    /// <summary>IPv4, not IPv6.</summary>
    public bool IsIpv4 { get; init; }

    /// <summary>False for anything else, and for what is not whole.</summary>
    public static bool TryParse(ReadOnlySpan<byte> frame, out InternetFrame parsed)
    {
        parsed = default;
        int network = TypeAt + sizeof(ushort);
        if (frame.Length < network + VlanSize)
            return false;
        ushort type = BinaryPrimitives.ReadUInt16BigEndian(frame[TypeAt..]);
        if (type == VlanType)
        {
            type = BinaryPrimitives.ReadUInt16BigEndian(frame[(TypeAt + VlanSize)..]);
            network += VlanSize;
        }
        ReadOnlySpan<byte> packet = frame[network..];
        byte protocol;
        int header, length;
        switch (type)
        {
            case Ipv4Type when packet.Length >= MinimumIpv4:
                header = (packet[0] & 15) * 4;
                length = BinaryPrimitives.ReadUInt16BigEndian(packet[2..]);
                // As some leave it in a large segment.
                if (length == 0)
                    length = packet.Length;
                protocol = packet[9];
                if (header < MinimumIpv4 || (BinaryPrimitives.ReadUInt16BigEndian(packet[6..]) & FragmentBits) != 0)
                    return false;
                break;
            case Ipv6Type when packet.Length >= Ipv6Size:
                header = Ipv6Size;
                length = Ipv6Size + BinaryPrimitives.ReadUInt16BigEndian(packet[4..]);
                protocol = packet[6];
                break;
            default:
                return false;
        }
        int needed = protocol switch { Tcp => MinimumTcp, Udp => UdpSize, _ => -1 };
        if (needed < 0 || length > packet.Length || header + needed > length)
            return false;
        parsed = new InternetFrame
        {
            NetworkAt = network,
            TransportAt = network + header,
            End = network + length,
            IsTcp = protocol == Tcp,
            IsIpv4 = type == Ipv4Type,
        };
        return true;
    }

    /// <summary>Puts the checksum of TCP or UDP into a frame.</summary>
    public void PutChecksum(Span<byte> frame)
    {
        Span<byte> field = frame.Slice(TransportAt + (IsTcp ? 16 : 6), sizeof(ushort));
        field.Clear();
        ReadOnlySpan<byte> addresses = IsIpv4 ? frame.Slice(NetworkAt + 12, 8) : frame.Slice(NetworkAt + 8, 32);
        // The pseudo-header: addresses, protocol, length.
        ulong sum = InternetChecksum.Add((IsTcp ? Tcp : (ulong)Udp) + (uint)(End - TransportAt), addresses);
        ushort value = InternetChecksum.Fold(InternetChecksum.Add(sum, frame[TransportAt..End]));
        // 0 in UDP means that there is none.
        BinaryPrimitives.WriteUInt16BigEndian(field, value == 0 && !IsTcp ? ushort.MaxValue : value);
    }

    /// <summary>Puts the checksum of the IPv4 header into a frame.</summary>
    public void PutHeaderChecksum(Span<byte> frame)
    {
        Span<byte> header = frame[NetworkAt..TransportAt];
        header[10..12].Clear();
        BinaryPrimitives.WriteUInt16BigEndian(header[10..], InternetChecksum.Fold(InternetChecksum.Add(0, header)));
    }
}
