using FastXen.Mmu;
using FastXen.Xen.Memory;
using FastXen.Xen.Tests.Toolstack;

namespace FastXen.Xen.Tests.Hypercalls;

/// <summary>ia64_dom0vp_op as kernels call it: foreign mappings, the exposed P2M, device registers.</summary>
public sealed class Dom0VpOpTests : IDisposable
{
    private const ulong Dom0VpOp = 48;
    private const ulong Ioremap = 0, PhysToMach = 1, MachToPhys = 3, Zap = 5, AddPhysmap = 6, ExposeP2m = 7, Perfmon = 8, AddWithGmfn = 9, Fpswa = 10, AddIoSpace = 11,
        ExposeForeign = 12, UnexposeForeign = 13, GetMemmap = 14;
    private const ulong PrivcmdFrame = 0x10_0000, DeviceAddress = 0x8000_0000;

    private readonly XenHost _host = new();
    private readonly Hypercaller _guest, _privileged;

    public Dom0VpOpTests()
    {
        _privileged = new Hypercaller(_host, 0, isPrivileged: true);
        _guest = new Hypercaller(_host, 1);
    }

    private sealed class Registers : IMmioRegion
    {
        public ulong Read(ulong offset, int size) => offset;

        public void Write(ulong offset, int size, ulong value)
        {
        }
    }

    [Fact]
    public void A_privileged_domain_maps_frames_of_another()
    {
        _guest.Memory.TryWrite(5UL << Frame.Shift, 0x55UL);
        Assert.Equal(0, _privileged.Call(Dom0VpOp, AddWithGmfn, PrivcmdFrame, 5, 0, 1));
        P2mEntry entry = _privileged.Memory.Lookup(PrivcmdFrame);
        Assert.Equal((FrameKind.Foreign, true), (entry.Kind, entry.IsWritable));
        Assert.Equal(0x55UL, Word(_privileged, PrivcmdFrame));
        Assert.Equal(_guest.Memory.MachineFrameOf(5), (ulong)_privileged.Call(Dom0VpOp, PhysToMach, PrivcmdFrame));
        Assert.True(_guest.Memory.IsPinned(5));
        // Another frame in its place; by its machine frame, and read-only.
        Assert.Equal(0, _privileged.Call(Dom0VpOp, AddPhysmap, PrivcmdFrame, _guest.Memory.MachineFrameOf(6), 1, 1));
        Assert.False(_privileged.Memory.Lookup(PrivcmdFrame).IsWritable);
        Assert.Equal((false, true), (_guest.Memory.IsPinned(5), _guest.Memory.IsPinned(6)));
        Assert.Equal(0, _privileged.Call(Dom0VpOp, Zap, PrivcmdFrame, 0));
        Assert.Equal((FrameKind.Hole, false, 0), (_privileged.Memory.Lookup(PrivcmdFrame).Kind, _guest.Memory.IsPinned(6), _privileged.Domain.Foreign.Count));
    }

    [Fact]
    public void Shared_info_of_another_domain_can_be_mapped_and_an_own_frame_gives_way()
    {
        Assert.Equal(0, _privileged.Call(Dom0VpOp, AddWithGmfn, 7, Frame.WindowStart, 0, 1));
        Assert.Equal(63, _privileged.Memory.Populated);
        Assert.Equal(1UL << 8, Word(_privileged, 7) & 0xFF00);
    }

