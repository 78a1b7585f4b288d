using System.Buffers.Binary;
using System.Collections.Concurrent;
using FastXen.Platform.Net;

namespace FastXen.Platform.Tests.Devices;

/// <summary>The guest's end of a network in tests: builds frames byte by byte, and checks the checksums of what it gets.</summary>
internal sealed class GuestStation : IFrameSink
{
    public static readonly byte[] Mac = [0x52, 0x54, 0, 0x12, 0x34, 0x56];
    public const uint Address = 0x0a00020f;
    public const uint Gateway = 0x0a000202;
    public const uint Dns = 0x0a000203;

    private readonly BlockingCollection<byte[]> frames = [];
    private readonly INetBackend backend;

    public GuestStation(INetBackend backend)
    {
        this.backend = backend;
        backend.Connect(this);
    }

    /// <summary>Frames for which this is true get lost.</summary>
    public Func<byte[], bool> Lose { get; set; } = _ => false;

    public bool Receive(ReadOnlySpan<byte> frame)
    {
        byte[] copy = frame.ToArray();
        if (!Lose(copy))
            frames.Add(copy);
        return true;
    }

    public byte[] Next()
    {
        Assert.True(frames.TryTake(out byte[]? frame, TimeSpan.FromSeconds(30)), "no frame came");
        return frame;
    }

    public bool IsQuiet => frames.Count == 0;

    /// <summary>Returns when the network has finished what it is doing: its lock was free.</summary>
    public void Settle() => SendEthernet(0x1234, []);

    public void SendEthernet(ushort type, ReadOnlySpan<byte> payload)
    {
        byte[] frame = new byte[14 + payload.Length];
        frame.AsSpan(0, 6).Fill(0xff);
        Mac.CopyTo(frame, 6);
        BinaryPrimitives.WriteUInt16BigEndian(frame.AsSpan(12), type);
        payload.CopyTo(frame.AsSpan(14));
        backend.Send(frame);
    }

    public void SendIp(byte protocol, uint destination, ReadOnlySpan<byte> payload, uint source = Address)
    {
        byte[] packet = new byte[20 + payload.Length];
        packet[0] = 0x45;
        BinaryPrimitives.WriteUInt16BigEndian(packet.AsSpan(2), (ushort)packet.Length);
        packet[8] = 64;
        packet[9] = protocol;
        BinaryPrimitives.WriteUInt32BigEndian(packet.AsSpan(12), source);
        BinaryPrimitives.WriteUInt32BigEndian(packet.AsSpan(16), destination);
        payload.CopyTo(packet.AsSpan(20));
        SendEthernet(0x0800, packet);
    }

    public void SendUdp(int from, uint destination, int port, ReadOnlySpan<byte> payload, uint source = Address)
    {
        byte[] datagram = new byte[8 + payload.Length];
        BinaryPrimitives.WriteUInt16BigEndian(datagram, (ushort)from);
        BinaryPrimitives.WriteUInt16BigEndian(datagram.AsSpan(2), (ushort)port);
        BinaryPrimitives.WriteUInt16BigEndian(datagram.AsSpan(4), (ushort)datagram.Length);
        payload.CopyTo(datagram.AsSpan(8));
        SendIp(17, destination, datagram, source);
    }

    /// <summary>The payload of the next frame, which is IP of this protocol and from this source; fragments are put together.</summary>
    public byte[] NextIp(byte protocol, uint source, uint destination = Address)
    {
        List<byte> payload = [];
        while (true)
        {
            byte[] frame = Next();
            Assert.Equal(0x0800, BinaryPrimitives.ReadUInt16BigEndian(frame.AsSpan(12)));
            Assert.InRange(frame.Length, 34, 1514);
            ReadOnlySpan<byte> ip = frame.AsSpan(14);
            Assert.Equal(0x45, ip[0]);
            Assert.Equal(0xffff, Sum(ip[..20], 0));
            Assert.Equal(protocol, ip[9]);
            Assert.Equal(source, BinaryPrimitives.ReadUInt32BigEndian(ip[12..]));
            Assert.Equal(destination, BinaryPrimitives.ReadUInt32BigEndian(ip[16..]));
            int fragment = BinaryPrimitives.ReadUInt16BigEndian(ip[6..]);
            Assert.Equal(payload.Count, (fragment & 0x1fff) * 8);
            payload.AddRange(ip[20..BinaryPrimitives.ReadUInt16BigEndian(ip[2..])]);
            if ((fragment & 0x2000) == 0)
                break;
        }
        byte[] all = [.. payload];
        uint pseudo = protocol == 1 ? 0 : (source >> 16) + (source & 0xffff) + (destination >> 16) + (destination & 0xffff) + protocol + (uint)all.Length;
        Assert.Equal(0xffff, Sum(all, pseudo));
        return all;
    }

    public byte[] NextUdp(uint source, int sourcePort, int port, uint destination = Address)
    {
        byte[] datagram = NextIp(17, source, destination);
        Assert.Equal(sourcePort, BinaryPrimitives.ReadUInt16BigEndian(datagram));
        Assert.Equal(port, BinaryPrimitives.ReadUInt16BigEndian(datagram.AsSpan(2)));
        Assert.Equal(datagram.Length, BinaryPrimitives.ReadUInt16BigEndian(datagram.AsSpan(4)));
        return datagram[8..];
    }

    private static int Sum(ReadOnlySpan<byte> bytes, uint start)
    {
        uint sum = start;
        for (int i = 0; i < bytes.Length; i++)
            sum += (uint)bytes[i] << (i % 2 == 0 ? 8 : 0);
        while (sum > 0xffff)
            sum = (sum & 0xffff) + (sum >> 16);
        return (int)sum;
    }
}
