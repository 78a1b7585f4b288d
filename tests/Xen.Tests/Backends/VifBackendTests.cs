using FastXen.Platform;
using FastXen.Platform.Net;
using FastXen.Platform.Net.Switch;
using FastXen.Platform.Tests.Net;
using FastXen.Xen.Backends;
using FastXen.Xen.Backends.Net;
using FastXen.Xen.Memory;
using FastXen.Xen.Xenstore;

namespace FastXen.Xen.Tests.Backends;

public sealed unsafe class VifBackendTests : IDisposable
{
    private const ulong A = 0x00163e000001, B = 0x00163e000002, Broadcast = 0xffffffffffff;

    private readonly Machine machine = new();
    private readonly XenstoreServer store = new();
    private readonly DriverDomain driver;
    private readonly VirtualSwitch network = new("br0");
    private readonly List<string> reports = [];

    public VifBackendTests()
    {
        driver = new DriverDomain(store) { Report = Note };
    }

    public void Dispose()
    {
        driver.Dispose();
        machine.Dispose();
    }

    private sealed class Wire : INetBackend
    {
        public List<byte[]> Sent { get; } = [];

        public IFrameSink? Sink { get; private set; }

        public bool IsDisposed { get; private set; }

        public bool ChecksumsAreValid => true;

        public bool TakesLargeSegments => false;

        public void Send(ReadOnlySpan<byte> frame)
        {
            lock (Sent)
                Sent.Add(frame.ToArray());
        }

        public void Connect(IFrameSink? sink) => Sink = sink;

        public void Dispose() => IsDisposed = true;
    }

    private void Note(string what)
    {
        lock (reports)
            reports.Add(what);
    }

    private NetFrontend Start(ushort id, out VifBackend device, bool flips = false, INetBackend? own = null, int patience = 100)
    {
        store.Set($"/local/domain/{id}", "", new Permission(id, Access.None));
        Guest guest = machine.Add(id, frames: 128);
        device = driver.AttachNetwork(
            guest.Domain, new NetworkAttachment(0, new MacAddress(A - 1 + id))
            {
                Switch = own == null ? network : null,
                Network = own,
                Patience = TimeSpan.FromMilliseconds(patience),
            });
        return new NetFrontend(guest, store) { Flips = flips };
    }

    private (NetFrontend One, NetFrontend Two) StartTwo(bool large = true, bool flips = false, bool many = true, bool blank = true)
    {
        NetFrontend one = Start(1, out _), two = Start(2, out _, flips);
        one.Connect();
        two.Connect(many, large, blank);
        return (one, two);
    }

