using FastXen.Platform;
using FastXen.Platform.Block;
using FastXen.Xen.Backends;
using FastXen.Xen.Backends.Block;
using FastXen.Xen.Memory;
using FastXen.Xen.Tests.Xenstore;
using FastXen.Xen.Xenstore;
using Segment = FastXen.Xen.Tests.Backends.BlockFrontend.Segment;

namespace FastXen.Xen.Tests.Backends;

public sealed unsafe class VbdBackendTests : IDisposable
{
    private const int Sectors = 4096;

    private readonly Machine machine = new();
    private readonly XenstoreServer store = new();
    private readonly DriverDomain driver;
    private readonly MemoryDisk disk = new(Sectors);
    private readonly List<string> reports = [];

    public VbdBackendTests()
    {
        driver = new DriverDomain(store) { Report = Note };
        new Random(1).NextBytes(disk.Content);
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
        return machine.Add(id, frames: 400);
    }

    private BlockFrontend Start(out VbdBackend device, IBlockBackend? image = null, bool isReadOnly = false, Guest? guest = null)
    {
        guest ??= AddGuest(1);
        device = driver.AttachDisk(guest.Domain, new DiskAttachment("xvda", image ?? disk) { IsReadOnly = isReadOnly });
        var front = new BlockFrontend(guest, store);
        front.Connect();
        return front;
    }

    private static Span<byte> Page(Frontend front, ulong gpfn) => new(front.Guest.Host(gpfn), Frame.Size);

    private static bool IsFree(DomainMemory memory)
    {
        if (!memory.TryEnter())
            return true;
        memory.Leave();
        return false;
    }

    [Theory]
    [InlineData("xvda", 51712u)]
    [InlineData("xvdb", 51728u)]
    [InlineData("xvdp", 51952u)]
    [InlineData("xvdq", 268439552u)]
    [InlineData("hda", 768u)]
    [InlineData("hdd", 5696u)]
    [InlineData("sdb", 2064u)]
    [InlineData("51712", 51712u)]
    public void DisksHaveTheNumbersOfTheirNames(string name, uint number) => Assert.Equal(number, VirtualDiskName.Parse(name));

    [Theory]
    [InlineData("")]
    [InlineData("xvd")]
    [InlineData("xvdA")]
    [InlineData("hde")]
    [InlineData("sdz")]
    [InlineData("vda")]
    [InlineData("xvd\u1234")]
    public void OtherNamesAreRefused(string name) =>
        Assert.Contains("expected xvda", Assert.Throws<DeviceConfigurationException>(() => VirtualDiskName.Parse(name)).Message);

    [Fact]
    public void TheStoreSaysWhatTheDiskIs()
    {
        BlockFrontend front = Start(out VbdBackend device);
        Assert.Equal("/local/domain/32751/backend/vbd/1/51712", front.Back);
        Assert.Equal(("51712", "disk"), (front.Store.Read("device/vbd/51712/virtual-device"), front.Store.Read("device/vbd/51712/device-type")));
        Assert.Equal(("4096", "512", "0", "w"), (front.BackNode("sectors"), front.BackNode("sector-size"), front.BackNode("info"), front.BackNode("mode")));
        Assert.Equal(("1", "1", "256"), (front.BackNode("feature-barrier"), front.BackNode("feature-flush-cache"), front.BackNode("feature-max-indirect-segments")));
        Assert.Equal("51712", front.Store.List("device/vbd"));
        // The guest reads the backend's nodes and writes none; another guest sees nothing.
        Assert.Equal("EACCES", front.Store.Write($"{front.Back}/state", "6").TrimStart('!'));
        var other = new StoreTester(store, 2);
        Assert.Equal("!EACCES", other.Read($"{front.Back}/state"));
        Assert.Equal("!EACCES", other.Read("/local/domain/1/device/vbd/51712/state"));
        Assert.Throws<DeviceConfigurationException>(() => driver.AttachDisk(front.Guest.Domain, new DiskAttachment("51712", disk)));
        Assert.Equal([device], driver.DevicesOf(front.Guest.Domain));
    }

