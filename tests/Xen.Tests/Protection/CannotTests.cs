using FastXen.Xen.Grants;
using FastXen.Xen.Memory;
using FastXen.Xen.Tests.Toolstack;
using FastXen.Xen.Tests.Xenstore;
using FastXen.Xen.Xenstore;

namespace FastXen.Xen.Tests.Protection;

/// <summary>What a domain cannot do to another, by hypercalls of its kernel (docs/threat-model.md lists them).</summary>
public sealed unsafe class CannotTests : IDisposable
{
    private const ulong MemoryOp = 12, GrantTableOp = 20, EventChannelOp = 32, Dom0VpOp = 48, Decrease = 1, Populate = 6;
    private const ulong MapGrantRef = 0, UnmapGrantRef = 1, Copy = 5, AddPhysmap = 6, AddPhysmapWithGmfn = 9, Send = 4, Status = 5;
    private const uint HostMap = 2, Reference = 8;
    private const ulong Free = 60, Page = 5, Secret = 0x5ec2e7;

    private readonly XenHost host = new();
    private readonly Hypercaller domain, other, third;

    public CannotTests()
    {
        domain = new Hypercaller(host, 1);
        other = new Hypercaller(host, 2);
        third = new Hypercaller(host, 3);
        other.Domain.Grants.SetUp(1);
        other.Put(Page << Frame.Shift, Secret);
        // A number without a frame, for mappings.
        Assert.True(domain.Memory.Release(Free));
    }

    private void Grant(ushort to, uint flags)
    {
        uint* entry = (uint*)other.Memory.Lookup(GrantTable.FirstFrame).Host + 2 * Reference;
        entry[1] = (uint)Page;
        Volatile.Write(ref *entry, flags | (uint)to << 16);
    }

    // map_grant_ref {host_addr, flags, ref, dom, status@18, handle@20, dev_bus_addr}.
    private GrantStatus Map(uint flags, out uint handle)
    {
        domain.Put<ulong>(Hypercaller.Argument, Free << Frame.Shift, (ulong)Reference << 32 | flags, 2, 0);
        Assert.Equal(0, domain.Call(GrantTableOp, MapGrantRef, Hypercaller.At(Hypercaller.Argument), 1));
        handle = domain.Get<uint>(Hypercaller.Argument + 20);
        return (GrantStatus)domain.Get<short>(Hypercaller.Argument + 18);
    }

    [Fact]
    public void A_domain_cannot_map_a_page_that_is_not_granted_to_it()
    {
        Assert.NotEqual(GrantStatus.Okay, Map(HostMap, out _));
        Grant(to: 3, flags: 1);
        Assert.NotEqual(GrantStatus.Okay, Map(HostMap, out _));
        // For reading only.
        Grant(to: 1, flags: 1 | 4);
        Assert.NotEqual(GrantStatus.Okay, Map(HostMap, out _));
        // By the number of the machine's frame, or its owner's, as the privileged do.
        ulong machine = other.Memory.MachineFrameOf(Page);
        Assert.Equal(-Errno.EPERM, domain.Call(Dom0VpOp, AddPhysmap, Free, machine, 0, 2));
        Assert.Equal(-Errno.EPERM, domain.Call(Dom0VpOp, AddPhysmapWithGmfn, Free, Page, 0, 2));
        Assert.Equal(FrameKind.Hole, domain.Memory.Lookup(Free).Kind);
        Assert.False(other.Memory.IsPinned(Page));
    }

    // gnttab_copy {source {ref or frame, dom, offset}, dest, len, flags, status@36}.
    [Theory]
    [InlineData(1)] // by a reference that is somebody else's
    [InlineData(0)] // by the frame's number
    public void A_domain_cannot_copy_a_page_that_is_not_granted_to_it(ushort flags)
    {
        Grant(to: 3, flags: 1);
        domain.Put<ulong>(Hypercaller.Argument, flags == 1 ? Reference : Page, 2, 6, DomainIds.Self, (ulong)flags << 16 | 8);
        Assert.Equal(0, domain.Call(GrantTableOp, Copy, Hypercaller.At(Hypercaller.Argument), 1));
        Assert.NotEqual((short)GrantStatus.Okay, domain.Get<short>(Hypercaller.Argument + 36));
        Assert.NotEqual(Secret, domain.Get<ulong>(6 << Frame.Shift));
    }

    /// <summary>That the TLBs and translated code of a domain that runs meanwhile forget it: <see cref="RevocationTests"/>.</summary>
    [Fact]
    public void A_domain_cannot_keep_a_mapping_that_has_ended()
    {
        Grant(to: 1, flags: 1);
        Assert.Equal(GrantStatus.Okay, Map(HostMap, out uint handle));
        Assert.Equal(Secret, *(ulong*)domain.Memory.Lookup(Free).Host);
        // Its own ways to get rid of the number leave the use in the hypervisor's records as it is.
        Assert.Equal(0, domain.Call(Dom0VpOp, 5, Free, 0));
        domain.Put(0x1_0000, Free);
        domain.Put<ulong>(Hypercaller.Argument, Hypercaller.At(0x1_0000), 1, 0, DomainIds.Self);
        Assert.Equal(0, domain.Call(MemoryOp, Decrease, Hypercaller.At(Hypercaller.Argument)));
        Assert.True(other.Memory.IsPinned(Page));
        domain.Put<ulong>(Hypercaller.Argument, Free << Frame.Shift, 0, handle);
        Assert.Equal(0, domain.Call(GrantTableOp, UnmapGrantRef, Hypercaller.At(Hypercaller.Argument), 1));
        Assert.Equal((FrameKind.Hole, false), (domain.Memory.Lookup(Free).Kind, other.Memory.IsPinned(Page)));
        // The grant that it had has ended as well.
        Grant(to: 1, flags: 0);
        Assert.NotEqual(GrantStatus.Okay, Map(HostMap, out _));
    }

