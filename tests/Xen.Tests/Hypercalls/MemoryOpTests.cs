using System.Runtime.InteropServices;
using FastXen.Xen.Memory;
using FastXen.Xen.Tests.Toolstack;

namespace FastXen.Xen.Tests.Hypercalls;

/// <summary>memory_op as a guest calls it.</summary>
public sealed class MemoryOpTests : IDisposable
{
    private const ulong MemoryOp = 12;
    private const ulong Increase = 0, Decrease = 1, MaximumRamPage = 2, Current = 3, Maximum = 4, MachphysMfnList = 5, Populate = 6, AddToPhysmap = 7, Translate = 8,
        MemoryMap = 9, MachineMemoryMap = 10, Exchange = 11, MaximumGpfn = 14, RemoveFromPhysmap = 15, GetPodTarget = 17;
    private const ulong List = 0x1_0000, OtherList = 0x2_0000;
    private const ushort Self = DomainIds.Self;

    private readonly XenHost _host = new();
    private readonly Hypercaller _guest, _privileged;

    public MemoryOpTests()
    {
        _privileged = new Hypercaller(_host, 0, isPrivileged: true, maximum: 4 << 20);
        // 64 frames, room for 1024.
        _guest = new Hypercaller(_host, 1, maximum: 16 << 20);
    }

    [StructLayout(LayoutKind.Sequential)]
    private struct Reservation
    {
        public ulong Extents, Count;
        public uint Order, Flags;
        public ushort Domain;

        public static Reservation Of(ulong count, uint order = 0, ushort domain = Self, ulong list = List) =>
            new() { Extents = Hypercaller.At(list), Count = count, Order = order, Domain = domain };
    }

    [StructLayout(LayoutKind.Sequential)]
    private struct ExchangeArgument
    {
        public Reservation In, Out;
        public ulong Exchanged;
    }

    [Fact]
    public void The_balloon_goes_both_ways_and_gives_frames_back_to_the_host()
    {
        _guest.Memory.TryWrite(40UL << Frame.Shift, 0x1234UL);
        _guest.Put<ulong>(List, 40, 41, 42);
        var r = Reservation.Of(3);
        Assert.Equal(3, _guest.Call(MemoryOp, Decrease, ref r));
        Assert.Equal((61L, FrameKind.Hole), (_guest.Memory.Populated, _guest.Memory.Lookup(41).Kind));
        _guest.Put<ulong>(List, 40, 500, 1023);
        Assert.Equal(3, _guest.Call(MemoryOp, Populate, ref r));
        Assert.Equal((64L, FrameKind.Ram), (_guest.Memory.Populated, _guest.Memory.Lookup(1023).Kind));
        Assert.Equal(0UL, _guest.Get<ulong>(40UL << Frame.Shift));
    }

    [Fact]
    public void A_frame_that_the_balloon_takes_is_no_memory_of_the_host_any_more()
    {
        Assert.False(IsResident(900));
        _guest.Put(List, 900UL);
        var r = Reservation.Of(1);
        Assert.Equal(1, _guest.Call(MemoryOp, Populate, ref r));
        _guest.Memory.TryWrite(900UL << Frame.Shift, 1UL);
        Assert.True(IsResident(900));
        Assert.Equal(1, _guest.Call(MemoryOp, Decrease, ref r));
        Assert.False(IsResident(900));
    }

    [Fact]
    public void A_list_ends_at_the_first_extent_that_cannot_be_done()
    {
        _guest.Put<ulong>(List, 40, 200, 41);
        var r = Reservation.Of(3);
        Assert.Equal(1, _guest.Call(MemoryOp, Decrease, ref r));
        _guest.Put<ulong>(List, 200, 40, 5, 201);
        r = Reservation.Of(4);
        Assert.Equal(2, _guest.Call(MemoryOp, Populate, ref r));
        _guest.Put<ulong>(List, 1024);
        Assert.Equal(0, _guest.Call(MemoryOp, Populate, ref r));
        _guest.Put(List, ulong.MaxValue);
        Assert.Equal(0, _guest.Call(MemoryOp, Populate, ref r));
        Assert.Equal(0, _guest.Call(MemoryOp, Decrease, ref r));
    }