    [Fact]
    public void SectorsAreReadAndWritten()
    {
        BlockFrontend front = Start(out VbdBackend device);
        uint first = front.NextReference;
        Segment a = new(front.Grant(20), 3, 31), b = new(front.Grant(21), 0, 0);
        Assert.Equal(BlockFrontend.Okay, front.Do(BlockFrontend.Read, 100, a, b));
        Assert.True(Page(front, 20)[1536..].SequenceEqual(disk.Content.AsSpan(51200, 29 * 512)));
        Assert.True(Page(front, 21)[..512].SequenceEqual(disk.Content.AsSpan(129 * 512, 512)));
        Assert.Equal(-1, Page(front, 20)[..1536].IndexOfAnyExcept((byte)0));
        Assert.Equal(-1, Page(front, 21)[512..].IndexOfAnyExcept((byte)0));

        Page(front, 22).Fill(0x77);
        Assert.Equal(BlockFrontend.Okay, front.Do(BlockFrontend.Write_, Sectors - 32, new Segment(front.Grant(22, isReadOnly: true), 0, 31)));
        Assert.Equal(-1, disk.Content.AsSpan((Sectors - 32) * 512).IndexOfAnyExcept((byte)0x77));
        Assert.Equal((30 * 512L, 32 * 512L, 2L, 0L), (device.BytesRead, device.BytesWritten, device.Requests, device.Errors));
        // Nothing stays mapped.
        front.EndGrants(first);
        Assert.True(front.Guest.IsPending(front.Port));
    }

    [Fact]
    public void FullRingsInBothDirections()
    {
        BlockFrontend front = Start(out _);
        Segment page = new(front.Grant(20), 0, 0);
        for (int round = 0; round < 5; round++)
        {
            for (int i = 0; i < 128; i++)
                front.Put(i % 2 == 0 ? BlockFrontend.Write_ : BlockFrontend.Read, (ulong)i, page);
            front.Push();
            for (int i = 0; i < 128; i++)
                Assert.Equal(((ulong)(round * 128 + i + 1), BlockFrontend.Okay), (front.Take().Id, BlockFrontend.Okay));
        }
    }

    [Fact]
    public void FlushesAndBarriersOrderWrites()
    {
        BlockFrontend front = Start(out _);
        Segment page = new(front.Grant(20), 0, 7);
        Assert.Equal(BlockFrontend.Okay, front.Do(BlockFrontend.Write_, 8, page));
        Assert.Equal(BlockFrontend.Okay, front.Do(BlockFrontend.Flush, 0));
        Assert.Equal(BlockFrontend.Okay, front.Do(BlockFrontend.Barrier, 16, page));
        Assert.Equal(BlockFrontend.Okay, front.Do(BlockFrontend.Barrier, 0));
        Assert.Equal(BlockFrontend.Okay, front.Do(BlockFrontend.Flush, 24, page));
        Assert.Equal(
            ["write 8+8", "flush", "flush", "write 16+8", "flush", "flush", "flush", "write 24+8", "flush"], disk.Log);
    }

    [Fact]
    public void IndirectRequestsTakeTheirSegmentsFromAPage()
    {
        BlockFrontend front = Start(out _);
        for (int i = 0; i < VbdBackend.MaximumIndirectSegments; i++)
            BlockFrontend.PutSegment(front.Guest.Host(11) + 8 * i, new Segment(front.Grant(100 + (ulong)i), 2, 13));
        uint list = front.Grant(11, isReadOnly: true);
        Assert.Equal(BlockFrontend.Okay, front.Finish(front.PutIndirect(BlockFrontend.Read, 500, 256, list), BlockFrontend.Indirect));
        for (int i = 0; i < 256; i++)
            Assert.True(Page(front, 100 + (ulong)i).Slice(1024, 12 * 512).SequenceEqual(disk.Content.AsSpan((500 + 12 * i) * 512, 12 * 512)));
        Page(front, 100).Fill(3);
        Assert.Equal(BlockFrontend.Okay, front.Finish(front.PutIndirect(BlockFrontend.Write_, 0, 1, list), BlockFrontend.Indirect));
        Assert.Equal(12 * 512, disk.Content.AsSpan().IndexOfAnyExcept((byte)3));
        Assert.Equal(BlockFrontend.Error, front.Finish(front.PutIndirect(BlockFrontend.Read, 0, 0, list), BlockFrontend.Indirect));
        Assert.Equal(BlockFrontend.Error, front.Finish(front.PutIndirect(BlockFrontend.Read, 0, 257, list), BlockFrontend.Indirect));
        Assert.Equal(BlockFrontend.Error, front.Finish(front.PutIndirect(BlockFrontend.Barrier, 0, 1, list), BlockFrontend.Indirect));
        Assert.Equal(BlockFrontend.Error, front.Finish(front.PutIndirect(BlockFrontend.Read, 0, 1, 7000), BlockFrontend.Indirect));
    }

