using System.Buffers.Binary;

namespace FastXen.Platform.Tests.Net;

/// <summary>TCP on IPv4 in Ethernet frames, with an arithmetic of their own.</summary>
internal static class TcpFrames
{
    public const int Headers = 14 + 20 + 32;

    /// <summary>A segment with options of 12 bytes; without checksums where asked.</summary>
    public static byte[] Make(ulong to, ulong from, ReadOnlySpan<byte> payload, uint sequence = 1000, byte flags = 0x18, bool hasChecksum = true)
    {
        var frame = new byte[Headers + payload.Length];
        Address(to, frame);
        Address(from, frame.AsSpan(6));
        frame[12] = 8;
        Span<byte> ip = frame.AsSpan(14), tcp = frame.AsSpan(34);
        ip[0] = 0x45;
        BinaryPrimitives.WriteUInt16BigEndian(ip[2..], (ushort)(frame.Length - 14));
        BinaryPrimitives.WriteUInt16BigEndian(ip[4..], 77);
        ip[8] = 64;
        ip[9] = 6;
        new byte[] { 10, 0, 0, 1, 10, 0, 0, 2 }.CopyTo(ip[12..]);
        BinaryPrimitives.WriteUInt16BigEndian(ip[10..], Sum(ip[..20], 0));
        BinaryPrimitives.WriteUInt16BigEndian(tcp, 1234);
        BinaryPrimitives.WriteUInt16BigEndian(tcp[2..], 80);
        BinaryPrimitives.WriteUInt32BigEndian(tcp[4..], sequence);
        tcp[12] = 0x80;
        tcp[13] = flags;
        payload.CopyTo(frame.AsSpan(Headers));
        if (hasChecksum)
            BinaryPrimitives.WriteUInt16BigEndian(tcp[16..], TransportSum(frame));
        return frame;
    }

    /// <summary>Both checksums are right.</summary>
    public static bool IsRight(ReadOnlySpan<byte> frame) => Sum(frame.Slice(14, 20), 0) == 0 && TransportSum(frame) == 0;

    public static uint Sequence(ReadOnlySpan<byte> frame) => BinaryPrimitives.ReadUInt32BigEndian(frame[38..]);

    private static ushort TransportSum(ReadOnlySpan<byte> frame)
    {
        uint pseudo = 6 + (uint)(frame.Length - 34);
        for (int i = 26; i < 34; i += 2)
            pseudo += BinaryPrimitives.ReadUInt16BigEndian(frame[i..]);
        return Sum(frame[34..], pseudo);
    }

    private static ushort Sum(ReadOnlySpan<byte> bytes, uint sum)
    {
        for (int i = 0; i < bytes.Length; i++)
            sum += (uint)(bytes[i] << ((i & 1) == 0 ? 8 : 0));
        while (sum > 0xffff)
            sum = (sum & 0xffff) + (sum >> 16);
        return (ushort)~sum;
    }

    private static void Address(ulong value, Span<byte> place)
    {
        for (int i = 0; i < 6; i++)
            place[i] = (byte)(value >> (40 - 8 * i));
    }
}