    [Fact]
    public void A_domain_has_no_more_than_its_maximum()
    {
        _guest.Memory.Maximum = 66;
        _guest.Put<ulong>(List, 100, 101, 102);
        var r = Reservation.Of(3);
        Assert.Equal(2, _guest.Call(MemoryOp, Populate, ref r));
        Assert.Equal(66, _guest.Memory.Populated);
        // Below what it has it may only shrink.
        _guest.Memory.Maximum = 10;
        _guest.Put<ulong>(List, 100);
        r = Reservation.Of(1);
        Assert.Equal(1, _guest.Call(MemoryOp, Decrease, ref r));
        Assert.Equal(0, _guest.Call(MemoryOp, Populate, ref r));
        Assert.Equal(0, _guest.Call(MemoryOp, Increase, ref r));
    }

    [Fact]
    public void Large_extents_are_done_as_a_whole_or_not_at_all()
    {
        _guest.Put<ulong>(List, 512, 62);
        var r = Reservation.Of(2, order: 2);
        Assert.Equal(1, _guest.Call(MemoryOp, Populate, ref r));
        Assert.Equal((68L, FrameKind.Ram, FrameKind.Hole), (_guest.Memory.Populated, _guest.Memory.Lookup(515).Kind, _guest.Memory.Lookup(64).Kind));
        r = Reservation.Of(1, order: 2);
        Assert.Equal(1, _guest.Call(MemoryOp, Decrease, ref r));
        Assert.Equal(64, _guest.Memory.Populated);
        r = Reservation.Of(1, order: 10);
        Assert.Equal(0, _guest.Call(MemoryOp, Populate, ref r));
    }

    [Fact]
    public void A_long_list_is_done_in_slices()
    {
        const int Count = 900;
        for (ulong k = 0; k < Count; k++)
            _guest.Put(List + 8 * k, 100 + k);
        var r = Reservation.Of(Count);
        Assert.Equal(Count, _guest.Call(MemoryOp, Populate, ref r));
        Assert.Equal(2, _guest.Executions);
        Assert.Equal(64 + Count, _guest.Memory.Populated);
        Assert.Equal(Count, _guest.Call(MemoryOp, Decrease, ref r));
        Assert.Equal((2, 64L), (_guest.Executions, _guest.Memory.Populated));
        // The command may carry a progress to begin with.
        Assert.Equal(Count, _guest.Call(MemoryOp, Populate | 890 << 6, ref r));
        Assert.Equal(74, _guest.Memory.Populated);
    }

    [Fact]
    public void Increase_gives_the_lowest_free_frames_and_says_which()
    {
        var r = Reservation.Of(2, order: 1);
        Assert.Equal(2, _guest.Call(MemoryOp, Increase, ref r));
        Assert.Equal(68, _guest.Memory.Populated);
        Assert.Equal(_guest.Memory.MachineFrameOf(64), _guest.Get<ulong>(List));
        Assert.Equal(_guest.Memory.MachineFrameOf(66), _guest.Get<ulong>(List + 8));
        r = Reservation.Of(1);
        r.Extents = 0;
        Assert.Equal(1, _guest.Call(MemoryOp, Increase, ref r));
    }

    [Fact]
    public void What_is_wrong_with_a_reservation_is_nothing_done()
    {
        var r = Reservation.Of(1, domain: 0);
        _guest.Put<ulong>(List, 100);
        Assert.Equal(0, _guest.Call(MemoryOp, Populate, ref r));
        r = Reservation.Of(1, domain: 77);
        Assert.Equal(0, _privileged.Call(MemoryOp, Populate, ref r));
        r = Reservation.Of(1);
        r.Extents = Hypercaller.At(1UL << 45);
        Assert.Equal(0, _guest.Call(MemoryOp, Populate, ref r));
        Assert.Equal(0, _guest.Call(MemoryOp, Populate, Hypercaller.At(1UL << 45)));
        r = Reservation.Of(1);
        r.Flags = 14;
        Assert.Equal(0, _guest.Call(MemoryOp, Populate, ref r));
        r.Flags = 40;
        Assert.Equal(1, _guest.Call(MemoryOp, Populate, ref r));
    }