    [Fact]
    public void DiscardedSectorsAreLetGo()
    {
        BlockFrontend front = Start(out _);
        Assert.Equal(BlockFrontend.Unsupported, front.Finish(front.PutDiscard(0, 8), BlockFrontend.Discard));
        Assert.Equal(BlockFrontend.Error, front.Finish(front.PutDiscard(Sectors, 1), BlockFrontend.Discard));
        Assert.Equal(BlockFrontend.Error, front.Finish(front.PutDiscard(1, ulong.MaxValue), BlockFrontend.Discard));
    }

    [Fact]
    public void BadRequestsAreAnsweredWithErrors()
    {
        BlockFrontend front = Start(out VbdBackend device);
        uint page = front.Grant(20), readOnly = front.Grant(21, isReadOnly: true), foreign = front.Grant(22, domain: 0);
        Segment good = new(page, 0, 0);
        Assert.Equal(BlockFrontend.Error, front.Do(BlockFrontend.Read, 0));
        Assert.Equal(BlockFrontend.Error, front.Do(BlockFrontend.Read, 0, Enumerable.Repeat(good, 12).ToArray()));
        Assert.Equal(BlockFrontend.Error, front.Do(BlockFrontend.Read, 0, Enumerable.Repeat(good, 255).ToArray()));
        Assert.Equal(BlockFrontend.Error, front.Do(BlockFrontend.Flush, 0, Enumerable.Repeat(good, 12).ToArray()));
        Assert.Equal(BlockFrontend.Error, front.Do(BlockFrontend.Read, 0, new Segment(page, 1, 0)));
        Assert.Equal(BlockFrontend.Error, front.Do(BlockFrontend.Read, 0, new Segment(page, 0, 32)));
        Assert.Equal(BlockFrontend.Error, front.Do(BlockFrontend.Read, 0, new Segment(page, 255, 255)));
        Assert.Equal(BlockFrontend.Error, front.Do(BlockFrontend.Read, Sectors, good));
        Assert.Equal(BlockFrontend.Error, front.Do(BlockFrontend.Read, ulong.MaxValue, good));
        Assert.Equal(BlockFrontend.Error, front.Do(BlockFrontend.Read, Sectors - 1, good, good));
        Assert.Equal(BlockFrontend.Error, front.Do(BlockFrontend.Write_, 1UL << 63, good));
        Assert.Equal(BlockFrontend.Error, front.Do(BlockFrontend.Read, 0, good, new Segment(7000, 0, 0)));
        Assert.Equal(BlockFrontend.Error, front.Do(BlockFrontend.Read, 0, good, new Segment(uint.MaxValue, 0, 0)));
        Assert.Equal(BlockFrontend.Error, front.Do(BlockFrontend.Read, 0, new Segment(readOnly, 0, 0)));
        Assert.Equal(BlockFrontend.Error, front.Do(BlockFrontend.Read, 0, new Segment(foreign, 0, 0)));
        Assert.Equal(BlockFrontend.Unsupported, front.Do(4, 0, good));
        Assert.Equal(BlockFrontend.Unsupported, front.Do(7, 0, good));
        Assert.Equal(BlockFrontend.Unsupported, front.Do(255, 0));
        Assert.DoesNotContain(disk.Log, line => line != "flush");
        Assert.Equal(device.Requests, device.Errors);
        Assert.Equal(BlockFrontend.Okay, front.Do(BlockFrontend.Write_, 0, new Segment(readOnly, 0, 0)));
        front.EndGrants(page);
    }