    [Fact]
    public void A_domain_cannot_signal_a_channel_that_is_not_bound_to_it()
    {
        int port = other.Domain.EventChannels.AllocateUnbound(3), bound = third.Domain.EventChannels.BindInterdomain(2, (uint)port);
        int unbound = other.Domain.EventChannels.AllocateUnbound(3);
        Assert.True(port > 0 && bound > 0 && unbound > 0);
        ulong* pending = (ulong*)(other.Memory.Lookup(Frame.WindowStart).Host + 0xc00);
        // The binding of its far end set it.
        Volatile.Write(ref pending[0], 0);
        // As if a port of its own were the other's; by its number from 0 to the last, none is.
        for (uint candidate = 0; candidate < 4096; candidate++)
        {
            domain.Put(Hypercaller.Argument, candidate);
            Assert.NotEqual(0, domain.Call(EventChannelOp, Send, Hypercaller.At(Hypercaller.Argument)));
        }
        // bind_interdomain {remote_dom, remote_port}: neither a port that has an end, nor one for somebody else.
        foreach (int wanted in (int[])[port, unbound])
        {
            domain.Put<ulong>(Hypercaller.Argument, (ulong)wanted << 32 | 2, 0);
            Assert.True(domain.Call(EventChannelOp, 0, Hypercaller.At(Hypercaller.Argument)) < 0);
        }
        // Nor may it look at it.
        domain.Put<ulong>(Hypercaller.Argument, (ulong)port << 32 | 2, 0, 0);
        Assert.Equal(-Errno.EPERM, domain.Call(EventChannelOp, Status, Hypercaller.At(Hypercaller.Argument)));
        Assert.Equal(0UL, pending[0]);
    }

    [Fact]
    public void A_domain_cannot_read_or_watch_another_ones_part_of_the_store()
    {
        XenstoreServer store = new();
        store.Set("/local/domain/1", "", new Permission(1, Access.None));
        store.Set("/local/domain/2", "", new Permission(2, Access.None));
        StoreTester mine = new(store, 1), others = new(store, 2);
        Assert.Equal("OK", others.Write("data/secret", "x"));
        foreach (string path in (string[])["/local/domain/2", "/local/domain/2/data", "/local/domain/2/data/secret"])
        {
            Assert.Equal("!EACCES", mine.Read(path));
            Assert.Equal("!EACCES", mine.List(path));
            Assert.Equal("!EACCES", mine.Permissions(path));
            Assert.Equal("!EACCES", mine.Write(path, "y"));
            Assert.Equal("!EACCES", mine.Remove(path));
            Assert.Equal("!EACCES", mine.SetPermissions(path, "n1"));
        }
        // It may watch what it may not see, and hears nothing of it.
        Assert.Equal("OK", mine.Watch("/local/domain/2", "w"));
        mine.TakeEvents();
        Assert.Equal("OK", others.Write("data/secret", "z"));
        Assert.Equal("", mine.TakeEvents());
        Assert.Equal("z", others.Read("data/secret"));
    }

    [Fact]
    public void A_domain_cannot_exceed_its_quota_of_the_store()
    {
        XenstoreQuota quota = new(Nodes: 20, Watches: 4, Transactions: 2);
        XenstoreServer store = new(quota);
        store.Set("/local/domain/1", "", new Permission(1, Access.None));
        StoreTester mine = new(store, 1);
        Assert.Equal(quota.Nodes - 1, Enumerable.Range(0, 100).Count(n => mine.Write($"data-{n}", "x") == "OK"));
        Assert.Equal("!ENOSPC", mine.Write("data-0", new string('x', quota.NodeSize)));
        Assert.Equal(quota.Watches, Enumerable.Range(0, 100).Count(n => mine.Watch($"data-{n}", "w") == "OK"));
        Assert.Equal(quota.Transactions, Enumerable.Range(0, 100).Count(_ => !mine.Ask(RequestType.TransactionStart, "\0").StartsWith('!')));
    }

    [Fact]
    public void A_domain_cannot_have_more_memory_than_it_may()
    {
        using var small = new Hypercaller(host, 4, memory: 1 << 20, maximum: 4 << 20);
        small.Memory.Maximum = 80;
        // All numbers that it could have, by populate_physmap and increase_reservation, one by one and as larger extents.
        const ulong List = 0x4_0000;
        for (ulong k = 0; k < 256; k++)
            small.Put(List + 8 * k, k);
        foreach ((ulong command, ulong order) in ((ulong, ulong)[])[(Populate, 0), (0, 0), (0, 3), (Populate, 2)])
        {
            small.Put<ulong>(Hypercaller.Argument, Hypercaller.At(List), 256, order, DomainIds.Self);
            small.Call(MemoryOp, command, Hypercaller.At(Hypercaller.Argument));
            Assert.InRange(small.Memory.Populated, 64, 80);
        }
        Assert.Equal(80, small.Memory.Populated);
        // The limit itself is a toolstack's business.
        small.Put<ulong>(Hypercaller.Argument, 8UL << 32 | 11, 4, 1 << 20);
        Assert.Equal(-Errno.EPERM, small.Call(36, Hypercaller.At(Hypercaller.Argument)));
    }

    public void Dispose()
    {
        domain.Dispose();
        other.Dispose();
        third.Dispose();
        host.Dispose();
    }
}
