using FastXen.Platform;
using FastXen.Platform.Virtio;
using FastXen.Xen.Memory;
using FastXen.Xen.Pci;
using FastXen.Xen.Physdev;
using FastXen.Xen.Tests.Toolstack;

namespace FastXen.Xen.Tests.Pci;

/// <summary>Devices on the machine's PCI bus in the hands of domains: what they reach, whom they interrupt, and who sees them.</summary>
public sealed class PassThroughTests : IDisposable
{
    private const ulong PhysdevOp = 33, EventChannelOp = 32, FastEoi = 49, Dom0VpOp = 48;
    private const ulong ApicWrite = 9, FreeVector = 11, BindPirq = 2, Ioremap = 0;
    private const uint Level = 1 << 15;
    private const int InterruptLine = 0x3c, Bar = 0x10;

    private readonly XenHost _host = new();
    private readonly Hypercaller _dom0, _domU;
    private readonly List<Exception> _failures = [];

    public PassThroughTests()
    {
        _dom0 = new Hypercaller(_host, 0, isPrivileged: true);
        _domU = new Hypercaller(_host, 1);
    }

    private PciDriver Attach(Hypercaller domain, out int slot, Func<VirtioDevice>? make = null)
    {
        slot = _host.Pci.Attach(domain.Machine, new PciDevice(make ?? (static () => new VirtioRng(seed: 1)), _failures.Add));
        return new PciDriver(domain.Machine, slot);
    }

    private PciDriver Attach(Hypercaller domain) => Attach(domain, out _);

    private static bool IsZero(Hypercaller domain, ulong gpfn)
    {
        byte[] frame = new byte[Frame.Size];
        Assert.Equal(frame.Length, domain.Memory.Read(gpfn << Frame.Shift, frame));
        return frame.AsSpan().IndexOfAnyExcept((byte)0) < 0;
    }

    [Fact]
    public void A_device_writes_where_a_machine_address_of_its_domains_says()
    {
        PciDriver rng = Attach(_domU);
        rng.Start(10);
        Assert.Equal(64, rng.Do(rng.Bus(11) + 128, 64));
        Assert.True(_domU.Get<ulong>((11UL << Frame.Shift) + 128) != 0 && _domU.Get<ulong>((11UL << Frame.Shift) + 192) == 0);
        Assert.Equal(0UL, _domU.Get<ulong>((11UL << Frame.Shift) + 120));
        // Neighbours in the domain are neighbours in the machine.
        Assert.Equal(512, rng.Do(rng.Bus(12) + Frame.Size - 256, 512));
        Assert.NotEqual(0UL, _domU.Get<ulong>(13UL << Frame.Shift));
        Assert.False(_domU.Memory.IsPinned(11) || _domU.Memory.IsPinned(12) || _domU.Memory.IsPinned(13));
    }

    [Theory]
    [InlineData("own number")]
    [InlineData("another domain")]
    [InlineData("nobody")]
    [InlineData("end of the domain")]
    [InlineData("window")]
    [InlineData("wraps")]
    [InlineData("long")]
    public void A_device_does_not_reach_what_is_not_its_domains(string where)
    {
        PciDriver rng = Attach(_domU);
        rng.Start(10);
        ulong frames = _domU.Memory.ArenaFrames;
        (ulong bus, uint length) = where switch
        {
            "own number" => (11UL << Frame.Shift, 64u),
            "another domain" => (rng.Bus(0) - rng.Bus(0) + (_dom0.Memory.MachineFrameOf(11) << Frame.Shift), 64u),
            "nobody" => (1UL << 45, 64u),
            "end of the domain" => (rng.Bus(frames - 1) + Frame.Size - 32, 64u),
            "window" => (_domU.Memory.MachineFrameOf(Frame.WindowStart) << Frame.Shift, 64u),
            "wraps" => (ulong.MaxValue - 31, 64u),
            _ => (rng.Bus(11), 0x8000_0000u),
        };
        Assert.Equal(-1, rng.Do(bus, length));
        Assert.NotEqual(0, rng.Status & PciDriver.NeedsReset);
        Assert.True(IsZero(_dom0, 11) && IsZero(_domU, 11) && IsZero(_domU, frames - 1));
        Assert.False(_domU.Memory.IsPinned(11) || _domU.Memory.IsPinned(frames - 1) || _dom0.Memory.IsPinned(11));
        // It works again when it is set up anew.
        rng.Start(10);
        Assert.Equal(64, rng.Do(rng.Bus(11), 64));
    }