    [Fact]
    public void ADiskThatIsReadOnlyIsNotWritten()
    {
        BlockFrontend front = Start(out _, isReadOnly: true);
        Assert.Equal(("r", "4", "0"), (front.BackNode("mode"), front.BackNode("info"), front.BackNode("feature-barrier")));
        Segment page = new(front.Grant(20), 0, 0);
        foreach (byte operation in new[] { BlockFrontend.Write_, BlockFrontend.Barrier, BlockFrontend.Flush })
            Assert.Equal(BlockFrontend.Error, front.Do(operation, 0, page));
        Assert.Equal(BlockFrontend.Unsupported, front.Finish(front.PutDiscard(0, 8), BlockFrontend.Discard));
        Assert.Equal(BlockFrontend.Okay, front.Do(BlockFrontend.Read, 0, page));
        Assert.Equal(["read 0+1"], disk.Log);
    }

    [Fact]
    public void ErrorsOfTheHostReachTheGuest()
    {
        BlockFrontend front = Start(out VbdBackend device);
        Segment page = new(front.Grant(20), 0, 0);
        disk.Fault = new IOException("the disk is full");
        Assert.Equal(BlockFrontend.Error, front.Do(BlockFrontend.Write_, 0, page));
        Assert.Contains(reports, line => line.Contains("the disk is full"));
        disk.Fault = null;
        Assert.Equal(BlockFrontend.Okay, front.Do(BlockFrontend.Write_, 0, page));
        // A defect of ours ends this device, and no other.
        Guest other = AddGuest(2);
        var second = new MemoryDisk(8);
        BlockFrontend good = Start(out _, second, guest: other);
        disk.Fault = new InvalidOperationException("a defect");
        front.Put(BlockFrontend.Read, 0, page);
        front.Push();
        front.Await(XenbusState.Closing);
        disk.Fault = null;
        Assert.Equal(0, front.Flags(page.Reference) & 0x18);
        Assert.Equal(BlockFrontend.Okay, good.Do(BlockFrontend.Read, 0, new Segment(good.Grant(20), 0, 0)));
    }

    [Theory]
    [InlineData(129u)]
    [InlineData(0x8000_0000u)]
    [InlineData(uint.MaxValue)]
    public void AnImpossibleIndexEndsTheRingUntilTheNextConnection(uint index)
    {
        BlockFrontend front = Start(out VbdBackend device);
        *(uint*)front.Ring = index;
        front.Kick();
        Frontend.Await(() => device.IsBroken);
        front.SetState(XenbusState.Closing);
        front.Await(XenbusState.Closing);
        front.SetState(XenbusState.Closed);
        front.Await(XenbusState.Closed);
        front.SetState(XenbusState.Initialising);
        front.Connect();
        Assert.Equal(BlockFrontend.Okay, front.Do(BlockFrontend.Read, 0, new Segment(front.Grant(20), 0, 0)));
    }

    [Fact]
    public void AFrontendStartsAgain()
    {
        BlockFrontend front = Start(out VbdBackend device);
        uint ring = front.RingReference;
        Assert.NotEqual(0, front.Flags(ring) & 0x18);
        // Orderly.
        front.SetState(XenbusState.Closing);
        front.Await(XenbusState.Closing);
        Assert.Equal(0, front.Flags(ring) & 0x18);
        front.SetState(XenbusState.Closed);
        front.Await(XenbusState.Closed);
        front.SetState(XenbusState.Initialising);
        front.RingFrame = 12;
        front.Connect();
        Segment page = new(front.Grant(20), 0, 0);
        Assert.Equal(BlockFrontend.Okay, front.Do(BlockFrontend.Read, 0, page));
        // Without a word: another kernel of the same domain.
        front.SetState(XenbusState.Initialising);
        front.Await(XenbusState.InitWait);
        front.RingFrame = 13;
        front.Connect();
        Assert.Equal(BlockFrontend.Okay, front.Do(BlockFrontend.Read, 0, page));
        // So fast that the states between were not seen.
        front.RingFrame = 14;
        front.Publish();
        front.SetState(XenbusState.Initialised);
        Frontend.Await(() => (front.Flags(front.RingReference) & 0x18) != 0);
        Assert.Equal(BlockFrontend.Okay, front.Do(BlockFrontend.Read, 0, page));
        Assert.Equal(XenbusState.Connected, device.State);
    }

