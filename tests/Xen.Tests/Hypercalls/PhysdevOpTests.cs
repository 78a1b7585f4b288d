using FastXen.Xen.Memory;
using FastXen.Xen.Physdev;
using FastXen.Xen.Tests.Toolstack;

namespace FastXen.Xen.Tests.Hypercalls;

/// <summary>The machine's interrupts as dom0 and driver domains have them.</summary>
public sealed class PhysdevOpTests : IDisposable
{
    private const ulong PhysdevOp = 33, FastEoi = 49, EventChannelOp = 32;
    private const ulong UnmaskNotify = 4, StatusQuery = 5, ApicRead = 8, ApicWrite = 9, AllocVector = 10, FreeVector = 11, Eoi = 12, ManagePciAdd = 15;
    private const ulong BindPirq = 2, Close = 3;
    private const uint Level = 1 << 15, Masked = 1 << 16;

    private readonly XenHost _host = new();
    private readonly Hypercaller _dom0, _driver;

    public PhysdevOpTests()
    {
        _dom0 = new Hypercaller(_host, 0, isPrivileged: true);
        _driver = new Hypercaller(_host, 1);
    }

    [Fact]
    public void A_level_interrupt_waits_for_its_end()
    {
        uint vector = Allocate();
        Assert.Equal(0, Apic(ApicWrite, 0x10 + 2 * 5, vector | Level, out _));
        Assert.Equal(1u, Status(vector));
        int port = Bind(_dom0, vector);
        _host.Interrupts.SetLine(5, true);
        Assert.True(_dom0.Take(port));
        // Still asserted, but not ended.
        _host.Interrupts.SetLine(5, false);
        _host.Interrupts.SetLine(5, true);
        Assert.False(_dom0.Take(port));
        _dom0.Put(Hypercaller.Argument, vector);
        Assert.Equal(0, _dom0.Call(PhysdevOp, Eoi, Hypercaller.At(Hypercaller.Argument)));
        Assert.True(_dom0.Take(port));
        _host.Interrupts.SetLine(5, false);
        Assert.Equal(0, _dom0.Call(FastEoi, vector));
        Assert.False(_dom0.Take(port));
    }

    [Fact]
    public void An_edge_interrupt_comes_each_time_and_needs_no_end()
    {
        uint vector = Allocate();
        Assert.Equal(0, Apic(ApicWrite, 0x10, vector, out _));
        Assert.Equal(0u, Status(vector));
        int port = Bind(_dom0, vector);
        for (int k = 0; k < 3; k++)
        {
            _host.Interrupts.SetLine(0, true);
            Assert.True(_dom0.Take(port));
            _host.Interrupts.SetLine(0, true);
            Assert.False(_dom0.Take(port));
            _host.Interrupts.SetLine(0, false);
        }

        Assert.Equal(0, Apic(ApicWrite, 0x10, vector | Masked, out _));
        _host.Interrupts.SetLine(0, true);
        Assert.False(_dom0.Take(port));
    }

    [Fact]
    public void A_masked_level_line_is_sent_when_it_is_unmasked()
    {
        uint vector = Allocate();
        int port = Bind(_dom0, vector);
        _host.Interrupts.SetLine(3, true);
        Assert.False(_dom0.Take(port));
        Assert.Equal(0, Apic(ApicWrite, 0x16, vector | Level, out _));
        Assert.True(_dom0.Take(port));
    }

    [Fact]
    public void A_driver_domain_gets_what_it_was_given_and_its_end_frees_others()
    {
        uint vector = Allocate();
        Assert.Equal(0, Apic(ApicWrite, 0x12, vector | Level, out _));
        Assert.Equal(-Errno.EPERM, TryBind(_driver, vector, share: true));
        _driver.Domain.IoPermissions.SetInterrupt((int)vector, allow: true);
        int theirs = Bind(_driver, vector, share: true), ours = Bind(_dom0, vector, share: true);
        using var third = new Hypercaller(_host, 2);
        third.Domain.IoPermissions.SetInterrupt((int)vector, allow: true);
        Assert.Equal(-Errno.EBUSY, TryBind(third, vector, share: false));

        _host.Interrupts.SetLine(1, true);
        Assert.True(_driver.Take(theirs) && _dom0.Take(ours));
        Assert.Equal(0, _dom0.Call(FastEoi, vector));
        Assert.False(_dom0.Take(ours));
        // The other one goes without having ended it.
        _driver.Machine.Dispose();
        Assert.True(_dom0.Take(ours));
    }