    [Fact]
    public void Frames_of_others_are_reached_with_the_rights_of_their_mapping()
    {
        PciDriver rng = Attach(_dom0);
        rng.Start(10);
        ulong theirs = _domU.Memory.MachineFrameOf(20) << Frame.Shift;
        const ulong Gpfn = 0x40_0000;
        Assert.Equal(-1, rng.Do(theirs, 64));
        Assert.True(_dom0.Domain.Foreign.Map(Gpfn, _domU.Memory, 20, writable: false));
        rng.Start(10);
        Assert.Equal(-1, rng.Do(theirs, 64));
        Assert.True(IsZero(_domU, 20));
        Assert.True(_dom0.Domain.Foreign.Map(Gpfn, _domU.Memory, 20, writable: true));
        rng.Start(10);
        Assert.Equal(theirs, _dom0.Memory.MachineFrameOf(Gpfn) << Frame.Shift);
        Assert.Equal(64, rng.Do(theirs, 64));
        Assert.False(IsZero(_domU, 20));
        // Two mappings: the first that goes leaves the other's rights.
        Assert.True(_dom0.Domain.Foreign.Map(Gpfn + 1, _domU.Memory, 20, writable: false));
        Assert.True(_dom0.Domain.Foreign.Unmap(Gpfn));
        Assert.Equal(-1, rng.Do(theirs, 64));
        Assert.True(_dom0.Domain.Foreign.Unmap(Gpfn + 1));
        Assert.False(_domU.Memory.IsPinned(20));
    }

    [Fact]
    public void A_granted_frame_is_reached_until_it_is_unmapped()
    {
        const ulong GrantTableOp = 20, Map = 0, Unmap = 1, SetupTable = 2, Gpfn = 0x40_0000, At = 5UL << Frame.Shift;
        PciDriver rng = Attach(_dom0);
        rng.Start(10);
        // The domU lets dom0 write its frame 20.
        _domU.Put<ulong>(At, 1UL << 32 | DomainIds.Self, 0, Hypercaller.At(At + 64));
        Assert.Equal(0, _domU.Call(GrantTableOp, SetupTable, Hypercaller.At(At), 1));
        ulong table = _domU.Get<ulong>(At + 64) << Frame.Shift;
        _domU.Put<ulong>(table + 8 * 9, 20UL << 32 | 0 << 16 | 1);
        ulong theirs = _domU.Memory.MachineFrameOf(20) << Frame.Shift;
        Assert.Equal(-1, rng.Do(theirs, 64));
        _dom0.Put<ulong>(At, Gpfn << Frame.Shift, 9UL << 32 | 2, 1, 0);
        Assert.Equal(0, _dom0.Call(GrantTableOp, Map, Hypercaller.At(At), 1));
        Assert.Equal(0, _dom0.Get<short>(At + 18));
        Assert.Equal(theirs, _dom0.Get<ulong>(At + 24));
        uint handle = _dom0.Get<uint>(At + 20);
        rng.Start(10);
        Assert.Equal(64, rng.Do(theirs, 64));
        _dom0.Put<ulong>(At, Gpfn << Frame.Shift, 0, handle);
        Assert.Equal(0, _dom0.Call(GrantTableOp, Unmap, Hypercaller.At(At), 1));
        Assert.Equal(0, _dom0.Get<short>(At + 20));
        Assert.True(_domU.Memory.TryWrite(20UL << Frame.Shift, 0UL));
        Assert.Equal(-1, rng.Do(theirs, 64));
        Assert.Equal(0UL, _domU.Get<ulong>(20UL << Frame.Shift));
    }

