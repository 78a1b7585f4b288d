using FastXen.Xen.Grants;
using FastXen.Xen.Memory;

namespace FastXen.Xen.Tests.Grants;

public sealed class GrantTableCallTests : IDisposable
{
    private const ulong Argument = 0x10000, List = 0x20000;
    private const uint Map = 0, Unmap = 1, Setup = 2, Dump = 3, Transfer = 4, Copy = 5, Query = 6;

    private readonly Machine machine = new();
    private readonly Guest zero;
    private readonly Guest one;

    public GrantTableCallTests()
    {
        zero = machine.Add(0, isPrivileged: true, frames: 128);
        one = machine.Add(1);
    }

    public void Dispose() => machine.Dispose();

    private static long Call(Guest guest, uint command, uint count = 1)
    {
        uint progress = 0;
        while (true)
        {
            long result = GrantTableCall.Do(guest.Domain, command, XencommHandle.Inline(Argument), count, ref progress, out bool isDone);
            if (isDone)
                return result;
        }
    }

    private static void Put<T>(Guest guest, ulong offset, T value) where T : unmanaged => Assert.True(guest.Memory.TryWrite(Argument + offset, value));

    private static T Get<T>(Guest guest, ulong offset) where T : unmanaged
    {
        Assert.True(guest.Memory.TryRead(Argument + offset, out T value));
        return value;
    }

    private static void SetUp(Guest guest, ushort domain, uint frames)
    {
        Put(guest, 0, domain);
        Put(guest, 4, frames);
        Put(guest, 8, (short)99);
        Put(guest, 16, XencommHandle.Inline(List).Value);
    }

    private void Grant(uint reference, uint gpfn)
    {
        ulong entry = (GrantTable.FirstFrame << Frame.Shift) + 8 * reference;
        Assert.True(one.Memory.TryWrite(entry + 4, gpfn));
        Assert.True(one.Memory.TryWrite(entry, 1u));
    }

    [Fact]
    public void SetupAndQuery()
    {
        SetUp(one, DomainIds.Self, 3);
        Assert.Equal(0, Call(one, Setup));
        Assert.Equal(0, Get<short>(one, 8));
        for (ulong i = 0; i < 3; i++)
        {
            Assert.True(one.Memory.TryRead(List + 8 * i, out ulong frame));
            Assert.Equal(GrantTable.FirstFrame + i, frame);
        }
        Put(one, 0, DomainIds.Self);
        Assert.Equal(0, Call(one, Query));
        Assert.Equal((4u, 32u, (short)0), (Get<uint>(one, 4), Get<uint>(one, 8), Get<short>(one, 12)));

        SetUp(one, DomainIds.Self, 33);
        Assert.Equal(0, Call(one, Setup));
        Assert.Equal((short)GrantStatus.GeneralError, Get<short>(one, 8));
        SetUp(one, 0, 1);
        Assert.Equal(0, Call(one, Setup));
        Assert.Equal((short)GrantStatus.PermissionDenied, Get<short>(one, 8));
        SetUp(one, 9, 1);
        Assert.Equal(0, Call(one, Setup));
        Assert.Equal((short)GrantStatus.BadDomain, Get<short>(one, 8));
        SetUp(zero, 1, 1);
        Assert.Equal(0, Call(zero, Setup));
        Assert.Equal(0, Get<short>(zero, 8));
        Put(one, 0, (ushort)0);
        Assert.Equal(0, Call(one, Query));
        Assert.Equal((short)GrantStatus.PermissionDenied, Get<short>(one, 12));
        Assert.Equal(-Errno.EINVAL, Call(one, Setup, 2));
        Assert.Equal(-Errno.EINVAL, Call(one, Query, 0));
    }