    [Fact]
    public void A_privileged_domain_changes_the_memory_of_another()
    {
        _privileged.Put<ulong>(List, 100, 101);
        var r = Reservation.Of(2, domain: 1);
        Assert.Equal(2, _privileged.Call(MemoryOp, Populate, ref r));
        Assert.Equal((66L, 64L), (_guest.Memory.Populated, _privileged.Memory.Populated));
        _privileged.Put(Hypercaller.Argument, (ushort)1);
        Assert.Equal(66, _privileged.Call(MemoryOp, Current, Hypercaller.At(Hypercaller.Argument)));
    }

    [Fact]
    public void Sizes_are_told()
    {
        _guest.Put(Hypercaller.Argument, Self);
        ulong handle = Hypercaller.At(Hypercaller.Argument);
        Assert.Equal(64, _guest.Call(MemoryOp, Current, handle));
        Assert.Equal(1024, _guest.Call(MemoryOp, Maximum, handle));
        Assert.Equal(63, _guest.Call(MemoryOp, MaximumGpfn, handle));
        Assert.Equal((long)_host.Frames.End, _guest.Call(MemoryOp, MaximumRamPage, 0));
        Assert.Equal(-Errno.EFAULT, _guest.Call(MemoryOp, Current, 0));
        _guest.Put(Hypercaller.Argument, (ushort)0);
        Assert.Equal(-Errno.EPERM, _guest.Call(MemoryOp, Current, handle));
        _privileged.Put(Hypercaller.Argument, (ushort)9);
        Assert.Equal(-Errno.ESRCH, _privileged.Call(MemoryOp, Maximum, handle));
    }

    [Fact]
    public void Exchange_keeps_what_stays_and_replaces_what_does_not()
    {
        _guest.Memory.TryWrite(40UL << Frame.Shift, 0x77UL);
        _guest.Put<ulong>(List, 40, 41, 42, 43);
        _guest.Put<ulong>(OtherList, 40);
        var x = new ExchangeArgument { In = Reservation.Of(4), Out = Reservation.Of(1, order: 2, list: OtherList) };
        Assert.Equal(0, _guest.Call(MemoryOp, Exchange, ref x));
        Assert.Equal((4UL, 64L, 0x77UL), (x.Exchanged, _guest.Memory.Populated, _guest.Get<ulong>(40UL << Frame.Shift)));
        ulong first = _guest.Memory.MachineFrameOf(40);
        Assert.Equal(first + 3, _guest.Memory.MachineFrameOf(43));

        _guest.Put<ulong>(OtherList, 100);
        x.Exchanged = 0;
        Assert.Equal(0, _guest.Call(MemoryOp, Exchange, ref x));
        Assert.Equal((FrameKind.Hole, FrameKind.Ram, 64L), (_guest.Memory.Lookup(42).Kind, _guest.Memory.Lookup(102).Kind, _guest.Memory.Populated));
    }

