using System.Buffers.Binary;

namespace FastXen.Platform.Tests.Devices;

/// <summary>A model of the guest's side of one TCP connection: acknowledges what comes in order, and nothing on its own.</summary>
internal sealed class GuestTcp(GuestStation station, uint remote, int remotePort, int port)
{
    public const int Fin = 1;
    public const int Syn = 2;
    public const int Rst = 4;
    public const int Ack = 16;

    private const int Scale = 2;

    public sealed record Segment(uint Sequence, uint Acknowledgment, int Flags, int Window, byte[] Options, byte[] Payload);

    public uint Next { get; set; } = 1000;

    public uint Expected { get; set; }

    /// <summary>Bytes that the guest says it can take.</summary>
    public int Window { get; set; } = 65536;

    public int PeerScale { get; private set; }

    public void Send(int flags, ReadOnlySpan<byte> payload = default, uint? sequence = null, byte[]? options = null)
    {
        int header = 20 + (options?.Length ?? 0);
        byte[] bytes = new byte[header + payload.Length];
        BinaryPrimitives.WriteUInt16BigEndian(bytes, (ushort)port);
        BinaryPrimitives.WriteUInt16BigEndian(bytes.AsSpan(2), (ushort)remotePort);
        BinaryPrimitives.WriteUInt32BigEndian(bytes.AsSpan(4), sequence ?? Next);
        BinaryPrimitives.WriteUInt32BigEndian(bytes.AsSpan(8), (flags & Ack) != 0 ? Expected : 0);
        bytes[12] = (byte)(header / 4 << 4);
        bytes[13] = (byte)flags;
        int window = (flags & Syn) != 0 ? Math.Min(Window, 65535) : Window >> Scale;
        BinaryPrimitives.WriteUInt16BigEndian(bytes.AsSpan(14), (ushort)window);
        options?.CopyTo(bytes, 20);
        payload.CopyTo(bytes.AsSpan(header));
        station.SendIp(6, remote, bytes);
        if (sequence is null)
            Next += (uint)payload.Length + ((flags & (Syn | Fin)) != 0 ? 1u : 0);
    }

    public void SendSyn(int flags = Syn) => Send(flags, options: [2, 4, 1000 >> 8, 1000 & 255, 1, 3, 3, Scale]);

    public Segment Receive()
    {
        byte[] bytes = station.NextIp(6, remote);
        Assert.Equal(remotePort, BinaryPrimitives.ReadUInt16BigEndian(bytes));
        Assert.Equal(port, BinaryPrimitives.ReadUInt16BigEndian(bytes.AsSpan(2)));
        int header = (bytes[12] >> 4) * 4;
        return new Segment(BinaryPrimitives.ReadUInt32BigEndian(bytes.AsSpan(4)), BinaryPrimitives.ReadUInt32BigEndian(bytes.AsSpan(8)),
            bytes[13], BinaryPrimitives.ReadUInt16BigEndian(bytes.AsSpan(14)), bytes[20..header], bytes[header..]);
    }

    /// <summary>Receives segments until one is what is wanted.</summary>
    public Segment ReceiveUntil(Func<Segment, bool> wanted)
    {
        while (true)
        {
            Segment segment = Receive();
            if (wanted(segment))
                return segment;
        }
    }

    /// <summary>Opens the connection as the caller.</summary>
    public void Connect()
    {
        SendSyn();
        Segment answer = Receive();
        Assert.Equal(Syn | Ack, answer.Flags);
        Assert.Equal(Next, answer.Acknowledgment);
        Assert.Equal([2, 4, 1460 >> 8, 1460 & 255, 1, 3, 3], answer.Options[..7]);
        PeerScale = answer.Options[7];
        Expected = answer.Sequence + 1;
        Send(Ack);
    }

    /// <summary>Receives and acknowledges this many bytes.</summary>
    public byte[] ReceiveBytes(int count)
    {
        List<byte> all = [];
        while (all.Count < count)
        {
            Segment segment = Receive();
            Assert.Equal(0, segment.Flags & (Syn | Rst));
            Assert.InRange(segment.Payload.Length, 0, 1000);
            if (segment.Sequence == Expected)
            {
                all.AddRange(segment.Payload);
                Expected += (uint)segment.Payload.Length;
            }
            if (segment.Payload.Length > 0)
                Send(Ack);
        }
        return [.. all];
    }
}