    [Fact]
    public void MapAndUnmapInLists()
    {
        const uint Count = 40;
        SetUp(one, DomainIds.Self, 1);
        Call(one, Setup);
        for (uint i = 0; i < Count; i++)
        {
            Grant(i, i == 7 ? 1000 : i);
            Put(zero, 32 * i, (2000UL + i) << Frame.Shift);
            Put(zero, 32 * i + 8, 2u);
            Put(zero, 32 * i + 12, i);
            Put(zero, 32 * i + 16, (ushort)1);
        }
        Assert.Equal(0, Call(zero, Map, Count));
        var handles = new uint[Count];
        for (uint i = 0; i < Count; i++)
        {
            Assert.Equal(i == 7 ? (short)GrantStatus.GeneralError : (short)0, Get<short>(zero, 32 * i + 18));
            handles[i] = Get<uint>(zero, 32 * i + 20);
            if (i != 7)
                Assert.Equal(one.Memory.MachineFrameOf(i) << Frame.Shift, Get<ulong>(zero, 32 * i + 24));
            zero.Memory.LookupToCache(2000 + i, i + 1);
        }
        for (uint i = 0; i < Count; i++)
        {
            Put(zero, 24 * i, (2000UL + i) << Frame.Shift);
            Put(zero, 24 * i + 8, 0UL);
            Put(zero, 24 * i + 16, i == 7 ? 5555 : handles[i]);
        }
        Assert.Equal(0, Call(zero, Unmap, Count));
        for (uint i = 0; i < Count; i++)
            Assert.Equal(i == 7 ? (short)GrantStatus.BadHandle : (short)0, Get<short>(zero, 24 * i + 20));
        Assert.Equal(Enumerable.Range(0, (int)Count).Where(i => i != 7).Select(i => new P2mChange(2000UL + (uint)i, (uint)i + 1)), zero.Changes);
        for (uint i = 0; i < Count; i++)
            Assert.False(one.Memory.IsPinned(i));
    }

    [Fact]
    public void CopyAndTransferStructures()
    {
        SetUp(one, DomainIds.Self, 1);
        Call(one, Setup);
        Grant(3, 30);
        zero.Memory.TryWrite((5UL << Frame.Shift) + 100, 0x1234UL);
        Put(zero, 0, 5UL);
        Put(zero, 8, DomainIds.Self);
        Put(zero, 10, (ushort)100);
        Put(zero, 16, 3UL);
        Put(zero, 24, (ushort)1);
        Put(zero, 26, (ushort)200);
        Put(zero, 32, (ushort)8);
        Put(zero, 34, (ushort)2);
        Assert.Equal(0, Call(zero, Copy));
        Assert.Equal(0, Get<short>(zero, 36));
        Assert.True(one.Memory.TryRead((30UL << Frame.Shift) + 200, out ulong copied));
        Assert.Equal(0x1234UL, copied);

        Put(zero, 0, 500UL);
        Put(zero, 8, (ushort)1);
        Put(zero, 12, 3u);
        Assert.Equal(0, Call(zero, Transfer));
        Assert.Equal((short)GrantStatus.BadPage, Get<short>(zero, 16));
    }

    [Fact]
    public void LongListsAreDoneInSlices()
    {
        uint progress = 0, slices = 0;
        bool isDone = false;
        while (!isDone)
        {
            Assert.Equal(0, GrantTableCall.Do(one.Domain, Unmap, XencommHandle.Inline(Argument), 1000, ref progress, out isDone));
            slices++;
            Assert.True(progress <= slices * 256);
        }
        Assert.Equal((1000u, 4u), (progress, slices));
    }

    [Fact]
    public void BadCalls()
    {
        foreach (uint command in new[] { Map, Unmap, Setup, Transfer, Copy, Query })
        {
            uint progress = 0;
            Assert.Equal(-Errno.EFAULT, GrantTableCall.Do(one.Domain, command, new XencommHandle(0), 1, ref progress, out _));
        }
        Assert.Equal(-Errno.EINVAL, Call(one, Map, 0x8000_0000));
        Assert.Equal(0, Call(one, Map, 0));
        Assert.Equal(-Errno.ENOSYS, Call(one, Dump));
        Assert.Equal(-Errno.ENOSYS, Call(one, 7));
        Assert.Equal(-Errno.ENOSYS, Call(one, uint.MaxValue));
        // A list that runs out of memory: what was done is done.
        Assert.Equal(-Errno.EFAULT, Call(one, Unmap, 100_000));
    }

    [Fact]
    public void MappingAllocatesNothing()
    {
        SetUp(one, DomainIds.Self, 1);
        Call(one, Setup);
        Grant(3, 30);
        void Round()
        {
            Put(zero, 0, 2000UL << Frame.Shift);
            Put(zero, 8, 2u);
            Put(zero, 12, 3u);
            Put(zero, 16, (ushort)1);
            Call(zero, Map);
            uint handle = Get<uint>(zero, 20);
            Put(zero, 8, 0UL);
            Put(zero, 16, handle);
            Call(zero, Unmap);
        }
        Round();
        long before = GC.GetAllocatedBytesForCurrentThread();
        for (int i = 0; i < 50; i++)
            Round();
        Assert.Equal(before, GC.GetAllocatedBytesForCurrentThread());
    }
}
