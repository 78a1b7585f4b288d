using FastXen.Mmu;
using FastXen.Xen.Memory;

namespace FastXen.Xen.Tests.Memory;

public sealed unsafe class DomainMemoryTests : IDisposable
{
    private readonly Machine machine = new();
    private readonly Guest guest;
    private readonly Guest other;

    public DomainMemoryTests()
    {
        guest = machine.Add(1);
        other = machine.Add(2);
    }

    public void Dispose() => machine.Dispose();

    private DomainMemory Memory => guest.Memory;

    [Fact]
    public void NoFrameHasItsOwnNumberInTheMachine()
    {
        foreach (DomainMemory memory in new[] { Memory, other.Memory })
        {
            for (ulong gpfn = 0; gpfn < memory.ArenaFrames; gpfn++)
            {
                ulong mfn = memory.MachineFrameOf(gpfn);
                Assert.NotEqual(gpfn, mfn);
                Assert.True(machine.Frames.TryFind(mfn, out DomainMemory owner, out ulong back));
                Assert.Same(memory, owner);
                Assert.Equal(gpfn, back);
                Assert.True(mfn < machine.Frames.End);
            }
        }
        Assert.NotEqual(Frame.WindowStart, Memory.MachineFrameOf(Frame.WindowStart));
        Assert.Equal(Frame.Invalid, Memory.MachineFrameOf(Memory.ArenaFrames));
        Assert.False(machine.Frames.TryFind(0, out _, out _));
    }

    [Fact]
    public void ABalloonGivesMemoryBackAndGetsItZeroed()
    {
        *(ulong*)guest.Host(5) = 7;
        Assert.Equal(64, Memory.Populated);
        Assert.True(Memory.Release(5));
        Assert.False(Memory.Release(5));
        Assert.Equal(63, Memory.Populated);
        Assert.Equal(FrameKind.Hole, Memory.Lookup(5).Kind);
        Assert.False(Memory.TryRead(5 << Frame.Shift, out ulong _));
        Assert.Equal(Frame.Invalid, Memory.MachineFrameOf(5));
        Assert.True(Memory.Populate(5));
        Assert.False(Memory.Populate(5));
        Assert.True(Memory.TryRead(5 << Frame.Shift, out ulong value));
        Assert.Equal(0UL, value);
        Assert.Equal(64, Memory.Populated);
    }

    [Theory]
    [InlineData(64UL)]
    [InlineData(Frame.WindowStart)]
    [InlineData(Frame.Limit)]
    [InlineData(ulong.MaxValue)]
    public void OnlyNumbersOfTheArenaCanBePopulatedOrReleased(ulong gpfn)
    {
        Assert.False(Memory.Populate(gpfn));
        Assert.False(Memory.Release(gpfn));
        Assert.Equal(64, Memory.Populated);
    }

    [Fact]
    public void TheReservationIsALimit()
    {
        Memory.Release(1);
        Memory.Release(2);
        Memory.Maximum = 63;
        Assert.True(Memory.Populate(1));
        Assert.False(Memory.Populate(2));
        Assert.Equal(63, Memory.Populated);
    }

    [Fact]
    public void APinKeepsAFrameThatLeftTheDomain()
    {
        Assert.True(other.Memory.TryPin(3, out byte* host));
        *host = 42;
        Assert.True(other.Memory.IsPinned(3));
        Assert.True(other.Memory.Release(3));
        Assert.False(other.Memory.Populate(3));
        Assert.False(other.Memory.TryPin(3, out _));
        Assert.Equal(42, *host);
        other.Memory.Unpin(3);
        Assert.False(other.Memory.IsPinned(3));
        Assert.True(other.Memory.Populate(3));
        Assert.Equal(0, *other.Host(3));
    }

    [Fact]
    public void APinKeepsTheMemoryOfADeadDomain()
    {
        Assert.True(other.Memory.TryPin(3, out byte* host));
        *host = 42;
        ulong mfn = other.Memory.MachineFrameOf(3);
        other.Domain.Destroy();
        Assert.Equal(42, *host);
        Assert.True(machine.Frames.TryFind(mfn, out _, out _));
        other.Memory.Unpin(3);
        Assert.False(machine.Frames.TryFind(mfn, out _, out _));
        Assert.False(other.Memory.TryPin(4, out _));
    }

    [Fact]
    public void AForeignFrameTakesThePlaceOfAnOwnOne()
    {
        other.Memory.TryPin(3, out byte* host);
        Assert.True(Memory.Map(7, FrameKind.Granted, host, writable: false));
        Assert.Equal(63, Memory.Populated);
        P2mEntry entry = Memory.Lookup(7);
        Assert.Equal((FrameKind.Granted, false), (entry.Kind, entry.IsWritable));
        Assert.True(entry.Host == host);
        Assert.Equal(other.Memory.MachineFrameOf(3), Memory.MachineFrameOf(7));
        // Not for the hypervisor, not to be given up, populated, pinned or mapped over.
        Assert.False(Memory.TryRead(7 << Frame.Shift, out byte _));
        Assert.False(Memory.TryWrite(7 << Frame.Shift, (byte)1));
        Assert.False(Memory.Release(7));
        Assert.False(Memory.Populate(7));
        Assert.False(Memory.TryPin(7, out _));
        Assert.False(Memory.Map(7, FrameKind.Foreign, host, writable: true));
        Assert.False(Memory.Unmap(7, FrameKind.Foreign, host, out _));
        Assert.False(Memory.Unmap(7, FrameKind.Granted, host + Frame.Size, out _));
        Assert.True(Memory.Unmap(7, FrameKind.Granted, host, out _));
        Assert.Equal(FrameKind.Hole, Memory.Lookup(7).Kind);
        Assert.True(Memory.Populate(7));
        other.Memory.Unpin(3);
    }

