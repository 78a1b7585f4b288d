using FastXen.Xen.Grants;
using FastXen.Xen.Memory;

namespace FastXen.Xen.Tests.Grants;

public sealed unsafe class GrantTableTests : IDisposable
{
    private const uint HostMap = 2, ReadOnlyMap = 2 | 4;
    private const ushort Permit = 1, ReadOnlyFlag = 4, Reading = 8, Writing = 16;

    private readonly Machine machine = new();
    private readonly Guest front;
    private readonly Guest back;

    public GrantTableTests()
    {
        front = machine.Add(1);
        back = machine.Add(2);
        Assert.Equal(GrantStatus.Okay, front.Domain.Grants.SetUp(1));
    }

    public void Dispose() => machine.Dispose();

    private static uint* Entry(Guest guest, uint reference) => (uint*)guest.Host(GrantTable.FirstFrame) + 2 * reference;

    private static void Grant(Guest guest, uint reference, ushort flags, ushort domain, uint gpfn)
    {
        Entry(guest, reference)[1] = gpfn;
        Volatile.Write(ref Entry(guest, reference)[0], flags | (uint)domain << 16);
    }

    private static int Flags(Guest guest, uint reference) => (ushort)Volatile.Read(ref Entry(guest, reference)[0]);

    private GrantStatus Map(uint reference, ulong gpfn, uint flags, out uint handle) =>
        back.Domain.Grants.Map(gpfn << Frame.Shift, flags, reference, 1, out handle, out _);

    private static GrantStatus Unmap(Guest guest, ulong gpfn, uint handle)
    {
        GrantStatus status = guest.Domain.Grants.BeginUnmap(gpfn << Frame.Shift, 0, handle, out P2mChange? change);
        if (change is { } gone)
        {
            guest.Memory.Tell(new ReadOnlySpan<P2mChange>(in gone));
            guest.Domain.Grants.EndUnmap(handle);
        }
        return status;
    }

    [Fact]
    public void TheTableLiesInTheWindow()
    {
        Assert.Equal((1UL << 40) + 0x4000 + 64 * 0x4000, GrantTable.FirstFrame << Frame.Shift);
        Assert.Equal((4, 32), (front.Domain.Grants.Frames, front.Domain.Grants.MaximumFrames));
        Assert.Equal(GrantStatus.Okay, front.Domain.Grants.SetUp(32));
        Assert.Equal(32, front.Domain.Grants.Frames);
        Assert.Equal(FrameKind.Fixed, front.Memory.Lookup(GrantTable.FirstFrame + 31).Kind);
        Assert.Equal(GrantStatus.GeneralError, front.Domain.Grants.SetUp(33));
        // Entries of later frames work.
        Grant(front, 40_000, Permit, 2, 5);
        Assert.Equal(GrantStatus.Okay, Map(40_000, 100, HostMap, out _));
    }

    [Fact]
    public void AMappingIsTheGrantersFrame()
    {
        Grant(front, 8, Permit, 2, 5);
        *(ulong*)front.Host(5) = 77;
        Assert.Equal(GrantStatus.Okay,
            back.Domain.Grants.Map(9UL << Frame.Shift, HostMap, 8, 1, out uint handle, out ulong bus));
        Assert.Equal(front.Memory.MachineFrameOf(5) << Frame.Shift, bus);
        Assert.True(back.Host(9) == front.Host(5));
        Assert.True(back.Memory.Lookup(9).IsWritable);
        Assert.Equal(Permit | Reading | Writing, Flags(front, 8));
        Assert.Equal(63, back.Memory.Populated);
        Assert.Equal(GrantStatus.Okay, Unmap(back, 9, handle));
        Assert.Equal(Permit, Flags(front, 8));
        Assert.Equal(FrameKind.Hole, back.Memory.Lookup(9).Kind);
        Assert.Equal(GrantStatus.BadHandle, Unmap(back, 9, handle));
        Assert.True(back.Memory.Populate(9));
        Assert.Equal(0UL, *(ulong*)back.Host(9));
        Assert.Equal(77UL, *(ulong*)front.Host(5));
    }

