using FastXen.Platform.Block;
using FastXen.Platform.Net;
using FastXen.Xen.Backends;
using FastXen.Xen.Backends.Block;
using FastXen.Xen.Backends.Net;
using FastXen.Xen.Xenstore;
using Segment = FastXen.Xen.Tests.Backends.BlockFrontend.Segment;

namespace FastXen.Xen.Tests.Backends;

/// <summary>What the device threads allocate from one request to the next: nothing.</summary>
public sealed class AllocationTests : IDisposable
{
    private readonly Machine machine = new();
    private readonly XenstoreServer store = new();
    private readonly DriverDomain driver;
    private readonly Meter meter = new();

    public AllocationTests()
    {
        driver = new DriverDomain(store);
        store.Set("/local/domain/1", "", new Permission(1, Access.None));
    }

    public void Dispose()
    {
        driver.Dispose();
        machine.Dispose();
    }

    // At the far end, on the device's thread.
    private sealed class Meter : IBlockBackend, INetBackend
    {
        private int thread;
        private long last;

        public int Free { get; private set; }

        public int Costly { get; private set; }

        public long Length => 1 << 20;

        public bool IsReadOnly => false;

        public bool ChecksumsAreValid => true;

        public bool TakesLargeSegments => true;

        public bool IgnoresChecksums => true;

        public void Read(long position, Span<byte> buffer) => Mark();

        public void Write(long position, ReadOnlySpan<byte> buffer) => Mark();

        public void Send(ReadOnlySpan<byte> frame) => Mark();

        public void Flush()
        {
        }

        public void Connect(IFrameSink? sink)
        {
        }

        public void Dispose()
        {
        }

        private void Mark()
        {
            long now = GC.GetAllocatedBytesForCurrentThread();
            if (thread == Environment.CurrentManagedThreadId)
            {
                if (now == last)
                    Free++;
                else
                    Costly++;
            }
            thread = Environment.CurrentManagedThreadId;
            last = now;
        }
    }

    [Fact]
    public void DisksAllocateNothing()
    {
        Guest guest = machine.Add(1, frames: 64);
        driver.AttachDisk(guest.Domain, new DiskAttachment("xvda", meter));
        var front = new BlockFrontend(guest, store);
        front.Connect();
        Segment page = new(front.Grant(20), 0, 31), other = new(front.Grant(21), 0, 31);
        for (int round = 0; round < 10; round++)
        {
            for (int i = 0; i < 100; i++)
                front.Put(i % 2 == 0 ? BlockFrontend.Write_ : BlockFrontend.Read, 0, page, other);
            front.Push();
            for (int i = 0; i < 100; i++)
                Assert.Equal(BlockFrontend.Okay, front.Take().Status);
        }
        Assert.InRange(meter.Free, Math.Max(500, 20 * meter.Costly), int.MaxValue);
    }

    [Fact]
    public void CardsAllocateNothing()
    {
        Guest guest = machine.Add(1, frames: 64);
        driver.AttachNetwork(guest.Domain, new NetworkAttachment(0, new MacAddress(0x00163e000001)) { Network = meter });
        var front = new NetFrontend(guest, store);
        front.Connect();
        byte[] frame = NetFrontend.Plain(1, 2, 20_000, 1);
        for (int round = 0; round < 10; round++)
        {
            for (int i = 0; i < 100; i++)
                front.Put(frame);
            front.PushTransmit();
            front.Finish();
        }
        Assert.InRange(meter.Free, Math.Max(500, 20 * meter.Costly), int.MaxValue);
    }
}