    [Theory]
    [InlineData("ring-ref", "70000")]
    [InlineData("ring-ref", "x")]
    [InlineData("ring-ref", "99999999999999")]
    [InlineData("event-channel", "0")]
    [InlineData("event-channel", "4095")]
    [InlineData("event-channel", "-1")]
    [InlineData("protocol", "x86_32-abi")]
    public void BadParametersAreRefusedAndGoodOnesTakenLater(string node, string value)
    {
        Guest guest = AddGuest(1);
        driver.AttachDisk(guest.Domain, new DiskAttachment("xvda", disk));
        var front = new BlockFrontend(guest, store);
        front.Publish();
        front.Write(node, value);
        front.SetState(XenbusState.Initialised);
        front.Await(XenbusState.Closing);
        Assert.Contains(reports, line => line.Contains("vbd 51712 of domain 1 cannot be connected"));
        Assert.Equal(0, front.Flags(front.RingReference) & 0x18);
        front.SetState(XenbusState.Initialising);
        front.Connect();
        Assert.Equal(BlockFrontend.Okay, front.Do(BlockFrontend.Read, 0, new Segment(front.Grant(20), 0, 0)));
    }

    [Fact]
    public void ADiskIsDetachedWhenTheGuestLetsGo()
    {
        BlockFrontend front = Start(out VbdBackend device);
        Task gone = driver.Detach(device);
        Assert.Equal((XenbusState.Closing, "0"), (front.BackState, front.BackNode("online")));
        Assert.False(gone.IsCompleted);
        front.SetState(XenbusState.Closing);
        front.SetState(XenbusState.Closed);
        Frontend.Await(() => gone.IsCompleted);
        Assert.True(disk.IsDisposed);
        Assert.Equal("", front.Store.List("device/vbd"));
        Assert.Empty(driver.DevicesOf(front.Guest.Domain));
        Assert.Equal(0, front.Flags(front.RingReference) & 0x18);
        // And is attached again, while the guest runs.
        var second = new MemoryDisk(8);
        BlockFrontend again = Start(out VbdBackend next, second, guest: front.Guest);
        Assert.Equal("8", again.BackNode("sectors"));
        Assert.True(driver.Detach(next, isForced: true).IsCompletedSuccessfully);
        Assert.True(second.IsDisposed);
        again.Kick();
    }

    [Fact]
    public void ADiskThatIsNotUsedIsDetachedAtOnce()
    {
        Guest guest = AddGuest(1);
        VbdBackend device = driver.AttachDisk(guest.Domain, new DiskAttachment("xvda", disk) { OwnsImage = false });
        Assert.True(driver.Detach(device).IsCompletedSuccessfully);
        Assert.False(disk.IsDisposed);
        Assert.Equal([], store.List("/local/domain/32751/backend/vbd/1"));
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void ADomainDiesWithARequestInFlight(bool detachFirst)
    {
        BlockFrontend front = Start(out VbdBackend device);
        disk.Gate.Reset();
        disk.IsWaiting.Reset();
        Segment page = new(front.Grant(20), 0, 31);
        for (int i = 0; i < 20; i++)
            front.Put(BlockFrontend.Read, 0, page);
        front.Push();
        disk.IsWaiting.Wait();
        DomainMemory memory = front.Guest.Memory;
        Assert.True(memory.IsPinned(20));
        var opener = new Thread(() =>
        {
            Thread.Sleep(5);
            disk.Gate.Set();
        });
        opener.Start();
        if (detachFirst)
            driver.Detach(front.Guest.Domain);
        front.Guest.Domain.Destroy();
        if (!detachFirst)
            driver.Detach(front.Guest.Domain);
        opener.Join();
        // No hold on the memory is left.
        Assert.True(IsFree(memory));
        Assert.True(disk.IsDisposed);
        Assert.Empty(driver.DevicesOf(front.Guest.Domain));
    }

    [Fact]
    public void ADomainThatDiesUnannouncedIsLetGo()
    {
        BlockFrontend front = Start(out VbdBackend device);
        DomainMemory memory = front.Guest.Memory;
        front.Guest.Domain.Destroy();
        Frontend.Await(() => IsFree(memory));
        // Its successor of the same number has nothing to do with it.
        driver.Detach(front.Guest.Domain);
        BlockFrontend next = Start(out _, new MemoryDisk(8), guest: machine.Add(1, frames: 400));
        Assert.Equal("8", next.BackNode("sectors"));
    }
}