    [Fact]
    public void AReadOnlyGrantIsMappedReadOnly()
    {
        Grant(front, 8, Permit | ReadOnlyFlag, 2, 5);
        Assert.Equal(GrantStatus.GeneralError, Map(8, 100, HostMap, out _));
        Assert.Equal(Permit | ReadOnlyFlag, Flags(front, 8));
        Assert.Equal(GrantStatus.Okay, Map(8, 100, ReadOnlyMap, out uint first));
        Assert.False(back.Memory.Lookup(100).IsWritable);
        Assert.Equal(Permit | ReadOnlyFlag | Reading, Flags(front, 8));
        // In use or not: the flag counts for a new writer.
        Assert.Equal(GrantStatus.GeneralError, Map(8, 101, HostMap, out _));
        Assert.Equal(GrantStatus.Okay, Map(8, 101, ReadOnlyMap, out uint second));
        Unmap(back, 100, first);
        Assert.Equal(Permit | ReadOnlyFlag | Reading, Flags(front, 8));
        Unmap(back, 101, second);
        Assert.Equal(Permit | ReadOnlyFlag, Flags(front, 8));
    }

    [Fact]
    public void FlagsFollowTheUses()
    {
        Grant(front, 8, Permit, 2, 5);
        Map(8, 100, ReadOnlyMap, out uint reader);
        Assert.Equal(Permit | Reading, Flags(front, 8));
        Map(8, 101, HostMap, out uint writer);
        Assert.Equal(Permit | Reading | Writing, Flags(front, 8));
        Unmap(back, 101, writer);
        Assert.Equal(Permit | Reading, Flags(front, 8));
        Unmap(back, 100, reader);
        Assert.Equal(Permit, Flags(front, 8));
    }

    [Theory]
    [InlineData(0, HostMap, GrantStatus.GeneralError)]
    [InlineData(Permit, 0u, GrantStatus.BadReference)]
    [InlineData(Permit, 4u, GrantStatus.BadReference)]
    [InlineData(Permit, 1u, GrantStatus.GeneralError)]
    [InlineData(Permit, 3u, GrantStatus.GeneralError)]
    [InlineData(Permit, 2u | 8, GrantStatus.GeneralError)]
    [InlineData(Permit, 2u | 16, GrantStatus.GeneralError)]
    [InlineData(2, HostMap, GrantStatus.GeneralError)]
    [InlineData(3, HostMap, GrantStatus.GeneralError)]
    [InlineData(Permit | 0x100, HostMap, GrantStatus.GeneralError)]
    public void WhatIsNotGrantedIsNotMapped(int entryFlags, uint mapFlags, GrantStatus expected)
    {
        Grant(front, 8, (ushort)entryFlags, 2, 5);
        Assert.Equal(expected, Map(8, 100, mapFlags, out _));
        Assert.Equal(entryFlags, Flags(front, 8));
        Assert.False(front.Memory.IsPinned(5));
        Assert.Equal(FrameKind.Hole, back.Memory.Lookup(100).Kind);
    }

    [Fact]
    public void OnlyTheNamedDomainMaps()
    {
        Guest third = machine.Add(3);
        Grant(front, 8, Permit, 3, 5);
        Assert.Equal(GrantStatus.GeneralError, Map(8, 100, HostMap, out _));
        Assert.Equal(GrantStatus.Okay, third.Domain.Grants.Map(100UL << Frame.Shift, HostMap, 8, 1, out _, out _));
        // A new name while it is in use does not let the next one in.
        Grant(front, 8, Permit, 2, 5);
        Assert.Equal(GrantStatus.GeneralError, Map(8, 100, HostMap, out _));
    }

    [Fact]
    public void BadNumbersAreRefused()
    {
        Assert.Equal(GrantStatus.BadReference, Map(4 * 2048, 100, HostMap, out _));
        Assert.Equal(GrantStatus.BadReference, Map(uint.MaxValue, 100, HostMap, out _));
        Assert.Equal(GrantStatus.BadDomain, back.Domain.Grants.Map(0, HostMap, 0, 9, out _, out _));
        // A domain without a table.
        Assert.Equal(GrantStatus.GeneralError, front.Domain.Grants.Map(0, HostMap, 0, 2, out _, out _));
        foreach (uint gpfn in new uint[] { 64, uint.MaxValue, 1 << 26 | 100 })
        {
            Grant(front, 8, Permit, 2, gpfn);
            Assert.Equal(GrantStatus.GeneralError, Map(8, 100, HostMap, out _));
            Assert.Equal(Permit, Flags(front, 8));
        }
        foreach (uint handle in new uint[] { 0, 1, 65536, uint.MaxValue })
            Assert.Equal(GrantStatus.BadHandle, Unmap(back, 100, handle));
    }

