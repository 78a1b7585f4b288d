using System.Buffers.Binary;
using System.Net;

namespace FastXen.Platform.Net.Nat;

/// <summary>An IPv4 address, first byte in bits 31:24.</summary>
public readonly record struct Ipv4Address(uint Value)
{
    /// <summary>255.255.255.255.</summary>
    public static Ipv4Address Broadcast => new(uint.MaxValue);

    /// <summary>127.0.0.1.</summary>
    public static Ipv4Address Loopback => new(0x7f000001);

    /// <summary>Loopback, "this network", multicast or reserved: nothing that a guest may name as a host.</summary>
    public bool IsSpecial => (Value >> 24) is 0 or 127 or >= 224;

    /// <summary>Reads an address from the start of a span.</summary>
    public static Ipv4Address Read(ReadOnlySpan<byte> source) => new(BinaryPrimitives.ReadUInt32BigEndian(source));

    /// <summary>Writes the address to the start of a span.</summary>
    public void Write(Span<byte> destination) => BinaryPrimitives.WriteUInt32BigEndian(destination, Value);

    /// <summary>Converts from .NET's type.</summary>
    public static Ipv4Address From(IPAddress address)
    {
        Span<byte> bytes = stackalloc byte[4];
        return address.MapToIPv4().TryWriteBytes(bytes, out _) ? Read(bytes) : default;
    }

    /// <summary>A socket's address.</summary>
    public IPEndPoint EndPoint(int port)
    {
        Span<byte> bytes = stackalloc byte[4];
        Write(bytes);
        return new IPEndPoint(new IPAddress(bytes), port);
    }

    /// <inheritdoc/>
    public override string ToString() => EndPoint(0).Address.ToString();
}
