using System.Buffers.Binary;

namespace FastXen.Platform.Net.Nat;

/// <summary>The flags of a TCP header.</summary>
[Flags]
internal enum TcpFlags : byte
{
    None = 0,
    Fin = 1,
    Syn = 2,
    Rst = 4,
    Psh = 8,
    Ack = 16,
}

/// <summary>A TCP segment whose lengths were checked (RFC 9293).</summary>
internal readonly ref struct TcpSegment
{
    public const int MinHeader = 20;

    private const byte EndOption = 0;
    private const byte NopOption = 1;
    private const byte MssOption = 2;
    private const byte ScaleOption = 3;

    /// <summary>What a peer takes that does not say (RFC 9293, 3.7.1).</summary>
    private const int DefaultMss = 536;

    public required ushort SourcePort { get; init; }

    public required ushort DestinationPort { get; init; }

    public required uint Sequence { get; init; }

    public required uint Acknowledgment { get; init; }

    public required TcpFlags Flags { get; init; }

    public required ushort Window { get; init; }

    public required ReadOnlySpan<byte> Options { get; init; }

    public required ReadOnlySpan<byte> Payload { get; init; }

    public bool Has(TcpFlags flag) => (Flags & flag) != 0;

    /// <summary>Bytes of sequence space.</summary>
    public uint Length => (uint)Payload.Length + (Has(TcpFlags.Syn) ? 1u : 0) + (Has(TcpFlags.Fin) ? 1u : 0);

    public static bool TryParse(ReadOnlySpan<byte> bytes, out TcpSegment segment)
    {
        segment = default;
        if (bytes.Length < MinHeader)
            return false;
        int header = (bytes[12] >> 4) * 4;
        if (header < MinHeader || header > bytes.Length)
            return false;
        segment = new TcpSegment
        {
            SourcePort = BinaryPrimitives.ReadUInt16BigEndian(bytes),
            DestinationPort = BinaryPrimitives.ReadUInt16BigEndian(bytes[2..]),
            Sequence = BinaryPrimitives.ReadUInt32BigEndian(bytes[4..]),
            Acknowledgment = BinaryPrimitives.ReadUInt32BigEndian(bytes[8..]),
            Flags = (TcpFlags)(bytes[13] & 0x1f),
            Window = BinaryPrimitives.ReadUInt16BigEndian(bytes[14..]),
            Options = bytes[MinHeader..header],
            Payload = bytes[header..],
        };
        return true;
    }

    /// <summary>The options of a SYN: maximum segment size, and window scale or null.</summary>
    public (int Mss, int? Scale) SynOptions()
    {
        int mss = DefaultMss;
        int? scale = null;
        ReadOnlySpan<byte> rest = Options;
        while (rest.Length > 0 && rest[0] != EndOption)
        {
            if (rest[0] == NopOption)
            {
                rest = rest[1..];
                continue;
            }
            if (rest.Length < 2 || rest[1] < 2 || rest[1] > rest.Length)
                break;
            if (rest[0] == MssOption && rest[1] == 4)
                mss = BinaryPrimitives.ReadUInt16BigEndian(rest[2..]);
            else if (rest[0] == ScaleOption && rest[1] == 3)
                scale = Math.Min((int)rest[2], 14);
            rest = rest[rest[1]..];
        }
        return (mss, scale);
    }
}