    [Fact]
    public void Exchange_tells_how_far_it_came()
    {
        _guest.Put<ulong>(List, 40, 41, 200, 43);
        _guest.Put<ulong>(OtherList, 100, 110, 120, 130);
        var x = new ExchangeArgument { In = Reservation.Of(4), Out = Reservation.Of(4, list: OtherList) };
        Assert.Equal(-Errno.EINVAL, _guest.Call(MemoryOp, Exchange, ref x));
        Assert.Equal((2UL, FrameKind.Ram, FrameKind.Hole), (x.Exchanged, _guest.Memory.Lookup(110).Kind, _guest.Memory.Lookup(120).Kind));
        // To a number that is taken.
        _guest.Put<ulong>(List, 45);
        _guest.Put<ulong>(OtherList, 46);
        x = new ExchangeArgument { In = Reservation.Of(1), Out = Reservation.Of(1, list: OtherList) };
        Assert.Equal(-Errno.ENOMEM, _guest.Call(MemoryOp, Exchange, ref x));
        // What another domain uses stays.
        Pin(45);
        _guest.Put<ulong>(OtherList, 45);
        Assert.Equal(-Errno.EINVAL, _guest.Call(MemoryOp, Exchange, ref x));
        _guest.Memory.Unpin(45);
    }

    [Fact]
    public void Exchange_refuses_shapes_that_do_not_fit()
    {
        var x = new ExchangeArgument { In = Reservation.Of(4), Out = Reservation.Of(1) };
        Assert.Equal(-Errno.EINVAL, _guest.Call(MemoryOp, Exchange, ref x));
        x = new ExchangeArgument { In = Reservation.Of(1), Out = Reservation.Of(1, domain: 5) };
        Assert.Equal(-Errno.EINVAL, _guest.Call(MemoryOp, Exchange, ref x));
        x = new ExchangeArgument { In = Reservation.Of(1), Out = Reservation.Of(1), Exchanged = 2 };
        Assert.Equal(-Errno.EINVAL, _guest.Call(MemoryOp, Exchange, ref x));
        x = new ExchangeArgument { In = Reservation.Of(1024), Out = Reservation.Of(1, order: 10) };
        Assert.Equal(-Errno.EPERM, _guest.Call(MemoryOp, Exchange, ref x));
        x = new ExchangeArgument { In = Reservation.Of(ulong.MaxValue), Out = Reservation.Of(ulong.MaxValue) };
        Assert.Equal(-Errno.EINVAL, _guest.Call(MemoryOp, Exchange, ref x));
        x = new ExchangeArgument { In = Reservation.Of(1, domain: 0), Out = Reservation.Of(1, domain: 0) };
        Assert.Equal(-Errno.EPERM, _guest.Call(MemoryOp, Exchange, ref x));
    }

    [Fact]
    public void Operations_of_other_kinds_of_domains_are_not_there()
    {
        _guest.Put(Hypercaller.Argument, Self);
        ulong handle = Hypercaller.At(Hypercaller.Argument);
        foreach (ulong command in (ulong[])[AddToPhysmap, MachphysMfnList, MemoryMap, 12, 13, 18, 63])
            Assert.Equal(-Errno.ENOSYS, _guest.Call(MemoryOp, command, handle));
        _guest.Put(Hypercaller.Argument, (ushort)0);
        Assert.Equal(-Errno.EPERM, _guest.Call(MemoryOp, AddToPhysmap, handle));
        Assert.Equal(-Errno.EINVAL, _guest.Call(MemoryOp, MachineMemoryMap, handle));
        Assert.Equal(-Errno.EINVAL, _guest.Call(MemoryOp, GetPodTarget, handle));
    }

    [Fact]
    public void A_frame_is_removed_by_its_number()
    {
        _guest.Put<ulong>(Hypercaller.Argument, Self, 40);
        ulong handle = Hypercaller.At(Hypercaller.Argument);
        Assert.Equal(0, _guest.Call(MemoryOp, RemoveFromPhysmap, handle));
        Assert.Equal((63L, FrameKind.Hole), (_guest.Memory.Populated, _guest.Memory.Lookup(40).Kind));
        Assert.Equal(-Errno.ENOENT, _guest.Call(MemoryOp, RemoveFromPhysmap, handle));
        _guest.Put<ulong>(Hypercaller.Argument, 0, 40);
        Assert.Equal(-Errno.EPERM, _guest.Call(MemoryOp, RemoveFromPhysmap, handle));
    }

