using System.Buffers.Binary;

namespace FastXen.Platform.Net.Switch;

/// <summary>
/// Cuts a large TCP segment on IPv4 into segments of a size, with all checksums: as a card does (TSO). What is no such segment has none.
/// </summary>
internal ref struct TcpSegments
{
    // Who asks for less makes more work than its frame is worth.
    private const int MinimumSize = 256;

    private const int MinimumTcp = 20, LengthAt = 2, IdentificationAt = 4, SequenceAt = 4, FlagsAt = 13;
    private const byte Fin = 1, Push = 8, CongestionReduced = 0x80;

    private readonly ReadOnlySpan<byte> frame;
    private readonly Span<byte> buffer;
    private readonly InternetFrame parsed;
    private readonly int headers, size;
    private int done;
    private ushort number;

    /// <param name="frame">The large frame.</param>
    /// <param name="size">Bytes of payload in a segment.</param>
    /// <param name="buffer">Where segments are made, as large as the frame.</param>
    public TcpSegments(ReadOnlySpan<byte> frame, int size, Span<byte> buffer)
    {
        this.frame = frame;
        this.buffer = buffer;
        this.size = Math.Max(size, MinimumSize);
        if (!InternetFrame.TryParse(frame, out parsed) || !parsed.IsTcp || !parsed.IsIpv4)
            return;
        int tcp = (frame[parsed.TransportAt + 12] >> 4) * 4;
        headers = parsed.TransportAt + tcp;
        if (tcp < MinimumTcp || headers > parsed.End)
            headers = 0;
    }

    /// <summary>The next segment, good until the one after it.</summary>
    public bool Next(out Span<byte> segment)
    {
        segment = default;
        int payload = parsed.End - headers, part = Math.Min(size, payload - done);
        // A segment without payload is one segment.
        if (headers == 0 || part <= 0 && (payload > 0 || number > 0))
            return false;
        segment = buffer[..(headers + part)];
        frame[..headers].CopyTo(segment);
        frame.Slice(headers + done, part).CopyTo(segment[headers..]);
        Span<byte> ip = segment[parsed.NetworkAt..], tcp = segment[parsed.TransportAt..];
        BinaryPrimitives.WriteUInt16BigEndian(ip[LengthAt..], (ushort)(segment.Length - parsed.NetworkAt));
        BinaryPrimitives.WriteUInt16BigEndian(
            ip[IdentificationAt..], (ushort)(BinaryPrimitives.ReadUInt16BigEndian(ip[IdentificationAt..]) + number));
        BinaryPrimitives.WriteUInt32BigEndian(tcp[SequenceAt..], BinaryPrimitives.ReadUInt32BigEndian(tcp[SequenceAt..]) + (uint)done);
        if (done + part < payload)
            tcp[FlagsAt] &= unchecked((byte)~(Fin | Push));
        if (number > 0)
            tcp[FlagsAt] &= unchecked((byte)~CongestionReduced);
        InternetFrame now = parsed with { End = segment.Length };
        now.PutHeaderChecksum(segment);
        now.PutChecksum(segment);
        done += part;
        number++;
        return true;
    }
}
