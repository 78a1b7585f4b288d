using FastXen.Xen.Grants;
using FastXen.Xen.Memory;

namespace FastXen.Xen.Tests.Grants;

/// <summary>Grants to the host's backends.</summary>
public sealed unsafe class HostGrantTests : IDisposable
{
    private const ushort Permit = 1, Accept = 2, ReadOnlyFlag = 4, Reading = 8, Writing = 16;

    private readonly Machine machine = new();
    private readonly Guest front;

    public HostGrantTests()
    {
        front = machine.Add(1);
        Assert.Equal(GrantStatus.Okay, front.Domain.Grants.SetUp(1));
    }

    public void Dispose() => machine.Dispose();

    private GrantTable Grants => front.Domain.Grants;

    private uint* Entry(uint reference) => (uint*)front.Host(GrantTable.FirstFrame) + 2 * reference;

    private void Grant(uint reference, ushort flags, uint gpfn, ushort domain = DomainIds.Host)
    {
        Entry(reference)[1] = gpfn;
        Volatile.Write(ref Entry(reference)[0], flags | (uint)domain << 16);
    }

    private int Flags(uint reference) => (ushort)Volatile.Read(ref Entry(reference)[0]);

    [Fact]
    public void NoDomainHasTheHostsNumber()
    {
        Assert.Throws<ArgumentOutOfRangeException>(() => machine.Add(DomainIds.Host));
        Assert.Null(machine.Directory.Find(DomainIds.Host));
    }

    [Fact]
    public void AMapIsTheFrameAndShowsInTheEntry()
    {
        Grant(8, Permit, 5);
        Assert.Equal(GrantStatus.Okay, Grants.MapToHost(8, isReadOnly: true, out byte* read));
        Assert.True(read == front.Host(5));
        Assert.Equal(Permit | Reading, Flags(8));
        Assert.Equal(GrantStatus.Okay, Grants.MapToHost(8, isReadOnly: false, out byte* written));
        Assert.True(read == written);
        Assert.Equal(Permit | Reading | Writing, Flags(8));
        Grants.UnmapFromHost(8, isReadOnly: false);
        Assert.Equal(Permit | Reading, Flags(8));
        Grants.UnmapFromHost(8, isReadOnly: true);
        Assert.Equal(Permit, Flags(8));
        Assert.False(front.Memory.IsPinned(5));
    }

    [Theory]
    [InlineData(Permit | ReadOnlyFlag, DomainIds.Host, 5u)]
    [InlineData(Permit, 2, 5u)]
    [InlineData(Permit, 0, 5u)]
    [InlineData(0, DomainIds.Host, 5u)]
    [InlineData(Accept, DomainIds.Host, 5u)]
    [InlineData(Permit, DomainIds.Host, 0x7fff_ffffu)]
    public void WhatWasNotGrantedIsNotWritten(ushort flags, ushort domain, uint gpfn)
    {
        Grant(8, flags, gpfn, domain);
        Assert.Equal(GrantStatus.GeneralError, Grants.MapToHost(8, isReadOnly: false, out byte* frame));
        Assert.True(frame == null);
        Assert.Equal(GrantStatus.GeneralError, Grants.CopyFromHost([1, 2, 3], 8, 0));
        Assert.Equal(flags, Flags(8));
        Assert.Equal(GrantStatus.BadReference, Grants.MapToHost(1 << 20, isReadOnly: true, out _));
    }

    [Fact]
    public void ADomainsGrantIsNotTheHosts()
    {
        Guest other = machine.Add(2);
        Grant(8, Permit, 5);
        Assert.Equal(GrantStatus.GeneralError, other.Domain.Grants.Map(9UL << Frame.Shift, 2, 8, 1, out _, out _));
    }