    [Fact]
    public void Registers_of_the_controller()
    {
        Assert.Equal(0, Apic(ApicRead, 1, 0, out uint version));
        Assert.Equal(0x20u | (MachineInterrupts.Lines - 1) << 16, version);
        uint vector = Allocate();
        Assert.Equal(0, Apic(ApicWrite, 0x12, vector | Level | Masked, out _));
        Assert.Equal(0, Apic(ApicRead, 0x12, 0, out uint entry));
        Assert.Equal(vector | Level | Masked, entry);
        // The high half and what is not an entry are the hypervisor's.
        Assert.Equal(0, Apic(ApicWrite, 0x13, 5, out _));
        Assert.Equal(0, Apic(ApicWrite, 0, 5, out _));
        Assert.Equal(-Errno.EINVAL, Apic(ApicWrite, 0x10 + 2 * MachineInterrupts.Lines, vector, out _));
        Assert.Equal(-Errno.EINVAL, Apic(ApicWrite, 0x10, vector + 1, out _));
        Assert.Equal(-Errno.EINVAL, Apic(ApicWrite, 0x10, vector, out _, address: 0x1000));
        Assert.Equal(-Errno.EINVAL, Apic(ApicRead, 0x10, 0, out _, address: 0x1000));
    }

    [Fact]
    public void Lines_that_share_a_vector_are_sent_while_one_is_asserted()
    {
        uint vector = Allocate();
        Assert.Equal(0, Apic(ApicWrite, 0x10 + 2 * 6, vector | Level, out _));
        Assert.Equal(0, Apic(ApicWrite, 0x10 + 2 * 7, vector | Level, out _));
        int port = Bind(_dom0, vector);
        _host.Interrupts.SetLine(6, true);
        _host.Interrupts.SetLine(7, true);
        Assert.True(_dom0.Take(port));
        _host.Interrupts.SetLine(6, false);
        Assert.Equal(0, _dom0.Call(FastEoi, vector));
        Assert.True(_dom0.Take(port));
        _host.Interrupts.SetLine(7, false);
        Assert.Equal(0, _dom0.Call(FastEoi, vector));
        Assert.False(_dom0.Take(port));
        // An end of nothing, and one by who does not have it, change nothing.
        _host.Interrupts.SetLine(7, true);
        Assert.True(_dom0.Take(port));
        Assert.Equal(0, _driver.Call(FastEoi, vector));
        Assert.False(_dom0.Take(port));
        Assert.Equal(0, _dom0.Call(FastEoi, vector));
        Assert.True(_dom0.Take(port));
    }

    [Fact]
    public void A_line_that_is_masked_meanwhile_is_not_sent_at_the_end()
    {
        uint vector = Allocate();
        Assert.Equal(0, Apic(ApicWrite, 0x10 + 2 * 6, vector | Level, out _));
        int port = Bind(_dom0, vector);
        _host.Interrupts.SetLine(6, true);
        Assert.True(_dom0.Take(port));
        Assert.Equal(0, Apic(ApicWrite, 0x10 + 2 * 6, vector | Level | Masked, out _));
        Assert.Equal(0, _dom0.Call(FastEoi, vector));
        Assert.False(_dom0.Take(port));
        Assert.Equal(0, Apic(ApicWrite, 0x10 + 2 * 6, vector | Level, out _));
        Assert.True(_dom0.Take(port));
    }

    [Fact]
    public void A_line_that_is_asserted_when_its_vector_is_bound_is_sent_then()
    {
        uint vector = Allocate();
        Assert.Equal(0, Apic(ApicWrite, 0x10 + 2 * 6, vector | Level, out _));
        _host.Interrupts.SetLine(6, true);
        int port = Bind(_dom0, vector);
        Assert.True(_dom0.Take(port));
        Assert.Equal(0, _dom0.Call(FastEoi, vector));
        Assert.True(_dom0.Take(port));
    }

    [Fact]
    public void The_first_to_bind_a_vector_unmasks_its_lines_and_the_last_masks_them()
    {
        uint vector = Allocate();
        Assert.Equal(0, Apic(ApicWrite, 0x10 + 2 * 6, vector | Level | Masked, out _));
        int port = Bind(_dom0, vector, share: true);
        _driver.Domain.IoPermissions.SetInterrupt((int)vector, allow: true);
        int other = Bind(_driver, vector, share: true);
        Assert.Equal(0, Apic(ApicRead, 0x10 + 2 * 6, 0, out uint entry));
        Assert.Equal(vector | Level, entry);
        _host.Interrupts.SetLine(6, true);
        Assert.True(_dom0.Take(port) && _driver.Take(other));
        _dom0.Put(Hypercaller.Argument, port);
        Assert.Equal(0, _dom0.Call(EventChannelOp, Close, Hypercaller.At(Hypercaller.Argument)));
        Assert.Equal(0, Apic(ApicRead, 0x10 + 2 * 6, 0, out entry));
        Assert.Equal(vector | Level, entry);
        _driver.Put(Hypercaller.Argument, other);
        Assert.Equal(0, _driver.Call(EventChannelOp, Close, Hypercaller.At(Hypercaller.Argument)));
        Assert.Equal(0, Apic(ApicRead, 0x10 + 2 * 6, 0, out entry));
        Assert.Equal(vector | Level | Masked, entry);
    }