    [Fact]
    public void AGrantedFrameCannotBeGrantedOn()
    {
        Grant(front, 8, Permit, 2, 5);
        Assert.Equal(GrantStatus.Okay, Map(8, 9, HostMap, out _));
        back.Domain.Grants.SetUp(1);
        Grant(back, 8, Permit, 1, 9);
        Assert.Equal(GrantStatus.GeneralError, front.Domain.Grants.Map(100UL << Frame.Shift, HostMap, 8, 2, out _, out _));
    }

    [Fact]
    public void UnmapChecksWhatItIsGiven()
    {
        Grant(front, 8, Permit, 2, 5);
        Map(8, 100, HostMap, out uint handle);
        GrantTable grants = back.Domain.Grants;
        ulong at = 100UL << Frame.Shift;
        Assert.Equal(GrantStatus.GeneralError, grants.BeginUnmap(at + Frame.Size, 0, handle, out P2mChange? change));
        Assert.Null(change);
        Assert.Equal(GrantStatus.GeneralError, grants.BeginUnmap(at, 5UL << Frame.Shift, handle, out change));
        Assert.Null(change);
        // No address: nothing to do.
        Assert.Equal(GrantStatus.Okay, grants.BeginUnmap(0, 0, handle, out change));
        Assert.Null(change);
        Assert.Equal(FrameKind.Granted, back.Memory.Lookup(100).Kind);
        ulong bus = front.Memory.MachineFrameOf(5) << Frame.Shift;
        Assert.Equal(GrantStatus.Okay, grants.BeginUnmap(at, bus, handle, out change));
        Assert.NotNull(change);
        // Between the halves the handle is nobody's and the grant is in use.
        Assert.Equal(GrantStatus.BadHandle, grants.BeginUnmap(at, 0, handle, out _));
        Assert.Equal(Permit | Reading | Writing, Flags(front, 8));
        grants.EndUnmap(handle);
        Assert.Equal(Permit, Flags(front, 8));
    }

    [Fact]
    public void AnEndedGrantStaysMappedAndTheFrameIsKept()
    {
        Grant(front, 8, Permit, 2, 5);
        Map(8, 100, HostMap, out uint handle);
        byte* host = back.Host(100);
        // The guest ends the grant by force, gives it another use and balloons the frame out.
        Grant(front, 8, 0, 0, 6);
        Assert.True(front.Memory.Release(5));
        Assert.False(front.Memory.Populate(5));
        *host = 9;
        Assert.Equal(9, *host);
        Assert.Equal(GrantStatus.Okay, Unmap(back, 100, handle));
        Assert.True(front.Memory.Populate(5));
        Assert.Equal(0, *front.Host(5));
    }

    [Fact]
    public void AMappingEndsInEveryTlb()
    {
        Grant(front, 8, Permit, 2, 5);
        Map(8, 100, HostMap, out uint handle);
        back.Memory.LookupToCache(100, 33);
        Unmap(back, 100, handle);
        Assert.Equal([new P2mChange(100, 33)], back.Changes);
    }

    [Fact]
    public void ADyingMapperGivesEverythingBack()
    {
        Grant(front, 8, Permit, 2, 5);
        Grant(front, 9, Permit, 2, 6);
        Map(8, 100, HostMap, out _);
        Map(9, 101, ReadOnlyMap, out _);
        back.Domain.Destroy();
        Assert.Equal((Permit, Permit), (Flags(front, 8), Flags(front, 9)));
        Assert.False(front.Memory.IsPinned(5));
        Assert.Equal(GrantStatus.BadDomain, front.Domain.Grants.Map(0, HostMap, 8, 2, out _, out _));
    }