    [Fact]
    public void TheStoreSaysWhatTheCardIs()
    {
        NetFrontend front = Start(1, out VifBackend device);
        Assert.Equal("/local/domain/32751/backend/vif/1/0", front.Back);
        Assert.Equal(("00:16:3e:00:00:01", "0"), (front.Store.Read("device/vif/0/mac"), front.Store.Read("device/vif/0/handle")));
        Assert.Equal(("1", "1", "1", "1"), (front.BackNode("feature-sg"), front.BackNode("feature-gso-tcpv4"), front.BackNode("feature-rx-copy"), front.BackNode("feature-rx-flip")));
        Assert.Equal("br0", front.BackNode("bridge"));
        Assert.Throws<DeviceConfigurationException>(() => driver.AttachNetwork(front.Guest.Domain, new NetworkAttachment(0, new MacAddress(B)) { Switch = network }));
        Assert.Throws<DeviceConfigurationException>(() => driver.AttachNetwork(front.Guest.Domain, new NetworkAttachment(1, new MacAddress(B))));
        Assert.Equal(1, network.Ports);
        Assert.True(driver.Detach(device).IsCompletedSuccessfully);
        Assert.Equal((0, 0), (network.Ports, network.KnownAddresses));
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void FramesGoFromDomainToDomain(bool flips)
    {
        (NetFrontend one, NetFrontend two) = StartTwo(flips: flips);
        two.Post(10);
        one.Post(3);
        for (int i = 0; i < 40; i++)
        {
            byte[] frame = NetFrontend.Plain(B, A, 60 + 30 * i, (byte)i);
            Assert.Equal(0, one.Send(frame));
            NetFrontend.Received? received = two.Receive();
            Assert.Equal(frame, received!.Value.Bytes);
            Assert.Equal((0, 0, 1), (received.Value.Flags, received.Value.SegmentSize, received.Value.Slots));
            two.Post(1);
        }
        byte[] back = NetFrontend.Plain(A, B, 100, 7);
        two.Send(back);
        Assert.Equal(back, one.Receive()!.Value.Bytes);
        Assert.True(one.Guest.IsPending(one.Port) && two.Guest.IsPending(two.Port));
        Assert.Equal(10, two.PostedPages);
    }

    [Theory]
    [InlineData(16384)]
    [InlineData(1000)]
    [InlineData(4096)]
    public void AFrameMayLieInSeveralPages(int pieceSize)
    {
        (NetFrontend one, NetFrontend two) = StartTwo();
        two.Post(10);
        byte[] frame = NetFrontend.Plain(B, A, Math.Min(65000, pieceSize * 15), 3);
        new Random(1).NextBytes(frame.AsSpan(14));
        Assert.Equal(0, one.Send(frame, pieceSize: pieceSize));
        NetFrontend.Received received = two.Receive()!.Value;
        Assert.Equal(frame, received.Bytes);
        Assert.Equal((frame.Length + 16383) / 16384, received.Slots);
    }

    [Fact]
    public void ChecksumsAreLeftToThoseWhoCanDoWithoutThem()
    {
        (NetFrontend one, NetFrontend two) = StartTwo();
        two.Post(4);
        byte[] blank = TcpFrames.Make(B, A, "itanium"u8, hasChecksum: false), full = TcpFrames.Make(B, A, "itanium"u8);
        one.Send(blank, NetFrontend.ChecksumBlank | NetFrontend.DataValidated);
        NetFrontend.Received received = two.Receive()!.Value;
        Assert.Equal(blank, received.Bytes);
        Assert.Equal(NetFrontend.ReceivedBlank | NetFrontend.ReceivedValidated, received.Flags);
        one.Send(full, NetFrontend.DataValidated);
        Assert.Equal(NetFrontend.ReceivedValidated, two.Receive()!.Value.Flags);
        one.Send(full);
        Assert.Equal(0, two.Receive()!.Value.Flags);
    }

    [Fact]
    public void ChecksumsArePutInForThoseWhoCannot()
    {
        (NetFrontend one, NetFrontend two) = StartTwo(blank: false);
        two.Post(4);
        one.Send(TcpFrames.Make(B, A, "itanium"u8, hasChecksum: false), NetFrontend.ChecksumBlank);
        NetFrontend.Received received = two.Receive()!.Value;
        Assert.True(TcpFrames.IsRight(received.Bytes));
        Assert.Equal(NetFrontend.ReceivedValidated, received.Flags);
    }

    [Fact]
    public void LargeSegmentsArePassedOnWhole()
    {
        (NetFrontend one, NetFrontend two) = StartTwo();
        two.Post(12);
        var payload = new byte[60_000];
        new Random(1).NextBytes(payload);
        byte[] frame = TcpFrames.Make(B, A, payload, hasChecksum: false);
        Assert.Equal(0, one.Send(frame, NetFrontend.ChecksumBlank | NetFrontend.DataValidated, segmentSize: 1448));
        NetFrontend.Received received = two.Receive()!.Value;
        Assert.Equal(frame, received.Bytes);
        Assert.Equal((1448, NetFrontend.ReceivedBlank | NetFrontend.ReceivedValidated, 5), (received.SegmentSize, received.Flags, received.Slots));
        // In one page as well.
        frame = TcpFrames.Make(B, A, payload.AsSpan(0, 3000), hasChecksum: false);
        one.Send(frame, NetFrontend.ChecksumBlank, segmentSize: 1000);
        received = two.Receive()!.Value;
        Assert.Equal(frame, received.Bytes);
        Assert.Equal((1000, 2), (received.SegmentSize, received.Slots));
    }

    [Theory]
    [InlineData(true, false)]
    [InlineData(false, true)]
    public void LargeSegmentsAreCutForOthers(bool many, bool large)
    {
        (NetFrontend one, NetFrontend two) = StartTwo(many: many, large: large);
        two.Post(50);
        var payload = new byte[60_000];
        new Random(1).NextBytes(payload);
        Assert.Equal(0, one.Send(TcpFrames.Make(B, A, payload, hasChecksum: false), NetFrontend.ChecksumBlank, segmentSize: 1448));
        var joined = new List<byte>();
        while (joined.Count < payload.Length)
        {
            NetFrontend.Received received = two.Receive()!.Value;
            Assert.True(TcpFrames.IsRight(received.Bytes));
            Assert.Equal(NetFrontend.ReceivedValidated, received.Flags);
            joined.AddRange(received.Bytes[TcpFrames.Headers..]);
        }
        Assert.Equal(payload, joined);
    }

    [Fact]
    public void ACardHasANetworkOfItsOwn()
    {
        var wire = new Wire();
        NetFrontend front = Start(1, out VifBackend device, own: wire);
        front.Connect();
        front.Post(4);
        front.Send(TcpFrames.Make(B, A, new byte[3000], hasChecksum: false), NetFrontend.ChecksumBlank, segmentSize: 1448);
        Frontend.Await(() => device.Sent == 1 && wire.Sent.Count == 3);
        Assert.All(wire.Sent, frame => Assert.True(TcpFrames.IsRight(frame)));
        byte[] incoming = NetFrontend.Plain(A, B, 1514, 9);
        Assert.True(wire.Sink!.Receive(incoming));
        NetFrontend.Received received = front.Receive()!.Value;
        Assert.Equal(incoming, received.Bytes);
        Assert.Equal(NetFrontend.ReceivedValidated, received.Flags);
        driver.Detach(front.Guest.Domain);
        Assert.True(wire.IsDisposed);
        Assert.Null(wire.Sink);
    }

    [Fact]
    public void FramesWaitForPages()
    {
        (NetFrontend one, NetFrontend two) = StartTwo();
        byte[][] frames = [.. Enumerable.Range(0, 20).Select(i => NetFrontend.Plain(B, A, 100 + i, (byte)i))];
        foreach (byte[] frame in frames)
            Assert.Equal(0, one.Send(frame));
        foreach (byte[] frame in frames)
        {
            two.Post(1);
            Assert.Equal(frame, two.Receive()!.Value.Bytes);
        }
        // A frame of several pages waits for all of them.
        byte[] large = NetFrontend.Plain(B, A, 40_000, 1);
        two.Post(1);
        one.Send(large);
        two.Post(1);
        Assert.False(two.HasReceived);
        two.Post(1);
        Assert.Equal(large, two.Receive()!.Value.Bytes);
    }

    [Fact]
    public void ASenderWaitsForATakerThatIsFull()
    {
        NetFrontend one = Start(1, out VifBackend sender), two = Start(2, out VifBackend taker, patience: 60_000);
        one.Connect();
        two.Connect();
        byte[] frame = NetFrontend.Plain(B, A, 60_000, 5);
        for (int i = 0; i < 40; i++)
            one.Put(frame);
        one.PushTransmit();
        // More than the queue holds, less than all: the rest stays with the sender. The taker takes in time.
        int received = 0;
        while (received < 40)
        {
            two.Post(4);
            Assert.Equal(frame, two.Receive()!.Value.Bytes);
            received++;
        }
        one.Finish();
        Assert.Equal((40, 40, 0), (sender.Sent, taker.Delivered, taker.Dropped));
    }

    [Fact]
    public void ATakerThatTakesNothingLosesFramesAndHoldsUpNobody()
    {
        NetFrontend one = Start(1, out VifBackend sender), two = Start(2, out VifBackend taker), three = Start(3, out _);
        one.Connect();
        two.Connect();
        three.Connect();
        three.Post(1);
        byte[] frame = NetFrontend.Plain(B, A, 60_000, 5);
        for (int i = 0; i < 100; i++)
            one.Put(frame);
        byte[] last = NetFrontend.Plain(A + 2, A, 60, 6);
        one.Put(last, firstPage: 30);
        one.PushTransmit();
        Assert.Equal(last, three.Receive()!.Value.Bytes);
        Assert.Equal(101, sender.Sent);
        Assert.InRange(taker.Dropped, 80, 96);
        // What was queued is still there; and from then on it is waited for again.
        two.Post(4);
        Assert.Equal(frame, two.Receive()!.Value.Bytes);
    }

    [Fact]
    public void BadFramesAreRefused()
    {
        NetFrontend front = Start(1, out VifBackend device), other = Start(2, out VifBackend taker);
        front.Connect();
        other.Connect();
        other.Post(5);
        uint page = front.Grant(20), foreign = front.Grant(21, domain: 0);
        int Slot(NetFrontend.Part part)
        {
            front.PutSlot(part);
            front.PushTransmit();
            return front.Finish();
        }

        Assert.Equal(-1, Slot(new(page, 0, 13, 0)));
        Assert.Equal(-1, Slot(new(page, 16371, 14, 0)));
        Assert.Equal(-1, Slot(new(page, 65535, 60, 0)));
        Assert.Equal(-1, Slot(new(page, 0, 16385, 0)));
        Assert.Equal(-1, Slot(new(7000, 0, 60, 0)));
        Assert.Equal(-1, Slot(new(foreign, 0, 60, 0)));
        // A frame without its end, and without what its flags say follows.
        Assert.Equal(-1, Slot(new(page, 0, 60, NetFrontend.MoreData)));
        Assert.Equal(-1, Slot(new(page, 0, 60, NetFrontend.ExtraInfo)));
        // The parts are more than the whole.
        front.PutSlot(new(page, 0, 60, NetFrontend.MoreData));
        Assert.Equal(-1, Slot(new(page, 0, 61, 0)));
        // Extra information of no kind, of no known segment, of size 0.
        foreach ((byte type, ushort size, byte kind) in new (byte, ushort, byte)[] { (0, 1448, 1), (4, 1448, 1), (1, 1448, 2), (1, 0, 1) })
        {
            front.PutSlot(new(page, 0, 60, NetFrontend.ExtraInfo));
            front.PutExtra(type, 0, size, kind);
            front.PushTransmit();
            Assert.Equal(-1, front.TakeAnswer());
            Assert.Equal(1, front.TakeAnswer());
        }
        // More slots than a frame can have: all are answered.
        for (int i = 0; i < 99; i++)
            front.PutSlot(new(page, 0, i == 0 ? 16000 : 10, NetFrontend.MoreData));
        Assert.Equal(-1, Slot(new(page, 0, 10, 0)));
        Assert.Equal((14L, 0L), (device.Refused, taker.Delivered));
        // And the ring goes on.
        byte[] good = NetFrontend.Plain(B, A, 60, 1);
        Assert.Equal(0, front.Send(good));
        Assert.Equal(good, other.Receive()!.Value.Bytes);
        front.EndGrants(page);
    }

    [Fact]
    public void PagesThatAreNotThereLoseTheirFrame()
    {
        (NetFrontend one, NetFrontend two) = StartTwo();
        two.PostReference(7000);
        one.Send(NetFrontend.Plain(B, A, 60, 1));
        Assert.Null(two.Receive());
        two.PostReference(two.Grant(50, isReadOnly: true));
        one.Send(NetFrontend.Plain(B, A, 60, 1));
        Assert.Null(two.Receive());
        two.Post(1);
        two.PostReference(7000);
        one.Send(NetFrontend.Plain(B, A, 20_000, 1));
        Assert.Null(two.Receive());
        two.Post(1);
        byte[] good = NetFrontend.Plain(B, A, 60, 2);
        one.Send(good);
        Assert.Equal(good, two.Receive()!.Value.Bytes);
    }

    [Theory]
    [InlineData(5000u)]
    [InlineData(0x8000_0000u)]
    public void ImpossibleIndicesEndTheRings(uint index)
    {
        NetFrontend one = Start(1, out VifBackend device), two = Start(2, out VifBackend taker);
        one.Connect();
        two.Connect();
        Volatile.Write(ref *(uint*)two.ReceivePage, index);
        one.Send(NetFrontend.Plain(B, A, 60, 1));
        Frontend.Await(() => taker.IsBroken);
        one.Send(NetFrontend.Plain(B, A, 60, 1));
        Volatile.Write(ref *(uint*)one.TransmitPage, index);
        one.Kick();
        Frontend.Await(() => device.IsBroken);
        // Anew.
        two.SetState(XenbusState.Initialising);
        one.SetState(XenbusState.Initialising);
        one.Connect();
        two.Connect();
        two.Post(1);
        byte[] good = NetFrontend.Plain(B, A, 60, 2);
        one.Send(good);
        Assert.Equal(good, two.Receive()!.Value.Bytes);
    }

    [Fact]
    public void AFrontendStartsAgain()
    {
        (NetFrontend one, NetFrontend two) = StartTwo();
        // With frames queued for it, and pages with the backend.
        one.Send(NetFrontend.Plain(B, A, 60, 1));
        two.SetState(XenbusState.Closing);
        two.Await(XenbusState.Closing);
        Assert.Equal(0, (two.Flags(two.TransmitReference) | two.Flags(two.ReceiveReference)) & 0x18);
        one.Send(NetFrontend.Plain(B, A, 60, 2));
        two.SetState(XenbusState.Closed);
        two.Await(XenbusState.Closed);
        two.SetState(XenbusState.Initialising);
        two.Connect();
        two.Post(2);
        byte[] frame = NetFrontend.Plain(B, A, 60, 3);
        one.Send(frame);
        Assert.Equal(frame, two.Receive()!.Value.Bytes);
    }

    [Fact]
    public void ADomainDiesWhileOthersSendToIt()
    {
        (NetFrontend one, NetFrontend two) = StartTwo();
        two.Post(20);
        byte[] frame = NetFrontend.Plain(B, A, 60_000, 5);
        for (int i = 0; i < 200; i++)
            one.Put(frame);
        one.PushTransmit();
        DomainMemory memory = two.Guest.Memory;
        two.Receive();
        two.Guest.Domain.Destroy();
        driver.Detach(two.Guest.Domain);
        Frontend.Await(() => one.IsAnswered);
        Assert.False(memory.TryEnter());
        Assert.Equal(1, network.Ports);
        one.Finish();
        Assert.Equal(0, one.Send(frame));
    }
}
