using System.Buffers.Binary;

namespace FastXen.Platform.Net.Nat;

/// <summary>ARP for IPv4 on Ethernet (RFC 826).</summary>
internal static class ArpPacket
{
    public const ushort EtherType = 0x0806;
    public const int Size = 28;

    private const ulong RequestHeader = 0x0001_0800_0604_0001;
    private const ulong ReplyHeader = 0x0001_0800_0604_0002;

    /// <summary>True for a request; tells who asks for whom.</summary>
    public static bool TryParseRequest(ReadOnlySpan<byte> bytes, out Ipv4Address asker, out Ipv4Address wanted)
    {
        asker = wanted = default;
        if (bytes.Length < Size || BinaryPrimitives.ReadUInt64BigEndian(bytes) != RequestHeader)
            return false;
        asker = Ipv4Address.Read(bytes[14..]);
        wanted = Ipv4Address.Read(bytes[24..]);
        return true;
    }

    public static void WriteReply(Span<byte> bytes, MacAddress sender, Ipv4Address senderIp, MacAddress target, Ipv4Address targetIp)
    {
        BinaryPrimitives.WriteUInt64BigEndian(bytes, ReplyHeader);
        sender.Write(bytes[8..]);
        senderIp.Write(bytes[14..]);
        target.Write(bytes[18..]);
        targetIp.Write(bytes[24..]);
    }
}