    [Fact]
    public void AMappingOutlivesItsGranter()
    {
        Grant(front, 8, Permit, 2, 5);
        *front.Host(5) = 3;
        Map(8, 100, HostMap, out uint handle);
        ulong mfn = front.Memory.MachineFrameOf(5);
        front.Domain.Destroy();
        Assert.Equal(3, *back.Host(100));
        Assert.Equal(GrantStatus.BadDomain, Map(8, 101, HostMap, out _));
        Assert.Equal(GrantStatus.Okay, Unmap(back, 100, handle));
        Assert.False(machine.Frames.TryFind(mfn, out _, out _));
    }

    [Fact]
    public void MappingsAreLimited()
    {
        using var small = new Machine();
        Guest granter = small.Add(1), mapper = small.Add(2);
        granter.Domain.Grants.SetUp(1);
        Grant(granter, 8, Permit, 2, 5);
        // More uses of one entry than a record counts.
        int mapped = 0;
        while (mapper.Domain.Grants.Map((1000UL + (uint)mapped) << Frame.Shift, ReadOnlyMap, 8, 1, out _, out _) == GrantStatus.Okay)
            mapped++;
        Assert.Equal(0x7fff, mapped);
        Grant(granter, 9, Permit, 2, 6);
        Grant(granter, 10, Permit, 2, 7);
        GrantStatus status = GrantStatus.Okay;
        for (uint reference = 9; status == GrantStatus.Okay || reference == 10; reference = status == GrantStatus.GeneralError ? 10u : reference)
        {
            status = mapper.Domain.Grants.Map((1000UL + (uint)mapped) << Frame.Shift, ReadOnlyMap, reference, 1, out _, out _);
            if (status == GrantStatus.NoDeviceSpace)
                break;
            if (status == GrantStatus.Okay)
                mapped++;
        }
        Assert.Equal(GrantStatus.NoDeviceSpace, status);
        Assert.Equal(65536, mapped);
        Assert.Equal(GrantStatus.Okay, Unmap(mapper, 1005, 5));
        Assert.Equal(GrantStatus.Okay, mapper.Domain.Grants.Map(1005UL << Frame.Shift, ReadOnlyMap, 8, 1, out uint handle, out _));
        Assert.Equal(5u, handle);
    }

    [Fact]
    public void CopyMovesBytesBothWays()
    {
        Grant(front, 8, Permit, 2, 5);
        for (int i = 0; i < 100; i++)
            back.Host(3)[i] = (byte)i;
        var own = new GrantTable.CopyEnd(3, DomainIds.Self, 10);
        var granted = new GrantTable.CopyEnd(8, 1, (ushort)(Frame.Size - 20));
        Assert.Equal(GrantStatus.Okay, back.Domain.Grants.Copy(own, granted, 20, 2));
        Assert.True(new Span<byte>(front.Host(5) + Frame.Size - 20, 20).SequenceEqual(new Span<byte>(back.Host(3) + 10, 20)));
        Assert.Equal(Permit, Flags(front, 8));
        Assert.False(front.Memory.IsPinned(5));
        Assert.False(back.Memory.IsPinned(3));
        Assert.Equal(GrantStatus.Okay, back.Domain.Grants.Copy(granted, own with { Offset = 1000 }, 20, 1));
        Assert.True(new Span<byte>(back.Host(3) + 1000, 20).SequenceEqual(new Span<byte>(back.Host(3) + 10, 20)));
    }