    [Fact]
    public void Numbers_are_translated_to_machine_frames()
    {
        _guest.Put<ulong>(List, 3, 999);
        _guest.Put<ulong>(Hypercaller.Argument, Self, 2, Hypercaller.At(List), Hypercaller.At(OtherList));
        Assert.Equal(0, _guest.Call(MemoryOp, Translate, Hypercaller.At(Hypercaller.Argument)));
        Assert.Equal((_guest.Memory.MachineFrameOf(3), ulong.MaxValue), (_guest.Get<ulong>(OtherList), _guest.Get<ulong>(OtherList + 8)));
        _guest.Put<ulong>(Hypercaller.Argument, Self, ulong.MaxValue, Hypercaller.At(List), Hypercaller.At(OtherList));
        Assert.Equal(-Errno.EINVAL, _guest.Call(MemoryOp, Translate, Hypercaller.At(Hypercaller.Argument)));
    }

    [Fact]
    public void A_privileged_domain_sees_the_machine()
    {
        _privileged.Put<ulong>(Hypercaller.Argument, 4096, Hypercaller.At(List));
        Assert.Equal(0, _privileged.Call(MemoryOp, MachineMemoryMap, Hypercaller.At(Hypercaller.Argument)));
        Assert.Equal((24u + 2 * 40, 80UL, 40UL), (_privileged.Get<uint>(Hypercaller.Argument), _privileged.Get<ulong>(List), _privileged.Get<ulong>(List + 8)));
        Assert.Equal(_host.Frames.End * 4, _privileged.Get<ulong>(List + 24 + 24));
        _privileged.Put<ulong>(Hypercaller.Argument, 24, Hypercaller.At(List));
        Assert.Equal(-Errno.EINVAL, _privileged.Call(MemoryOp, MachineMemoryMap, Hypercaller.At(Hypercaller.Argument)));
        _privileged.Put<ulong>(Hypercaller.Argument, 5, 0, 9, 9, 1);
        Assert.Equal(0, _privileged.Call(MemoryOp, GetPodTarget, Hypercaller.At(Hypercaller.Argument)));
        Assert.Equal((64UL, 0UL), (_privileged.Get<ulong>(Hypercaller.Argument + 8), _privileged.Get<ulong>(Hypercaller.Argument + 16)));
    }

    [Fact]
    public void A_multicall_with_a_long_list_goes_on_where_it_was()
    {
        const int Count = 600;
        for (ulong k = 0; k < Count; k++)
            _guest.Put(List + 8 * k, 100 + k);
        var r = Reservation.Of(Count);
        _guest.Put(Hypercaller.Argument, r);
        ulong handle = Hypercaller.At(Hypercaller.Argument);
        for (ulong k = 0; k < 3; k++)
            _guest.Put<ulong>(OtherList + 64 * k, MemoryOp, 0, k == 1 ? Decrease : k == 0 ? Populate : MaximumRamPage, handle, 0, 0, 0, 0);
        Assert.Equal(0, _guest.Call(13, Hypercaller.At(OtherList), 3));
        Assert.Equal((3, 64L), (_guest.Executions, _guest.Memory.Populated));
        Assert.Equal(((ulong)Count, (ulong)Count, _host.Frames.End), (_guest.Get<ulong>(OtherList + 8), _guest.Get<ulong>(OtherList + 72), _guest.Get<ulong>(OtherList + 136)));
    }

    private unsafe bool IsResident(ulong gpfn)
    {
        byte* pages = stackalloc byte[4];
        Assert.Equal(0, MinCore(_guest.Machine.Arena.Base + (gpfn << Frame.Shift), Frame.Size, pages));
        return (pages[0] & 1) != 0;
    }

    [DllImport("libc", EntryPoint = "mincore")]
    private static extern unsafe int MinCore(byte* address, nuint length, byte* pages);

    private unsafe void Pin(ulong gpfn) => Assert.True(_guest.Memory.TryPin(gpfn, out _));

    public void Dispose()
    {
        _guest.Dispose();
        _privileged.Dispose();
    }
}
