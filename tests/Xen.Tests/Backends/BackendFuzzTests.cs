using FastXen.Platform.Net;
using FastXen.Platform.Net.Switch;
using FastXen.Platform.Tests.Net;
using FastXen.Xen.Backends;
using FastXen.Xen.Backends.Block;
using FastXen.Xen.Backends.Net;
using FastXen.Xen.Memory;
using FastXen.Xen.Xenstore;
using Segment = FastXen.Xen.Tests.Backends.BlockFrontend.Segment;

namespace FastXen.Xen.Tests.Backends;

/// <summary>Rings and nodes of a hostile guest, seeded; a neighbour goes on working, and only granted frames are touched.</summary>
public sealed unsafe class BackendFuzzTests : IDisposable
{
    private const int Rounds = 150;
    private const byte Guard = 0xa5;

    private readonly Machine machine = new();
    private readonly XenstoreServer store = new();
    private readonly DriverDomain driver;
    private readonly List<string> reports = [];

    public BackendFuzzTests()
    {
        driver = new DriverDomain(store) { Report = Note };
    }

    public void Dispose()
    {
        driver.Dispose();
        machine.Dispose();
    }

    private void Note(string what)
    {
        lock (reports)
            reports.Add(what);
    }

    private Guest AddGuest(ushort id)
    {
        store.Set($"/local/domain/{id}", "", new Permission(id, Access.None));
        return machine.Add(id, frames: 100);
    }

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    public void BlockRingsAndNodes(int seed)
    {
        Guest bad = AddGuest(1), good = AddGuest(2);
        VbdBackend device = driver.AttachDisk(bad.Domain, new DiskAttachment("xvda", new MemoryDisk(512)));
        driver.AttachDisk(good.Domain, new DiskAttachment("xvda", new MemoryDisk(8)));
        var front = new BlockFrontend(bad, store);
        var neighbour = new BlockFrontend(good, store);
        neighbour.Connect();
        Segment page = new(neighbour.Grant(20), 0, 0);
        var random = new Random(seed);
        // Frames 50 to 99 are never granted.
        new Span<byte>(bad.Host(50), 50 * Frame.Size).Fill(Guard);
        front.Connect();
        uint first = front.NextReference;
        for (uint i = 0; i < 64; i++)
            front.Grant(20 + i % 16, isReadOnly: random.Next(3) == 0, domain: random.Next(8) == 0 ? 0u : DomainIds.Host);
        for (int round = 0; round < Rounds; round++)
        {
            var ring = new Span<byte>(front.Ring, Frame.Size);
            if (random.Next(2) == 0)
                random.NextBytes(ring[64..]);
            for (int slot = 0; slot < 128 && random.Next(4) != 0; slot++)
            {
                Span<byte> request = ring.Slice(64 + 112 * slot, 112);
                request[0] = (byte)random.Next(8);
                request[1] = (byte)random.Next(14);
                *(ulong*)(front.Ring + 64 + 112 * slot + 16) = (ulong)random.Next(520);
                for (int i = 0; i < 11; i++)
                    BlockFrontend.PutSegment(front.Ring + 64 + 112 * slot + 24 + 8 * i, new Segment((uint)random.Next(80), (byte)random.Next(6), (byte)random.Next(34)));
            }
            for (uint i = 0; i < 4; i++)
                *front.Entry(first + (uint)random.Next(64)) ^= 1u << random.Next(3);
            uint producer = random.Next(20) == 0 ? (uint)random.Next() : *(uint*)(front.Ring + 8) + (uint)random.Next(100);
            Volatile.Write(ref *(uint*)front.Ring, producer);
            bad.Domain.EventChannels.Send((uint)front.Port);
            // Time for some of it to be done.
            Assert.Equal(BlockFrontend.Okay, neighbour.Do(BlockFrontend.Read, 0, page));
            if (random.Next(5) == 0)
            {
                string node = new[] { "ring-ref", "event-channel", "protocol", "state", "state" }[random.Next(5)];
                object value = random.Next(4) switch { 0 => random.Next(9), 1 => front.RingReference, 2 => "junk\0", _ => (long)random.Next() * random.Next() };
                front.Store.Write($"{front.Path}/{node}", value.ToString()!);
            }
            if (random.Next(20) == 0)
                front.Store.Remove($"{front.Path}/state");
            if (round % 10 == 9)
            {
                front.SetState(XenbusState.Initialising);
                front.Await(XenbusState.InitWait);
                front.Connect();
            }
        }
        Assert.Equal(-1, new Span<byte>(bad.Host(50), 50 * Frame.Size).IndexOfAnyExcept(Guard));
        driver.Detach(bad.Domain);
        Assert.InRange(device.Requests, 100, long.MaxValue);
        Assert.All(reports, line => Assert.Contains("cannot be connected", line));
        // No use of a grant is left.
        for (ulong gpfn = 0; gpfn < 100; gpfn++)
            Assert.False(bad.Memory.IsPinned(gpfn));
    }

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    public void NetworkRingsAndNodes(int seed)
    {
        const ulong own = 0x00163e000001;
        var network = new VirtualSwitch("br0");
        Guest bad = AddGuest(1), good = AddGuest(2), third = AddGuest(3);
        VifBackend device = driver.AttachNetwork(bad.Domain, new NetworkAttachment(0, new MacAddress(own)) { Switch = network });
        driver.AttachNetwork(good.Domain, new NetworkAttachment(0, new MacAddress(own + 1)) { Switch = network });
        driver.AttachNetwork(third.Domain, new NetworkAttachment(0, new MacAddress(own + 2)) { Switch = network });
        var front = new NetFrontend(bad, store);
        NetFrontend neighbour = new(good, store), other = new(third, store);
        neighbour.Connect();
        other.Connect(many: false, large: false, blank: false);
        other.Post(4);
        var random = new Random(seed);
        // Frames 60 to 99 are never granted.
        new Span<byte>(bad.Host(60), 40 * Frame.Size).Fill(Guard);
        front.Connect();
        uint first = front.NextReference;
        for (uint i = 0; i < 64; i++)
            front.Grant(12 + i % 40, isReadOnly: random.Next(3) == 0, flags: random.Next(8) == 0 ? 2u : 1u, domain: random.Next(8) == 0 ? 0u : DomainIds.Host);
        for (int round = 0; round < Rounds; round++)
        {
            // Frames to the neighbours, to all, and to the one that takes nothing.
            for (ulong gpfn = 12; gpfn < 52; gpfn++)
            {
                byte[] frame = TcpFrames.Make(random.Next(5) == 0 ? 0xffffffffffff : own + (uint)random.Next(4), own, new byte[1400], hasChecksum: false);
                frame[random.Next(6, 60)] = (byte)random.Next(256);
                frame.CopyTo(new Span<byte>(bad.Host(gpfn), Frame.Size));
            }
            uint transmitted = *(uint*)(front.TransmitPage + 8), received = *(uint*)(front.ReceivePage + 8);
            for (uint slot = 0; slot < 200; slot++)
            {
                byte* request = front.TransmitPage + 64 + 12 * ((transmitted + slot) & 1023);
                *(uint*)request = (uint)random.Next(80);
                *(ushort*)(request + 4) = (ushort)random.Next(random.Next(8) == 0 ? 65536 : 4);
                *(ushort*)(request + 6) = (ushort)(random.Next(3) == 0 ? random.Next(16) : 1);
                *(ushort*)(request + 10) = (ushort)random.Next(random.Next(4) == 0 ? 65536 : 1500);
                *(uint*)(front.ReceivePage + 64 + 8 * ((received + slot) & 1023) + 4) = (uint)random.Next(80);
            }
            for (uint i = 0; i < 4; i++)
                *front.Entry(first + (uint)random.Next(64)) ^= 1u << random.Next(3);
            Volatile.Write(ref *(uint*)front.TransmitPage, random.Next(20) == 0 ? (uint)random.Next() : transmitted + (uint)random.Next(200));
            Volatile.Write(ref *(uint*)front.ReceivePage, random.Next(20) == 0 ? (uint)random.Next() : received + (uint)random.Next(200));
            bad.Domain.EventChannels.Send((uint)front.Port);
            if (random.Next(5) == 0)
            {
                string node = new[] { "tx-ring-ref", "rx-ring-ref", "event-channel", "request-rx-copy", "feature-sg", "state", "state" }[random.Next(7)];
                object value = random.Next(4) switch { 0 => random.Next(9), 1 => front.TransmitReference, 2 => "junk\0", _ => (long)random.Next() * random.Next() };
                front.Store.Write($"{front.Path}/{node}", value.ToString()!);
            }
            // The neighbours go on.
            byte[] plain = NetFrontend.Plain(own + 2, own + 1, 200, (byte)round);
            Assert.Equal(0, neighbour.Send(plain));
            while (!other.Receive()!.Value.Bytes.AsSpan().SequenceEqual(plain))
                other.Post(1);
            other.Post(1);
            if (round % 10 == 9)
            {
                front.SetState(XenbusState.Initialising);
                front.Await(XenbusState.InitWait);
                front.Connect();
            }
        }
        driver.Detach(bad.Domain);
        Assert.Equal(-1, new Span<byte>(bad.Host(60), 40 * Frame.Size).IndexOfAnyExcept(Guard));
        Assert.InRange(device.Sent, 100, long.MaxValue);
        Assert.InRange(device.Refused, 10, long.MaxValue);
        Assert.All(reports, line => Assert.Contains("cannot be connected", line));
        for (ulong gpfn = 0; gpfn < 100; gpfn++)
            Assert.False(bad.Memory.IsPinned(gpfn));
    }
}