    [Fact]
    public void CopyChecksEverything()
    {
        GrantTable grants = back.Domain.Grants;
        Grant(front, 8, Permit | ReadOnlyFlag, 2, 5);
        var own = new GrantTable.CopyEnd(3, DomainIds.Self, 0);
        var granted = new GrantTable.CopyEnd(8, 1, 0);
        Assert.Equal(GrantStatus.BadCopyArgument, grants.Copy(own with { Offset = 16380 }, granted, 5, 2));
        Assert.Equal(GrantStatus.BadCopyArgument, grants.Copy(granted, own with { Offset = 65535 }, 65535, 1));
        Assert.Equal(GrantStatus.PermissionDenied, grants.Copy(own with { Domain = 1 }, granted, 5, 2));
        Assert.Equal(GrantStatus.PermissionDenied, grants.Copy(own, granted, 5, 0));
        Assert.Equal(GrantStatus.BadDomain, grants.Copy(granted with { Domain = 7 }, own, 5, 1));
        Assert.Equal(GrantStatus.BadDomain, grants.Copy(own, granted with { Domain = 7 }, 5, 2));
        Assert.Equal(GrantStatus.BadReference, grants.Copy(granted with { FrameOrReference = 1 << 20 }, own, 5, 1));
        Assert.Equal(GrantStatus.GeneralError, grants.Copy(own, granted, 5, 2));
        Assert.Equal(GrantStatus.GeneralError, grants.Copy(granted with { FrameOrReference = 9 }, own, 5, 1));
        Assert.Equal(GrantStatus.GeneralError, grants.Copy(own with { FrameOrReference = 64 }, own, 5, 0));
        Assert.Equal(GrantStatus.GeneralError, grants.Copy(own, own with { FrameOrReference = ulong.MaxValue }, 5, 0));
        Assert.Equal(GrantStatus.Okay, grants.Copy(granted, own, 0, 1));
        Assert.Equal(GrantStatus.Okay, grants.Copy(own, own with { Offset = 3 }, 100, 0));
        Assert.Equal(Permit | ReadOnlyFlag, Flags(front, 8));
        Assert.False(back.Memory.IsPinned(3));
    }

    [Fact]
    public void ATransferGivesContentAndKeepsTheNumber()
    {
        Grant(front, 8, 2, 2, 20);
        front.Memory.Release(20);
        *(ulong*)back.Host(4) = 99;
        Assert.Equal(GrantStatus.Okay, back.Domain.Grants.Transfer(4, 1, 8));
        Assert.Equal(99UL, *(ulong*)front.Host(20));
        Assert.Equal((2 | 4 | 8, (uint)front.Memory.MachineFrameOf(20)), (Flags(front, 8), Entry(front, 8)[1]));
        Assert.Equal((FrameKind.Ram, 0UL), (back.Memory.Lookup(4).Kind, *(ulong*)back.Host(4)));
        Assert.Equal((64, 64), (front.Memory.Populated, back.Memory.Populated));
    }

    [Fact]
    public void BadTransfersLoseTheContentUnlessTheFrameIsBad()
    {
        GrantTable grants = back.Domain.Grants;
        Assert.Equal(GrantStatus.BadPage, grants.Transfer(64, 1, 8));
        Assert.Equal(GrantStatus.BadPage, grants.Transfer(Frame.WindowStart, 1, 8));
        back.Memory.TryPin(4, out _);
        *back.Host(4) = 1;
        Assert.Equal(GrantStatus.BadPage, grants.Transfer(4, 1, 8));
        Assert.Equal(1, *back.Host(4));
        back.Memory.Unpin(4);
        Assert.Equal(GrantStatus.BadDomain, grants.Transfer(4, 7, 8));
        Assert.Equal(0, *back.Host(4));
        front.Memory.Release(20);
        foreach ((int flags, ushort domain, uint gpfn) in new[] { (0, (ushort)2, 20u), (1, (ushort)2, 20u), (2, (ushort)3, 20u), (2 | 4, (ushort)2, 20u), (2, (ushort)2, 64u) })
        {
            Grant(front, 8, (ushort)flags, domain, gpfn);
            Assert.Equal(GrantStatus.GeneralError, grants.Transfer(4, 1, 8));
            Assert.Equal(flags, Flags(front, 8));
            Assert.Equal(63, front.Memory.Populated);
        }
        Grant(front, 8, 2, 2, 20);
        front.Memory.Maximum = 63;
        Assert.Equal(GrantStatus.GeneralError, grants.Transfer(4, 1, 8));
        Assert.Equal(GrantStatus.GeneralError, grants.Transfer(4, 1, 1 << 20));
    }