    [Fact]
    public void ABatchIsMappedAsAWhole()
    {
        for (uint i = 0; i < 4; i++)
            Grant(8 + i, i == 2 ? (ushort)(Permit | ReadOnlyFlag) : Permit, 5 + i);
        Span<HostGrant> batch = stackalloc HostGrant[4];
        for (int i = 0; i < 4; i++)
            batch[i].Reference = 8 + (uint)i;
        Assert.Equal(GrantStatus.GeneralError, Grants.MapToHost(batch));
        for (uint i = 0; i < 4; i++)
            Assert.Equal(0, Flags(8 + i) & (Reading | Writing));
        batch[2].IsReadOnly = true;
        Assert.Equal(GrantStatus.Okay, Grants.MapToHost(batch));
        for (uint i = 0; i < 4; i++)
            Assert.True(batch[(int)i].Frame == front.Host(5 + i));
        Grants.UnmapFromHost(batch);
        for (uint i = 0; i < 4; i++)
            Assert.Equal(0, Flags(8 + i) & (Reading | Writing));
    }

    [Fact]
    public void CopiesStayInsideOfTheFrame()
    {
        Grant(8, Permit | ReadOnlyFlag, 5);
        Grant(9, Permit, 6);
        front.Host(5)[Frame.Size - 1] = 77;
        var bytes = new byte[2];
        Assert.Equal(GrantStatus.Okay, Grants.CopyToHost(8, Frame.Size - 2, bytes));
        Assert.Equal([0, 77], bytes);
        Assert.Equal(GrantStatus.Okay, Grants.CopyFromHost(bytes, 9, Frame.Size - 2));
        Assert.Equal(77, front.Host(6)[Frame.Size - 1]);
        Assert.Equal(GrantStatus.BadCopyArgument, Grants.CopyToHost(8, Frame.Size - 1, bytes));
        Assert.Equal(GrantStatus.BadCopyArgument, Grants.CopyToHost(8, -1, bytes));
        Assert.Equal(GrantStatus.BadCopyArgument, Grants.CopyFromHost(bytes, 9, int.MaxValue));
        Assert.Equal((Permit | ReadOnlyFlag, Permit), (Flags(8), Flags(9)));
    }

    [Fact]
    public void AFrameOutlivesItsDomainWhileItIsMapped()
    {
        Grant(8, Permit, 5);
        Assert.Equal(GrantStatus.Okay, Grants.MapToHost(8, isReadOnly: false, out byte* frame));
        frame[0] = 77;
        front.Domain.Destroy();
        Assert.Equal(77, frame[0]);
        frame[1] = 78;
        Assert.NotEqual(GrantStatus.Okay, Grants.MapToHost(8, isReadOnly: true, out _));
        Grants.UnmapFromHost(8, isReadOnly: false);
        Assert.Equal(GrantStatus.BadDomain, Grants.MapToHost(8, isReadOnly: true, out _));
        Assert.Equal(GrantStatus.BadDomain, Grants.TransferFromHost([1], 8));
    }

    [Fact]
    public void AFrameIsTransferred()
    {
        new Span<byte>(front.Host(5), Frame.Size).Fill(0xa5);
        Assert.True(front.Memory.Release(5));
        Grant(8, Accept, 5);
        Grant(9, Accept, 6, domain: 2);
        Assert.Equal(GrantStatus.GeneralError, Grants.TransferFromHost([1], 9));
        Assert.Equal(GrantStatus.BadCopyArgument, Grants.TransferFromHost(new byte[Frame.Size + 1], 8));
        Assert.Equal(GrantStatus.Okay, Grants.TransferFromHost([1, 2, 3], 8));
        Assert.Equal([1, 2, 3, 0], new Span<byte>(front.Host(5), 4).ToArray());
        Assert.Equal(front.Memory.MachineFrameOf(5), Entry(8)[1]);
        Assert.Equal(Accept | 4 | 8, Flags(8));
        Assert.Equal(64, front.Memory.Populated);
    }

    [Fact]
    public void UsesAllocateNothing()
    {
        Grant(8, Permit, 5);
        var bytes = new byte[100];
        for (int i = 0; i < 3; i++)
        {
            long before = GC.GetAllocatedBytesForCurrentThread();
            Grants.MapToHost(8, false, out _);
            Grants.UnmapFromHost(8, false);
            Grants.CopyFromHost(bytes, 8, 10);
            Grants.CopyToHost(8, 10, bytes);
            // The first use makes the record of the table's frame.
            if (i > 0)
                Assert.Equal(before, GC.GetAllocatedBytesForCurrentThread());
        }
    }
}