    [Fact]
    public void TheWindowIsTheHypervisors()
    {
        other.Memory.TryPin(3, out byte* host);
        Assert.False(Memory.Map(Frame.WindowStart, FrameKind.Granted, host, true));
        Assert.False(Memory.Map(Frame.WindowStart + 90, FrameKind.Granted, host, true));
        Assert.False(Memory.Map(Frame.Limit, FrameKind.Granted, host, true));
        other.Memory.Unpin(3);
        Assert.Throws<ArgumentOutOfRangeException>(() => Memory.AddFixed(5));
        Assert.Throws<InvalidOperationException>(() => Memory.AddFixed(Frame.WindowStart));
        Assert.True(Memory.TryWrite(Frame.WindowStart + 1 << Frame.Shift, 1) == false);
        Assert.True(Memory.TryWrite((Frame.WindowStart << Frame.Shift) + 0x1010, 1UL));
    }

    [Fact]
    public void MappingsAnywhereCostBoundedMemory()
    {
        other.Memory.TryPin(3, out byte* host);
        int mapped = 0;
        for (ulong i = 1; i < 2000; i++)
        {
            if (Memory.Map(i << 13, FrameKind.Granted, host, true))
                mapped++;
        }
        Assert.InRange(mapped, 200, 300);
        Assert.True(Memory.Release(9));
        Assert.True(Memory.Populate(9));
        other.Memory.Unpin(3);
    }

    [Fact]
    public void TlbsAreToldOfWhatTheyCache()
    {
        other.Memory.TryPin(3, out byte* host);
        Memory.Map(100, FrameKind.Granted, host, true);
        Memory.Map(101, FrameKind.Granted, host, true);
        Memory.Map(102, FrameKind.Granted, host, true);
        Assert.True(Memory.LookupToCache(100, 17).Host == host);
        Memory.LookupToCache(100, 17);
        Memory.LookupToCache(101, 17);
        Memory.LookupToCache(101, 18);
        Assert.Equal(default, Memory.LookupToCache(103, 5));

        Span<P2mChange> changes = stackalloc P2mChange[3];
        for (int i = 0; i < 3; i++)
            Assert.True(Memory.Unmap(100 + (ulong)i, FrameKind.Granted, host, out changes[i]));
        Assert.Empty(guest.Changes);
        Memory.Tell(changes);
        Assert.Equal([new P2mChange(100, 17), new P2mChange(101, P2mChange.Many), new P2mChange(102, 0)], guest.Changes);
        guest.Changes.Clear();
        Memory.Tell(changes[2..]);
        Assert.Empty(guest.Changes);
        other.Memory.Unpin(3);

        // Names are for one mapping: the next starts without.
        Memory.LookupToCache(9, 3);
        Memory.Release(9);
        Memory.Populate(9);
        Memory.Release(9);
        Assert.Equal([new P2mChange(9, 3)], guest.Changes);
    }

    [Fact]
    public void DeviceWindowsHaveNoMemory()
    {
        Assert.False(Memory.AddMmio(1));
        Assert.True(Memory.AddMmio(1000));
        Assert.Equal(FrameKind.Mmio, Memory.Lookup(1000).Kind);
        Assert.True(Memory.Lookup(1000).Host == null);
        Assert.False(Memory.TryRead(1000UL << Frame.Shift, out byte _));
        Assert.True(Memory.RemoveMmio(1000));
        Assert.False(Memory.RemoveMmio(1000));
    }

    [Fact]
    public void AnArenaMustBeWhole()
    {
        using var arena = new PhysicalMemory(1 << 20);
        Assert.Throws<ArgumentException>(() => new DomainMemory(arena, machine.Frames));
    }

    [Fact]
    public void NumbersOfDeadDomainsAreUsedAgain()
    {
        ulong end = machine.Frames.End;
        for (ushort id = 10; id < 40; id++)
            machine.Add(id).Domain.Destroy();
        Assert.Equal(end, machine.Frames.End);
    }

    /// <summary>One thread balloons a frame in and out while others pin it: every holder of a pin has it alone with the domain.</summary>
    [Fact]
    public void PinsAndBalloonsRace()
    {
        const int Rounds = 1000;
        DomainMemory memory = other.Memory;
        bool stop = false;
        int torn = 0;
        var pinners = Enumerable.Range(0, 2).Select(index => new Thread(() =>
        {
            while (!Volatile.Read(ref stop))
            {
                if (!memory.TryPin(5, out byte* host))
                    continue;
                var mine = (ulong*)host + index;
                *mine = 1;
                Thread.SpinWait(20);
                if (Volatile.Read(ref *mine) != 1)
                    Interlocked.Increment(ref torn);
                memory.Unpin(5);
            }
        })).ToArray();
        foreach (Thread thread in pinners)
            thread.Start();
        for (int populated = 0; populated < Rounds;)
        {
            memory.Release(5);
            // A pin that is held by a thread that does not run now keeps the frame away.
            if (memory.Populate(5))
                populated++;
            else
                Thread.Yield();
        }
        Volatile.Write(ref stop, true);
        foreach (Thread thread in pinners)
            thread.Join();
        Assert.Equal(0, torn);
        memory.Release(5);
        Assert.False(memory.IsPinned(5));
        Assert.True(memory.Populate(5));
        Assert.Equal(64, memory.Populated);
    }
}