    [Fact]
    public void Rings_lie_in_own_memory()
    {
        PciDriver rng = Attach(_dom0);
        Assert.True(_dom0.Domain.Foreign.Map(0x40_0000, _domU.Memory, 20, writable: true));
        rng.Start(10, _domU.Memory.MachineFrameOf(20) << Frame.Shift);
        Assert.NotEqual(0, rng.Status & PciDriver.NeedsReset);
        Assert.True(_dom0.Domain.Foreign.Unmap(0x40_0000));
        Assert.False(_domU.Memory.IsPinned(20));
    }

    [Fact]
    public void A_frame_that_a_domain_gives_up_stays_the_devices_until_it_lets_go()
    {
        PciDriver rng = Attach(_domU);
        rng.Start(10);
        Assert.True(_domU.Memory.IsPinned(10));
        Assert.True(_domU.Memory.Release(10));
        Assert.False(_domU.Memory.Populate(10));
        rng.Reset();
        Assert.True(_domU.Memory.Populate(10));
        rng.Start(10);
        Assert.True(_domU.Memory.Release(11));
        Assert.Equal(-1, rng.Do(rng.Bus(12) - Frame.Size, 64));
    }

    [Fact]
    public void The_end_of_a_mapping_waits_for_the_device()
    {
        using var device = new Held();
        PciDriver driver = Attach(_dom0, out _, () => device);
        Assert.True(_dom0.Domain.Foreign.Map(0x40_0000, _domU.Memory, 20, writable: true));
        driver.Start(10);
        driver.Submit(_domU.Memory.MachineFrameOf(20) << Frame.Shift, 64);
        Assert.True(device.Begun.Wait(TimeSpan.FromSeconds(30)));
        var unmapping = new Thread(() => _dom0.Domain.Foreign.Unmap(0x40_0000));
        unmapping.Start();
        Assert.False(unmapping.Join(50));
        Assert.True(_domU.Memory.IsPinned(20));
        device.GoOn.Set();
        Assert.True(unmapping.Join(TimeSpan.FromSeconds(30)));
        Assert.Equal(64, driver.Wait());
        Assert.False(_domU.Memory.IsPinned(20));
        Assert.False(IsZero(_domU, 20));
    }

    [Fact]
    public void A_domU_binds_the_interrupt_that_its_device_names()
    {
        PciDriver rng = Attach(_domU, out int slot);
        uint pirq = rng.Config(InterruptLine, 1);
        Assert.InRange((int)pirq, MachineInterrupts.FirstVector, MachineInterrupts.LastVector);
        int port = Bind(_domU, pirq);
        rng.Start(10);
        Assert.Equal(64, rng.Do(rng.Bus(11), 64));
        Assert.True(SpinWait.SpinUntil(() => _domU.Take(port), TimeSpan.FromSeconds(30)));
        // Ended before the device was asked: it comes again.
        Assert.Equal(0, _domU.Call(FastEoi, pirq));
        Assert.True(_domU.Take(port));
        Assert.Equal(1, rng.Isr());
        Assert.Equal(0, _domU.Call(FastEoi, pirq));
        Assert.False(_domU.Take(port));

        // dom0 has no say in it.
        Assert.Equal(-Errno.EINVAL, Apic(0x10 + 2 * (16 + (uint)slot), Level | pirq));
        Assert.Equal(-Errno.EINVAL, Apic(0x10, Level | pirq));
        _dom0.Put<uint>(Hypercaller.Argument, 0, pirq);
        Assert.Equal(0, _dom0.Call(PhysdevOp, FreeVector, Hypercaller.At(Hypercaller.Argument)));
        for (int k = 0; k < 8; k++)
            Assert.NotEqual((int)pirq, _host.Interrupts.Allocate());
    }

