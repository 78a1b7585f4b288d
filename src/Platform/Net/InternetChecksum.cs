using System.Buffers.Binary;

namespace FastXen.Platform.Net;

/// <summary>The checksum of IP, TCP, UDP and ICMP (RFC 1071): sums are kept unfolded and folded at the end.</summary>
internal static class InternetChecksum
{
    /// <summary>Adds bytes as big-endian 16-bit words; only the last part of a packet may have an odd length.</summary>
    public static ulong Add(ulong sum, ReadOnlySpan<byte> bytes)
    {
        while (bytes.Length >= 4)
        {
            sum += BinaryPrimitives.ReadUInt32BigEndian(bytes);
            bytes = bytes[4..];
        }
        if (bytes.Length >= 2)
        {
            sum += BinaryPrimitives.ReadUInt16BigEndian(bytes);
            bytes = bytes[2..];
        }
        return bytes.Length == 0 ? sum : sum + ((ulong)bytes[0] << 8);
    }

    /// <summary>The value for the checksum field.</summary>
    public static ushort Fold(ulong sum)
    {
        while (sum >> 16 != 0)
            sum = (sum & 0xffff) + (sum >> 16);
        return (ushort)~sum;
    }
}