    [Fact]
    public void What_cannot_be_mapped()
    {
        Assert.Equal(-Errno.EPERM, _guest.Call(Dom0VpOp, AddWithGmfn, PrivcmdFrame, 5, 0, 0));
        Assert.Equal(-Errno.EPERM, _guest.Call(Dom0VpOp, AddPhysmap, PrivcmdFrame, _privileged.Memory.MachineFrameOf(5), 0, 0));
        Assert.Equal(-Errno.EINVAL, _privileged.Call(Dom0VpOp, AddWithGmfn, PrivcmdFrame, 5, 2, 1));
        Assert.Equal(-Errno.EINVAL, _privileged.Call(Dom0VpOp, AddWithGmfn, PrivcmdFrame, 5, 8, 1));
        Assert.Equal(-Errno.EINVAL, _privileged.Call(Dom0VpOp, AddWithGmfn, PrivcmdFrame, 5, 0, 0));
        Assert.Equal(-Errno.EINVAL, _privileged.Call(Dom0VpOp, AddWithGmfn, PrivcmdFrame, 64, 0, 1));
        Assert.Equal(-Errno.EINVAL, _privileged.Call(Dom0VpOp, AddWithGmfn, ulong.MaxValue, 5, 0, 1));
        Assert.Equal(-Errno.EINVAL, _privileged.Call(Dom0VpOp, AddWithGmfn, Frame.WindowStart, 5, 0, 1));
        Assert.Equal(-Errno.EINVAL, _privileged.Call(Dom0VpOp, AddPhysmap, PrivcmdFrame, _privileged.Memory.MachineFrameOf(5), 0, 1));
        Assert.Equal(-Errno.EINVAL, _privileged.Call(Dom0VpOp, AddPhysmap, PrivcmdFrame, 5, 0, DomainIds.Io));
        Assert.Equal(-Errno.ESRCH, _privileged.Call(Dom0VpOp, AddWithGmfn, PrivcmdFrame, 5, 0, 9));
        Assert.False(_guest.Memory.IsPinned(5));
        Assert.Equal(0, _privileged.Domain.Foreign.Count);
    }

    [Fact]
    public void A_mapping_outlives_what_it_shows()
    {
        Assert.Equal(0, _privileged.Call(Dom0VpOp, AddWithGmfn, PrivcmdFrame, 5, 0, 1));
        Assert.True(_guest.Memory.Release(5));
        Assert.False(_guest.Memory.Populate(5));
        _guest.Machine.Dispose();
        Assert.Equal(0UL, Word(_privileged, PrivcmdFrame));
        Assert.Equal(0, _privileged.Call(Dom0VpOp, Zap, PrivcmdFrame, 0));
    }

    [Fact]
    public void A_domain_that_ends_lets_go_of_what_it_mapped()
    {
        Assert.Equal(0, _privileged.Call(Dom0VpOp, AddWithGmfn, PrivcmdFrame, 5, 0, 1));
        _privileged.Machine.Dispose();
        Assert.False(_guest.Memory.IsPinned(5));
    }

    [Fact]
    public void Zap_frees_and_forgives()
    {
        Assert.Equal(0, _guest.Call(Dom0VpOp, Zap, 9, 0));
        Assert.Equal(63, _guest.Memory.Populated);
        Assert.Equal(0, _guest.Call(Dom0VpOp, Zap, 9, 0));
        Assert.Equal(0, _guest.Call(Dom0VpOp, Zap, ulong.MaxValue, 0));
        Assert.Equal(-Errno.ENOSYS, _guest.Call(Dom0VpOp, Zap, 10, 1));
    }

    [Fact]
    public void Machine_frames_and_numbers_are_inverse()
    {
        ulong mfn = (ulong)_guest.Call(Dom0VpOp, PhysToMach, 12);
        Assert.Equal(12, _guest.Call(Dom0VpOp, MachToPhys, mfn));
        Assert.Equal(-1, _guest.Call(Dom0VpOp, PhysToMach, 64));
        Assert.Equal(-1, _guest.Call(Dom0VpOp, MachToPhys, 5));
        // Others' are the privileged domain's business only.
        Assert.Equal(12, _privileged.Call(Dom0VpOp, MachToPhys, mfn));
        Assert.Equal(-1, _guest.Call(Dom0VpOp, MachToPhys, _privileged.Memory.MachineFrameOf(1)));
    }

    [Fact]
    public void The_table_that_a_guest_reads_follows_its_memory()
    {
        Assert.Equal(0, _guest.Call(Dom0VpOp, ExposeP2m, 0, 0x20_0000, 2 * 2048 * Frame.Size, 2048));
        P2mEntry table = _guest.Memory.Lookup(0x20_0000);
        Assert.Equal((FrameKind.Foreign, false), (table.Kind, table.IsWritable));
        Assert.Equal(_guest.Memory.MachineFrameOf(3) << Frame.Shift | 1, Word(_guest, 0x20_0000, 3) & ~0xFFEUL);
        Assert.Equal(0UL, Word(_guest, 0x20_0000, 64));
        Assert.Equal(0UL, Word(_guest, 0x20_0001, 5));
        Assert.True(_guest.Memory.Release(3));
        Assert.Equal(0UL, Word(_guest, 0x20_0000, 3));
        Assert.True(_guest.Memory.Populate(3));
        Assert.NotEqual(0UL, Word(_guest, 0x20_0000, 3));
        Assert.Equal(1, _guest.Memory.Release([3UL]));
        Assert.Equal(0UL, Word(_guest, 0x20_0000, 3));
        // Once more, as after a restore.
        Assert.Equal(0, _guest.Call(Dom0VpOp, ExposeP2m, 0, 0x20_0000, 2048 * Frame.Size, 2048));
        Assert.Equal(0, _guest.Call(Dom0VpOp, Zap, 0x20_0000, 0));
        Assert.Equal(FrameKind.Hole, _guest.Memory.Lookup(0x20_0000).Kind);
    }

