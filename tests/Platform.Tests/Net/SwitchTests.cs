using FastXen.Events;
using FastXen.Platform.Net;
using FastXen.Platform.Net.Switch;

namespace FastXen.Platform.Tests.Net;

public sealed class SwitchTests
{
    private const ulong A = 0x020000000001, B = 0x020000000002, C = 0x020000000003, Broadcast = 0xffffffffffff;

    private readonly VirtualSwitch network = new("br0");

    private sealed class End(LinkFeatures features = LinkFeatures.None) : ILinkEnd
    {
        public List<(byte[] Bytes, FrameOffload Offload)> Frames { get; } = [];

        public bool IsFull { get; set; }

        public IEventSink? Waiter { get; private set; }

        public LinkFeatures Features => features;

        public bool Take(ReadOnlySpan<byte> frame, FrameOffload offload, IEventSink? waiter)
        {
            if (IsFull)
            {
                Waiter = waiter;
                return false;
            }
            Frames.Add((frame.ToArray(), offload));
            return true;
        }
    }

    private sealed class Sink : IEventSink
    {
        public void Signal()
        {
        }
    }

    private sealed class Wire(bool large = false, bool ignores = false) : INetBackend
    {
        public List<byte[]> Sent { get; } = [];

        public IFrameSink? Sink { get; private set; }

        public bool ChecksumsAreValid => ignores;

        public bool TakesLargeSegments => large;

        public bool IgnoresChecksums => ignores;

        public void Send(ReadOnlySpan<byte> frame) => Sent.Add(frame.ToArray());

        public void Connect(IFrameSink? sink) => Sink = sink;

        public void Dispose()
        {
        }
    }

    private static byte[] Frame(ulong to, ulong from, byte mark = 0)
    {
        var frame = new byte[60];
        new MacAddress(to).Write(frame);
        new MacAddress(from).Write(frame.AsSpan(6));
        frame[20] = mark;
        return frame;
    }

    private static bool Send(SwitchPort port, byte[] frame, FrameOffload offload = default, IEventSink? waiter = null) => port.Take(frame, offload, waiter);

    [Fact]
    public void FramesGoWhereTheirAddressIs()
    {
        End a = new(), b = new(), c = new();
        using SwitchPort atA = network.Connect(a), atB = network.Connect(b), atC = network.Connect(c);
        // Nobody is known: everywhere but back.
        Send(atA, Frame(B, A));
        Assert.Equal((0, 1, 1), (a.Frames.Count, b.Frames.Count, c.Frames.Count));
        Send(atB, Frame(A, B));
        Assert.Equal((1, 1, 1), (a.Frames.Count, b.Frames.Count, c.Frames.Count));
        Send(atA, Frame(B, A));
        Send(atC, Frame(Broadcast, C));
        Assert.Equal((2, 3, 1), (a.Frames.Count, b.Frames.Count, c.Frames.Count));
        // To itself, and what is no frame.
        Send(atA, Frame(A, A));
        Send(atA, new byte[13]);
        Assert.Equal((2, 3, 1), (a.Frames.Count, b.Frames.Count, c.Frames.Count));
        // An address moves.
        Send(atC, Frame(B, A));
        Send(atB, Frame(A, B));
        Assert.Equal((2, 4, 2), (a.Frames.Count, b.Frames.Count, c.Frames.Count));
        Assert.Equal((3, 3), (network.Ports, network.KnownAddresses));
        atC.Dispose();
        Assert.Equal((2, 1), (network.Ports, network.KnownAddresses));
        Send(atC, Frame(B, C));
        Assert.Equal(4, b.Frames.Count);
    }

    [Fact]
    public void NobodyTakesACardsAddress()
    {
        End a = new(), b = new(), thief = new();
        using SwitchPort atA = network.Connect(a), atB = network.Connect(b, new MacAddress(B)), atThief = network.Connect(thief);
        Send(atThief, Frame(A, B));
        Send(atThief, Frame(Broadcast, B));
        a.Frames.Clear();
        b.Frames.Clear();
        Send(atA, Frame(B, A));
        Assert.Equal((1, 0), (b.Frames.Count, thief.Frames.Count));
    }

    [Fact]
    public void APortTakesNoRoomWithoutEnd()
    {
        End a = new();
        using SwitchPort atA = network.Connect(a), flood = network.Connect(new End(), new MacAddress(B));
        Send(atA, Frame(C, A));
        for (ulong i = 0; i < 5000; i++)
            Send(flood, Frame(A, 0x060000000000 + i));
        Assert.InRange(network.KnownAddresses, 2, SwitchPort.MaximumLearnt + 2);
        Assert.Equal(5000, a.Frames.Count);
        // Addresses of groups are nobody's.
        int known = network.KnownAddresses;
        Send(atA, Frame(C, 0x030000000000));
        Assert.Equal(known, network.KnownAddresses);
    }

    [Fact]
    public void ASenderWaitsForItsTakerButNotForAnyOfMany()
    {
        End a = new(), b = new(), c = new();
        using SwitchPort atA = network.Connect(a, new MacAddress(A)), atB = network.Connect(b, new MacAddress(B)), atC = network.Connect(c);
        var sink = new Sink();
        b.IsFull = true;
        Assert.False(Send(atA, Frame(B, A), default, sink));
        Assert.Same(sink, b.Waiter);
        Assert.True(Send(atA, Frame(Broadcast, A), default, sink));
        Assert.Null(b.Waiter);
        Assert.Single(c.Frames);
    }

