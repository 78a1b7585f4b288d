using System.Buffers.Binary;

namespace FastXen.Platform.Net.Nat;

/// <summary>A UDP datagram whose lengths were checked.</summary>
internal readonly ref struct UdpDatagram
{
    public const int Header = 8;

    public required ushort SourcePort { get; init; }

    public required ushort DestinationPort { get; init; }

    public required ReadOnlySpan<byte> Payload { get; init; }

    public static bool TryParse(ReadOnlySpan<byte> bytes, out UdpDatagram datagram)
    {
        datagram = default;
        if (bytes.Length < Header)
            return false;
        int length = BinaryPrimitives.ReadUInt16BigEndian(bytes[4..]);
        if (length < Header || length > bytes.Length)
            return false;
        datagram = new UdpDatagram
        {
            SourcePort = BinaryPrimitives.ReadUInt16BigEndian(bytes),
            DestinationPort = BinaryPrimitives.ReadUInt16BigEndian(bytes[2..]),
            Payload = bytes[Header..length],
        };
        return true;
    }
}
