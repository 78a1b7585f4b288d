using System.Buffers.Binary;

namespace FastXen.Platform.Net.Nat;

/// <summary>An IPv4 packet whose lengths were checked.</summary>
internal readonly ref struct Ipv4Packet
{
    public const int MinHeader = 20;
    public const byte Icmp = 1;
    public const byte Tcp = 6;
    public const byte Udp = 17;

    public required Ipv4Address Source { get; init; }

    public required Ipv4Address Destination { get; init; }

    public required byte Protocol { get; init; }

    public required ReadOnlySpan<byte> Payload { get; init; }

    /// <summary>False for what is not whole: bad version, lengths, or a fragment.</summary>
    public static bool TryParse(ReadOnlySpan<byte> bytes, out Ipv4Packet packet)
    {
        packet = default;
        if (bytes.Length < MinHeader || bytes[0] >> 4 != 4)
            return false;
        int header = (bytes[0] & 15) * 4;
        int total = BinaryPrimitives.ReadUInt16BigEndian(bytes[2..]);
        // With segmentation offload the length field of a large packet may be 0.
        if (total == 0)
            total = bytes.Length;
        const int fragmentBits = 0x3fff; // more fragments, offset
        if (header < MinHeader || total < header || total > bytes.Length || (BinaryPrimitives.ReadUInt16BigEndian(bytes[6..]) & fragmentBits) != 0)
            return false;
        packet = new Ipv4Packet
        {
            Source = Ipv4Address.Read(bytes[12..]),
            Destination = Ipv4Address.Read(bytes[16..]),
            Protocol = bytes[9],
            Payload = bytes[header..total],
        };
        return true;
    }
}