    [Theory]
    [InlineData(17, true)]
    [InlineData(28, false)]
    public void A_page_says_which_interrupts_are_to_be_ended(ulong command, bool unmasks)
    {
        const ulong Gpfn = 9, Mask = (Frame.WindowStart << Frame.Shift) + 0xe00;
        ulong Word(uint pirq) => _dom0.Get<ulong>((Gpfn << Frame.Shift) + pirq / 64 * 8) >> (int)pirq % 64 & 1;
        uint level = Allocate(), edge = Allocate();
        Assert.Equal(0, Apic(ApicWrite, 0x10 + 2 * 6, level | Level, out _));
        Assert.Equal(0, Apic(ApicWrite, 0x10 + 2 * 7, edge, out _));
        int port = Bind(_dom0, level);
        foreach (ulong wrong in (ulong[])[1 << 20, ulong.MaxValue, Frame.Limit])
        {
            _dom0.Put(Hypercaller.Argument, wrong);
            Assert.Equal(-Errno.EINVAL, _dom0.Call(PhysdevOp, command, Hypercaller.At(Hypercaller.Argument)));
        }

        _dom0.Put(Hypercaller.Argument, Gpfn);
        Assert.Equal(0, _dom0.Call(PhysdevOp, command, Hypercaller.At(Hypercaller.Argument)));
        _dom0.Put(Hypercaller.Argument, Gpfn + 1);
        Assert.Equal(-Errno.EBUSY, _dom0.Call(PhysdevOp, command, Hypercaller.At(Hypercaller.Argument)));
        Assert.False(_dom0.Memory.IsPinned(Gpfn + 1));
        Bind(_dom0, edge);
        Assert.Equal((1UL, 0UL), (Word(level), Word(edge)));
        Assert.Equal(0, Apic(ApicWrite, 0x10 + 2 * 7, edge | Level, out _));
        Assert.Equal(1UL, Word(edge));

        _dom0.Put(Mask, 1UL << port);
        Assert.Equal(0, _dom0.Call(FastEoi, level));
        Assert.Equal(unmasks, (_dom0.Get<ulong>(Mask) >> port & 1) == 0);
        // The page stays, whatever becomes of its number.
        Assert.True(_dom0.Memory.Release(Gpfn));
        Assert.False(_dom0.Memory.Populate(Gpfn));
        Assert.Equal(0, Apic(ApicWrite, 0x10 + 2 * 7, edge, out _));
    }

    [Fact]
    public void Vectors_go_with_the_domain_that_allocated_them()
    {
        uint vector = Allocate(), kept = Allocate();
        Assert.Equal(0, Apic(ApicWrite, 0x10 + 2 * 6, vector | Level, out _));
        _driver.Domain.IoPermissions.SetInterrupt((int)kept, allow: true);
        Bind(_driver, kept);
        _dom0.Machine.Dispose();
        using var next = new Hypercaller(_host, 0, isPrivileged: true);
        next.Put(Hypercaller.Argument, MachineInterrupts.Address, 0x10 + 2 * 6UL);
        Assert.Equal(0, next.Call(PhysdevOp, ApicRead, Hypercaller.At(Hypercaller.Argument)));
        Assert.Equal(Masked, next.Get<uint>(Hypercaller.Argument + 12));
        Assert.Equal((int)vector, _host.Interrupts.Allocate());
        Assert.Equal((int)kept + 1, _host.Interrupts.Allocate());
    }

    [Fact]
    public void Any_vector_is_asked_for_as_interrupt_minus_one()
    {
        _dom0.Put<uint>(Hypercaller.Argument, uint.MaxValue, 0);
        Assert.Equal(0, _dom0.Call(PhysdevOp, AllocVector, Hypercaller.At(Hypercaller.Argument)));
        Assert.Equal((uint)MachineInterrupts.FirstVector, _dom0.Get<uint>(Hypercaller.Argument + 4));
        Assert.Equal(-Errno.EINVAL, _dom0.Call(PhysdevOp, StatusQuery, Hypercaller.At(Hypercaller.Argument)));
    }