    [Fact]
    public void The_table_comes_in_granules_and_is_not_endless()
    {
        Assert.Equal(-Errno.EINVAL, _guest.Call(Dom0VpOp, ExposeP2m, 1, 0x20_0000, 2048 * Frame.Size, 2048));
        Assert.Equal(-Errno.EINVAL, _guest.Call(Dom0VpOp, ExposeP2m, 0, 0x20_0000, 2048 * Frame.Size, 0));
        Assert.Equal(-Errno.EINVAL, _guest.Call(Dom0VpOp, ExposeP2m, 0, 0x20_0000, 5, 2048));
        Assert.Equal(-Errno.ENOSYS, _guest.Call(Dom0VpOp, ExposeP2m, 0, 0x20_0000, 4096 * Frame.Size, 4096));
        Assert.Equal(-Errno.EAGAIN, _guest.Call(Dom0VpOp, ExposeP2m, 0, 0, 2048 * Frame.Size, 2048));
        Assert.Equal(-Errno.EAGAIN, _guest.Call(Dom0VpOp, ExposeP2m, 0, 0x20_0000, 1UL << 49, 2048));
        Assert.InRange(_guest.Domain.Foreign.Count, 1, 4096);
    }

    [Fact]
    public void A_privileged_domain_reads_the_table_of_another()
    {
        // memmap_info: one descriptor, 1 MiB from 0.
        const ulong Map = 0x1_0000;
        _privileged.Put<ulong>(Map, 40, 40, 1, 7, 0, 0, 256, 8);
        ulong handle = Hypercaller.At(Map);
        Assert.Equal(0, _privileged.Call(Dom0VpOp, ExposeForeign, 0x20_0000, 1, handle, 1));
        Assert.Equal(_guest.Memory.MachineFrameOf(9) << Frame.Shift, Word(_privileged, 0x20_0000, 9) & ~(ulong)(Frame.Size - 1));
        Assert.Equal(-Errno.EBUSY, _privileged.Call(Dom0VpOp, ExposeForeign, 0x20_0000, 1, handle, 1));
        Assert.Equal(-Errno.ENOENT, _privileged.Call(Dom0VpOp, UnexposeForeign, 0x20_0001, 1));
        Assert.Equal(-Errno.EINVAL, _privileged.Call(Dom0VpOp, UnexposeForeign, 0x20_0000, 2));
        Assert.Equal(0, _privileged.Call(Dom0VpOp, UnexposeForeign, 0x20_0000, 1));
        Assert.Equal(FrameKind.Hole, _privileged.Memory.Lookup(0x20_0000).Kind);
        Assert.Equal(-Errno.EINVAL, _privileged.Call(Dom0VpOp, ExposeForeign, 0x20_0000, 0, handle, 1));
        Assert.Equal(-Errno.EPERM, _guest.Call(Dom0VpOp, ExposeForeign, 0x20_0000, 0, handle, 1));
        Assert.Equal(-Errno.EFAULT, _privileged.Call(Dom0VpOp, ExposeForeign, 0x20_0000, 1, 0, 1));
        _privileged.Put<ulong>(Map, 40, 40, 1, 7, 0, 0, 1UL << 30, 8);
        Assert.Equal(-Errno.EINVAL, _privileged.Call(Dom0VpOp, ExposeForeign, 0x20_0000, 1, handle, 1));
        _privileged.Put<ulong>(Map, 1UL << 40, 40, 1, 7);
        Assert.Equal(-Errno.EINVAL, _privileged.Call(Dom0VpOp, ExposeForeign, 0x20_0000, 1, handle, 1));
    }