    [Fact]
    public void An_interrupt_that_nobody_had_bound_comes_when_it_is_bound()
    {
        PciDriver rng = Attach(_dom0, out int slot);
        Assert.Equal(16u + (uint)slot, rng.Config(InterruptLine, 1));
        uint vector = (uint)_host.Interrupts.Allocate();
        Assert.Equal(0, Apic(0x10 + 2 * (16 + (uint)slot), Level | vector));
        rng.Start(10);
        Assert.Equal(64, rng.Do(rng.Bus(11), 64));
        int port = 0;
        // The device interrupts behind the completion.
        Assert.True(SpinWait.SpinUntil(() => (rng.Config(6, 2) & 8) != 0, TimeSpan.FromSeconds(30)));
        port = Bind(_dom0, vector);
        Assert.True(_dom0.Take(port));
    }

    [Fact]
    public void A_device_that_is_taken_away_takes_its_interrupt_back()
    {
        _host.Control = new FakeControl(_host);
        PciDriver rng = Attach(_dom0, out int slot);
        rng.Start(10);
        Assert.Equal(64, rng.Do(rng.Bus(11), 64));
        Assert.True(SpinWait.SpinUntil(() => (rng.Config(6, 2) & 8) != 0, TimeSpan.FromSeconds(30)));
        Assert.Equal(0, Domctl(37, 1, (ulong)slot << 3));
        uint vector = (uint)_host.Interrupts.Allocate();
        Assert.Equal(0, Apic(0x10 + 2 * (16 + (uint)slot), Level | vector));
        int port = Bind(_dom0, vector);
        Assert.False(_dom0.Take(port));
    }

    [Fact]
    public void BARs_are_moved_in_the_domains_own_space_only()
    {
        PciDriver ours = Attach(_dom0, out int ourSlot), theirs = Attach(_domU, out int theirSlot);
        ulong our = ours.Config(Bar, 4), their = theirs.Config(Bar, 4);
        Assert.Equal(DomainPci.MemoryOf(ourSlot), our);
        Assert.Equal(DomainPci.MemoryOf(theirSlot), their);
        Assert.Equal(0xffu, theirs.Read(our + 20, 1));
        theirs.ConfigWrite(Bar, 4, (uint)our);
        theirs.Write(our + 20, 1, 3);
        Assert.Equal(3u, theirs.Read(our + 20, 1));
        Assert.Equal(0, ours.Status);
        // Sizing, and places where nothing is decoded.
        theirs.ConfigWrite(Bar, 4, uint.MaxValue);
        Assert.Equal(0xffff_8000u, theirs.Config(Bar, 4));
        Assert.Equal(0xffu, theirs.Read(their + 20, 1));
        theirs.ConfigWrite(Bar, 4, 0);
        theirs.ConfigWrite(4, 2, 0);
        theirs.ConfigWrite(Bar, 4, (uint)their);
        Assert.Equal(0xffu, theirs.Read(their + 20, 1));
        theirs.ConfigWrite(4, 2, 6);
        Assert.Equal(3, theirs.Status);

        // Each sees its own, and may map its own.
        Assert.Equal(uint.MaxValue, _dom0.Machine.Pci!.ConfigSpace.Read(0, 0, theirSlot, 0, 0, 4));
        Assert.Equal(uint.MaxValue, _domU.Machine.Pci!.ConfigSpace.Read(0, 0, ourSlot, 0, 0, 4));
        Assert.Equal((long)their, _domU.Call(Dom0VpOp, Ioremap, their, 0x8000));
        Assert.Equal(FrameKind.Mmio, _domU.Memory.Lookup(their >> Frame.Shift).Kind);
        Assert.Equal(-Errno.EPERM, _domU.Call(Dom0VpOp, Ioremap, our, 0x8000));
        Assert.Equal((long)our, _dom0.Call(Dom0VpOp, Ioremap, our, 0x8000));
    }

