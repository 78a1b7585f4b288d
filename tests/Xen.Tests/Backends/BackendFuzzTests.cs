using FastXen.Xen.Backends;
using FastXen.Xen.Backends.Block;
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
}