    [Fact]
    public void Device_registers_are_mapped_where_they_are()
    {
        _privileged.Machine.Arena.AddMmio(DeviceAddress, 0x1_0000, new Registers());
        Assert.Equal((long)DeviceAddress + 0x100, _privileged.Call(Dom0VpOp, Ioremap, DeviceAddress + 0x100, 0));
        Assert.Equal(FrameKind.Mmio, _privileged.Memory.Lookup(DeviceAddress >> Frame.Shift).Kind);
        Assert.Equal((long)DeviceAddress, _privileged.Call(Dom0VpOp, Ioremap, DeviceAddress, 0x1_0000));
        Assert.Equal(-Errno.EINVAL, _privileged.Call(Dom0VpOp, Ioremap, DeviceAddress, 0x1_0001));
        Assert.Equal(-Errno.EINVAL, _privileged.Call(Dom0VpOp, Ioremap, 0, 0x4000));
        Assert.Equal(-Errno.EINVAL, _privileged.Call(Dom0VpOp, Ioremap, DeviceAddress, ulong.MaxValue));
        Assert.Equal(0, _privileged.Call(Dom0VpOp, Zap, DeviceAddress >> Frame.Shift, 0));
        Assert.Equal(FrameKind.Hole, _privileged.Memory.Lookup(DeviceAddress >> Frame.Shift).Kind);

        _guest.Machine.Arena.AddMmio(DeviceAddress, 0x1_0000, new Registers());
        Assert.Equal(-Errno.EPERM, _guest.Call(Dom0VpOp, Ioremap, DeviceAddress, 0x4000));
        _guest.Domain.IoPermissions.SetFrames(DeviceAddress >> Frame.Shift, DeviceAddress >> Frame.Shift, allow: true);
        Assert.Equal((long)DeviceAddress, _guest.Call(Dom0VpOp, Ioremap, DeviceAddress, 0x4000));
        Assert.Equal(-Errno.EPERM, _guest.Call(Dom0VpOp, Ioremap, DeviceAddress, 0x4001));
    }

    [Fact]
    public void The_memory_map_of_a_domain_is_in_its_pages()
    {
        ulong handle = Hypercaller.At(0x1_0000);
        Assert.Equal(-Errno.EINVAL, _guest.Call(Dom0VpOp, GetMemmap, DomainIds.Self, handle));
        const ulong Shared = Frame.WindowStart << Frame.Shift;
        _guest.Put(Shared + 0x101c, 1u);
        _guest.Put(Shared + 0x1020, 60UL);
        _guest.Put<ulong>(60 << Frame.Shift, 40, 40, 1, 7, 0x1234, 0, 256, 8);
        Assert.Equal(0, _guest.Call(Dom0VpOp, GetMemmap, DomainIds.Self, handle));
        Assert.Equal(0x1234UL, _guest.Get<ulong>(0x1_0000 + 32));
        Assert.Equal(0, _privileged.Call(Dom0VpOp, GetMemmap, 1, handle));
        Assert.Equal(-Errno.EPERM, _guest.Call(Dom0VpOp, GetMemmap, 0, handle));
        Assert.Equal(-Errno.EFAULT, _guest.Call(Dom0VpOp, GetMemmap, DomainIds.Self, 0));
        _guest.Put<ulong>(60 << Frame.Shift, 1 << 20);
        Assert.Equal(-Errno.EFAULT, _guest.Call(Dom0VpOp, GetMemmap, DomainIds.Self, handle));
    }

    [Fact]
    public void The_rest()
    {
        Assert.Equal(-Errno.ENOSYS, _privileged.Call(Dom0VpOp, Perfmon, 1, 0));
        Assert.Equal(0, _guest.Call(Dom0VpOp, Fpswa, Hypercaller.At(0x1_0000)));
        Assert.Equal(0x1_0012u, _guest.Get<uint>(0x1_0000));
        Assert.Equal(-Errno.EFAULT, _guest.Call(Dom0VpOp, Fpswa, 0));
        Assert.Equal(0, _guest.Call(Dom0VpOp, AddIoSpace, 0, 0, 0));
        Assert.Equal(-Errno.EINVAL, _privileged.Call(Dom0VpOp, AddIoSpace, 0x1000_0000, 1, 1));
        foreach (ulong unknown in (ulong[])[2, 4, 15, 1000, ulong.MaxValue])
            Assert.Equal(-1, _privileged.Call(Dom0VpOp, unknown, 0));
    }

    private static unsafe ulong Word(Hypercaller domain, ulong gpfn, int index = 0) => ((ulong*)domain.Memory.Lookup(gpfn).Host)[index];

    public void Dispose()
    {
        _guest.Dispose();
        _privileged.Dispose();
    }
}