    [Fact]
    public void ChecksumsArePutInForThoseWhoNeedThem()
    {
        End plain = new(), offloading = new(LinkFeatures.BlankChecksums);
        using SwitchPort atA = network.Connect(new End()), p = network.Connect(plain), o = network.Connect(offloading);
        byte[] frame = TcpFrames.Make(Broadcast, A, "itanium"u8, hasChecksum: false);
        Send(atA, frame, new FrameOffload(FrameChecksum.Blank));
        (byte[] bytes, FrameOffload offload) = Assert.Single(plain.Frames);
        Assert.True(TcpFrames.IsRight(bytes));
        Assert.Equal(FrameChecksum.Validated, offload.Checksum);
        (bytes, offload) = Assert.Single(offloading.Frames);
        Assert.Equal(frame, bytes);
        Assert.Equal(FrameChecksum.Blank, offload.Checksum);
    }

    [Theory]
    [InlineData(1448, 40_000)]
    [InlineData(1000, 1000)]
    [InlineData(1000, 1001)]
    [InlineData(1, 3000)]
    [InlineData(1448, 0)]
    public void LargeSegmentsAreCut(int size, int length)
    {
        End plain = new(), large = new(LinkFeatures.LargeSegments | LinkFeatures.BlankChecksums);
        using SwitchPort atA = network.Connect(new End()), p = network.Connect(plain), l = network.Connect(large);
        var payload = new byte[length];
        new Random(length).NextBytes(payload);
        byte[] frame = TcpFrames.Make(Broadcast, A, payload, flags: 0x19, hasChecksum: false);
        Send(atA, frame, new FrameOffload(FrameChecksum.Blank, (ushort)size));
        Assert.Equal(frame, Assert.Single(large.Frames).Bytes);
        Assert.Equal(size, large.Frames[0].Offload.SegmentSize);
        var joined = new List<byte>();
        int segment = Math.Max(size, 256);
        Assert.Equal(Math.Max(1, (length + segment - 1) / segment), plain.Frames.Count);
        foreach ((byte[] bytes, FrameOffload offload) in plain.Frames)
        {
            Assert.True(TcpFrames.IsRight(bytes));
            Assert.Equal(new FrameOffload(FrameChecksum.Validated), offload);
            Assert.Equal(1000 + (uint)joined.Count, TcpFrames.Sequence(bytes));
            joined.AddRange(bytes[TcpFrames.Headers..]);
            // FIN and PSH at the end only.
            Assert.Equal(joined.Count == length ? 0x19 : 0x10, bytes[47]);
        }
        Assert.Equal(payload, joined);
    }

    [Fact]
    public void WhatCannotBeCutIsDropped()
    {
        End plain = new();
        using SwitchPort atA = network.Connect(new End()), p = network.Connect(plain);
        var random = new Random(3);
        byte[] good = TcpFrames.Make(Broadcast, A, new byte[3000], hasChecksum: false);
        Send(atA, Frame(Broadcast, A), new FrameOffload(FrameChecksum.Blank, 1000));
        Assert.Empty(plain.Frames);
        for (int i = 0; i < 3000; i++)
        {
            byte[] bad = good[..random.Next(14, good.Length)];
            for (int n = random.Next(3); n > 0; n--)
                bad[random.Next(12, Math.Min(bad.Length, 60))] = (byte)random.Next(256);
            Send(atA, bad, new FrameOffload(FrameChecksum.Blank, (ushort)random.Next(1, 3000)));
            Send(atA, bad, new FrameOffload(FrameChecksum.Blank));
        }
        Assert.All(plain.Frames, frame => Assert.InRange(frame.Bytes.Length, 14, good.Length));
    }

    [Fact]
    public void TheHostsNetworkIsAPort()
    {
        End a = new();
        Wire wire = new(), clever = new(large: true, ignores: true);
        using SwitchPort atA = network.Connect(a, new MacAddress(A)), w = network.Connect(wire), c = network.Connect(clever);
        byte[] frame = TcpFrames.Make(Broadcast, A, new byte[5000], hasChecksum: false);
        Send(atA, frame, new FrameOffload(FrameChecksum.Blank, 1448));
        Assert.Equal(4, wire.Sent.Count);
        Assert.All(wire.Sent, sent => Assert.True(TcpFrames.IsRight(sent)));
        Assert.Equal(frame, Assert.Single(clever.Sent));
        Assert.True(wire.Sink!.Receive(Frame(A, B)));
        Assert.True(clever.Sink!.Receive(Frame(A, C)));
        Assert.Equal([FrameChecksum.Unchecked, FrameChecksum.Validated], a.Frames.Select(taken => taken.Offload.Checksum));
    }

    [Fact]
    public void AVirtioCardIsAPort()
    {
        End a = new();
        using SwitchPort atA = network.Connect(a, new MacAddress(A));
        using var card = new SwitchNetwork(network, new MacAddress(B));
        var taken = new List<byte[]>();
        card.Connect(new Taker(taken));
        card.Send(Frame(A, B));
        byte[] large = TcpFrames.Make(A, B, new byte[5000]);
        card.Send(large);
        // 1500 less the headers of IP and TCP.
        Assert.Equal([14 + 1500, 14 + 1500, 14 + 1500, TcpFrames.Headers + 5000 - 3 * 1448], a.Frames.Skip(1).Select(frame => frame.Bytes.Length));
        Assert.All(a.Frames.Skip(1), frame => Assert.True(TcpFrames.IsRight(frame.Bytes)));
        Send(atA, TcpFrames.Make(B, A, "itanium"u8, hasChecksum: false), new FrameOffload(FrameChecksum.Blank));
        Assert.True(TcpFrames.IsRight(Assert.Single(taken)));
    }

    private sealed class Taker(List<byte[]> taken) : IFrameSink
    {
        public bool Receive(ReadOnlySpan<byte> frame)
        {
            taken.Add(frame.ToArray());
            return true;
        }
    }
}
