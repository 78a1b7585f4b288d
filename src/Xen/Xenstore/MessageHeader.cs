using System.Runtime.InteropServices;

namespace FastXen.Xen.Xenstore;

/// <summary>What every message begins with (xsd_sockmsg of the public header io/xs_wire.h), little-endian.</summary>
[StructLayout(LayoutKind.Sequential)]
public record struct MessageHeader(RequestType Type, uint Request, uint Transaction, uint Length)
{
    /// <summary>Bytes of the header.</summary>
    public const int Size = 16;

    /// <summary>Bytes that may follow it. Who sends more is disconnected.</summary>
    public const int MaximumPayload = 4096;

    /// <summary>The message: header and payload.</summary>
    public byte[] ToMessage(ReadOnlySpan<byte> payload)
    {
        MessageHeader header = this with { Length = (uint)payload.Length };
        var message = new byte[Size + payload.Length];
        MemoryMarshal.Write(message, header);
        payload.CopyTo(message.AsSpan(Size));
        return message;
    }
}