    /// <summary>Two mapper vCPUs use grants of a domain that scribbles over its entries; all comes back in the end.</summary>
    [Fact]
    public void MapsRaceWithAHostileGranter()
    {
        const int Rounds = 4000;
        bool stop = false;
        int mapped = 0;
        var threads = Enumerable.Range(0, 2).Select(index => new Thread(() =>
        {
            // The scribbler may be off its processor with a bad entry for longer than all rounds take.
            for (int i = 0; i < Rounds || Volatile.Read(ref mapped) == 0; i++)
            {
                ulong gpfn = 200 + (ulong)index;
                if (i > Rounds)
                    Thread.Yield();
                if (back.Domain.Grants.Map(gpfn << Frame.Shift, (i & 1) == 0 ? HostMap : ReadOnlyMap, 8, 1, out uint handle, out _) != GrantStatus.Okay)
                    continue;
                Interlocked.Increment(ref mapped);
                back.Host(gpfn)[index] = 1;
                Assert.Equal(GrantStatus.Okay, Unmap(back, gpfn, handle));
            }
        })).ToList();
        var scribbler = new Thread(() =>
        {
            var random = new Random(1);
            while (!Volatile.Read(ref stop))
            {
                Grant(front, 8, (ushort)(random.Next(4) == 0 ? random.Next(65536) : Permit), 2, (uint)random.Next(3, 6));
                if (random.Next(4) == 0 && front.Memory.Release(4))
                    front.Memory.Populate(4);
            }
        });
        scribbler.Start();
        threads.ForEach(thread => thread.Start());
        threads.ForEach(thread => thread.Join());
        Volatile.Write(ref stop, true);
        scribbler.Join();
        Assert.NotEqual(0, mapped);
        for (ulong gpfn = 3; gpfn < 6; gpfn++)
            Assert.False(front.Memory.IsPinned(gpfn));
        Grant(front, 8, Permit, 2, 5);
        Assert.Equal(GrantStatus.Okay, Map(8, 300, HostMap, out _));
        Assert.Equal(Permit | Reading | Writing, Flags(front, 8));
    }

    /// <summary>Random maps, unmaps, copies and balloons against a plain model of uses.</summary>
    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    public void TheTableIsTheModel(int seed)
    {
        var random = new Random(seed);
        var open = new List<(uint Handle, ulong Gpfn, uint Reference, bool ReadOnly)>();
        for (uint reference = 0; reference < 8; reference++)
            Grant(front, reference, (ushort)(reference < 4 ? Permit : Permit | ReadOnlyFlag), 2, 10 + reference);
        for (int step = 0; step < 5000; step++)
        {
            uint reference = (uint)random.Next(8);
            int uses = open.Count(use => use.Reference == reference);
            switch (random.Next(4))
            {
                case 0:
                    ulong gpfn = (ulong)random.Next(100, 130);
                    bool readOnly = random.Next(2) == 0;
                    bool isFree = open.TrueForAll(use => use.Gpfn != gpfn);
                    bool hasFrame = uses > 0 || front.Memory.Lookup(10 + reference).Kind == FrameKind.Ram;
                    bool fits = isFree && hasFrame && (readOnly || reference < 4);
                    Assert.Equal(fits ? GrantStatus.Okay : GrantStatus.GeneralError, Map(reference, gpfn, readOnly ? ReadOnlyMap : HostMap, out uint handle));
                    if (fits)
                        open.Add((handle, gpfn, reference, readOnly));
                    break;
                case 1 when open.Count > 0:
                    var closed = open[random.Next(open.Count)];
                    Assert.Equal(GrantStatus.Okay, Unmap(back, closed.Gpfn, closed.Handle));
                    open.Remove(closed);
                    break;
                case 2:
                    front.Memory.Release(10 + reference);
                    break;
                case 3:
                    bool isRam = front.Memory.Lookup(10 + reference).Kind == FrameKind.Ram;
                    Assert.Equal(!isRam && uses == 0, front.Memory.Populate(10 + reference));
                    break;
            }
            for (uint i = 0; i < 8; i++)
            {
                bool any = open.Exists(use => use.Reference == i), writers = open.Exists(use => use.Reference == i && !use.ReadOnly);
                Assert.Equal((i < 4 ? Permit : Permit | ReadOnlyFlag) | (any ? Reading : 0) | (writers ? Writing : 0), Flags(front, i));
            }
        }
    }
}