    [Fact]
    public void Domains_that_end_take_their_devices_along()
    {
        PciDriver rng = Attach(_domU, out int slot);
        uint pirq = rng.Config(InterruptLine, 1);
        rng.Start(10);
        Assert.True(_domU.Machine.HasPciDevices);
        _domU.Machine.Dispose();
        using var other = new Hypercaller(_host, 2);
        Attach(other, out int again);
        Assert.Equal(slot, again);
        Assert.Equal(pirq, new PciDriver(other.Machine, again).Config(InterruptLine, 1));
        for (int k = 2; k < MachinePci.Slots; k++)
            Attach(_dom0);
        Assert.Throws<DeviceConfigurationException>(() => Attach(_dom0));
        Assert.Empty(_failures);
    }

    [Fact]
    public void A_toolstack_assigns_its_own_devices()
    {
        const uint Assign = 37, TestAssign = 45, Deassign = 47;
        _host.Control = new FakeControl(_host);
        PciDriver home = Attach(_dom0, out int slot);
        Attach(_domU, out int foreign);
        ulong address = (ulong)slot << 3;
        foreach (ulong wrong in (ulong[])[(ulong)foreign << 3, 31 << 3, address | 1, address | 1 << 8, address | 1 << 16, 0])
        {
            Assert.Equal(-Errno.EINVAL, Domctl(TestAssign, 1, wrong));
            Assert.Equal(-Errno.EINVAL, Domctl(Assign, 1, wrong));
            Assert.Equal(-Errno.EINVAL, Domctl(Deassign, 1, wrong));
        }

        Assert.Equal(0, Domctl(TestAssign, 1, address));
        Assert.Equal(-Errno.EINVAL, Domctl(Assign, 99, address));
        Assert.Equal(-Errno.EINVAL, Domctl(Assign, 0, address));
        Assert.Equal(-Errno.EINVAL, Domctl(Deassign, 1, address));
        home.Start(10);
        Assert.Equal(0, Domctl(Assign, 1, address));
        Assert.False(_dom0.Memory.IsPinned(10));
        Assert.Equal(-Errno.EINVAL, Domctl(TestAssign, 1, address));
        Assert.Equal(-Errno.EINVAL, Domctl(Assign, 1, address));

        // It is the domain's now, and reaches its memory only; the toolstack's domain still sees its registers.
        var away = new PciDriver(_domU.Machine, slot);
        Assert.Equal(0, away.Status);
        away.Start(10);
        Assert.Equal(64, away.Do(away.Bus(11), 64));
        Assert.Equal(0x1044_1af4u, home.Config(0, 4));
        Assert.Equal(-1, away.Do(home.Bus(11), 64));
        Assert.True(IsZero(_dom0, 11));

        Assert.Equal(0, Domctl(Deassign, 1, address));
        Assert.Equal(uint.MaxValue, away.Config(0, 4));
        Assert.False(_domU.Memory.IsPinned(10));
        home = new PciDriver(_dom0.Machine, slot);
        home.Start(10);
        Assert.Equal(64, home.Do(home.Bus(11), 64));
        // Also to a domain with room for memory at the addresses of the bus.
        using var large = new Hypercaller(_host, 2, maximum: 4UL << 30);
        Assert.Equal(0, Domctl(Assign, 2, address));
        Assert.Equal(0, new PciDriver(large.Machine, slot).Status);
        Assert.Equal(0, Domctl(Deassign, 2, address));
        // The end of the domain brings it home, too.
        Assert.Equal(0, Domctl(Assign, 1, address));
        _domU.Machine.Dispose();
        Assert.Equal(0, Domctl(TestAssign, 1, address));
    }