    [Fact]
    public void Vectors_are_few()
    {
        var vectors = new HashSet<uint>();
        for (int k = MachineInterrupts.FirstVector; k <= MachineInterrupts.LastVector; k++)
            Assert.True(vectors.Add(Allocate()));
        _dom0.Put<uint>(Hypercaller.Argument, 9, 0);
        Assert.Equal(-Errno.ENOSPC, _dom0.Call(PhysdevOp, AllocVector, Hypercaller.At(Hypercaller.Argument)));
        Bind(_dom0, 0x40);
        foreach (uint vector in (uint[])[0x40, 0x41])
        {
            _dom0.Put<uint>(Hypercaller.Argument, 9, vector);
            Assert.Equal(0, _dom0.Call(PhysdevOp, FreeVector, Hypercaller.At(Hypercaller.Argument)));
        }

        // One that is bound stays.
        Assert.Equal(0x41u, Allocate());
        _dom0.Put<uint>(Hypercaller.Argument, 9, 0x20);
        Assert.Equal(-Errno.EINVAL, _dom0.Call(PhysdevOp, FreeVector, Hypercaller.At(Hypercaller.Argument)));
        _dom0.Put<uint>(Hypercaller.Argument, 256, 0);
        Assert.Equal(-Errno.EINVAL, _dom0.Call(PhysdevOp, AllocVector, Hypercaller.At(Hypercaller.Argument)));
    }

    [Fact]
    public void The_unprivileged_and_the_unknown()
    {
        ulong handle = Hypercaller.At(Hypercaller.Argument);
        _driver.Put<ulong>(Hypercaller.Argument, MachineInterrupts.Address, 0x10);
        foreach (ulong command in (ulong[])[ApicRead, ApicWrite, AllocVector, FreeVector, ManagePciAdd])
            Assert.Equal(-Errno.EPERM, _driver.Call(PhysdevOp, command, handle));
        foreach (ulong command in (ulong[])[ApicRead, ApicWrite, AllocVector, FreeVector, ManagePciAdd, StatusQuery, Eoi, 13, 14, 17, 28])
            Assert.Equal(-Errno.EFAULT, _dom0.Call(PhysdevOp, command, 0));
        foreach (ulong command in (ulong[])[0, 1, 2, 3, 6, 7, 18, 19, 27, 29, 1000])
            Assert.Equal(-Errno.ENOSYS, _dom0.Call(PhysdevOp, command, handle));
        Assert.Equal(0, _driver.Call(PhysdevOp, UnmaskNotify, 0));
        Assert.Equal(0, _dom0.Call(PhysdevOp, ManagePciAdd, handle));
        Assert.Equal(-Errno.EINVAL, _driver.Call(FastEoi, 256));
        _driver.Put(Hypercaller.Argument, 256u);
        Assert.Equal(-Errno.EINVAL, _driver.Call(PhysdevOp, Eoi, handle));
        Assert.Equal(-Errno.EINVAL, _driver.Call(PhysdevOp, StatusQuery, handle));
    }

    private uint Allocate()
    {
        _dom0.Put<uint>(Hypercaller.Argument, 9, 0);
        Assert.Equal(0, _dom0.Call(PhysdevOp, AllocVector, Hypercaller.At(Hypercaller.Argument)));
        return _dom0.Get<uint>(Hypercaller.Argument + 4);
    }

    private uint Status(uint vector)
    {
        _dom0.Put(Hypercaller.Argument, vector);
        Assert.Equal(0, _dom0.Call(PhysdevOp, StatusQuery, Hypercaller.At(Hypercaller.Argument)));
        return _dom0.Get<uint>(Hypercaller.Argument + 4);
    }

    private long Apic(ulong command, uint register, uint value, out uint read, ulong address = MachineInterrupts.Address)
    {
        _dom0.Put(Hypercaller.Argument, address, (ulong)value << 32 | register);
        long result = _dom0.Call(PhysdevOp, command, Hypercaller.At(Hypercaller.Argument));
        read = _dom0.Get<uint>(Hypercaller.Argument + 12);
        return result;
    }

    private static long TryBind(Hypercaller domain, uint vector, bool share)
    {
        domain.Put(Hypercaller.Argument, vector, share ? 1u : 0, 0u);
        return domain.Call(EventChannelOp, BindPirq, Hypercaller.At(Hypercaller.Argument));
    }

    private static int Bind(Hypercaller domain, uint vector, bool share = false)
    {
        Assert.Equal(0, TryBind(domain, vector, share));
        return domain.Get<int>(Hypercaller.Argument + 8);
    }

    public void Dispose()
    {
        _driver.Dispose();
        _dom0.Dispose();
    }
}