    [Fact]
    public void A_toolstack_shows_registers_and_permits_ports()
    {
        const uint MemoryMapping = 39, IoportMapping = 40, BindPtIrq = 38, UnbindPtIrq = 48;
        _host.Control = new FakeControl(_host);
        Attach(_domU, out _);
        ulong frame = DomainPci.FramesOf(5).First;
        Assert.Equal(0, Domctl(MemoryMapping, 1, frame, frame, 1024, 1));
        Assert.True(_domU.Domain.IoPermissions.HasFrames(frame, frame + 1023));
        Assert.Equal(FrameKind.Mmio, _domU.Memory.Lookup(frame + 1023).Kind);
        Assert.Equal(0, Domctl(MemoryMapping, 1, frame, frame, 1024, 0));
        Assert.False(_domU.Domain.IoPermissions.HasFrames(frame, frame));
        Assert.Equal(FrameKind.Hole, _domU.Memory.Lookup(frame + 1023).Kind);
        Assert.Equal(-Errno.EINVAL, Domctl(MemoryMapping, 1, frame + 1, frame, 1, 1));
        Assert.Equal(-Errno.EINVAL, Domctl(MemoryMapping, 1, ulong.MaxValue, ulong.MaxValue, 2, 1));
        Assert.Equal(-Errno.EINVAL, Domctl(MemoryMapping, 1, frame, frame, 0, 1));
        Assert.Equal(-Errno.EINVAL, Domctl(MemoryMapping, 1, 4, 4, 1, 1));

        Assert.Equal(0, Domctl(IoportMapping, 1, 0x3f8UL << 32 | 0x3f8, 1UL << 32 | 8));
        Assert.True(_domU.Domain.IoPermissions.HasPorts(0x3f8, 0x3ff));
        Assert.Equal(0, Domctl(IoportMapping, 1, 0x3f8UL << 32 | 0x3f8, 8));
        Assert.False(_domU.Domain.IoPermissions.HasPorts(0x3f8, 0x3f8));
        Assert.Equal(-Errno.EINVAL, Domctl(IoportMapping, 1, 0, 1UL << 32));
        Assert.Equal(-Errno.EINVAL, Domctl(IoportMapping, 1, 0xffffUL << 32, 1UL << 32 | 2));
        Assert.Equal(-Errno.EINVAL, Domctl(BindPtIrq, 1, 0));
        Assert.Equal(-Errno.EINVAL, Domctl(UnbindPtIrq, 1, 0));
    }

    private long Domctl(uint command, ushort domain, params ReadOnlySpan<ulong> arguments)
    {
        _dom0.Put<ulong>(Hypercaller.Argument, 8UL << 32 | command, domain);
        _dom0.Put(Hypercaller.Argument + 16, arguments);
        return _dom0.Call(36, Hypercaller.At(Hypercaller.Argument));
    }

    private long Apic(uint register, uint value)
    {
        _dom0.Put(Hypercaller.Argument, MachineInterrupts.Address, (ulong)value << 32 | register);
        return _dom0.Call(PhysdevOp, ApicWrite, Hypercaller.At(Hypercaller.Argument));
    }

    private static int Bind(Hypercaller domain, uint pirq)
    {
        domain.Put(Hypercaller.Argument, pirq, 0u, 0u);
        Assert.Equal(0, domain.Call(EventChannelOp, BindPirq, Hypercaller.At(Hypercaller.Argument)));
        return domain.Get<int>(Hypercaller.Argument + 8);
    }

    public void Dispose()
    {
        _domU.Dispose();
        _dom0.Dispose();
        _host.Dispose();
    }

    /// <summary>A device that is told when to write.</summary>
    private sealed class Held : VirtioDevice
    {
        public ManualResetEventSlim Begun { get; } = new();

        public ManualResetEventSlim GoOn { get; } = new();

        public override ushort Type => 4;

        public override string Name => "held";

        public override int ClassCode => 0x10_80_00;

        public override ulong Features => 0;

        public override ReadOnlySpan<int> QueueSizes => [8];

        public override ReadOnlySpan<byte> Config => default;

        protected override bool Process(int queue)
        {
            VirtQueue requests = Transport.Queue(queue);
            if (!requests.TryTake(out DescriptorChain request))
                return requests.ListenAgain();
            Begun.Set();
            GoOn.Wait();
            requests.Complete(request.Head, (uint)request.CopyTo(0, [.. Enumerable.Repeat((byte)0x5a, (int)request.WritableLength)]));
            return true;
        }

        protected override void Dispose(bool disposing)
        {
            GoOn.Set();
            base.Dispose(disposing);
        }
    }
}
