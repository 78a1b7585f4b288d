using FastXen.Platform.Block;
using FastXen.Platform.Virtio;
using FastXen.Xen.Memory;
using FastXen.Xen.Pci;
using FastXen.Xen.Tests.Backends;
using FastXen.Xen.Tests.Toolstack;

namespace FastXen.Xen.Tests.Pci;

/// <summary>A domain that writes anything to its devices' registers and rings, and moves its memory under them.</summary>
public sealed class DeviceFuzzTests
{
    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    public void A_hostile_driver_reaches_nothing_but_its_own_memory(int seed)
    {
        using var host = new XenHost();
        using var victim = new Hypercaller(host, 0, isPrivileged: true);
        using var hostile = new Hypercaller(host, 1);
        var failures = new List<Exception>();
        var disk = new MemoryDisk(sectors: 128);
        PciDriver[] drivers =
        [
            new PciDriver(hostile.Machine, host.Pci.Attach(hostile.Machine, new PciDevice(static () => new VirtioRng(seed: 1), failures.Add))),
            new PciDriver(hostile.Machine, host.Pci.Attach(hostile.Machine, new PciDevice(() => new VirtioBlock(disk, "disk"), failures.Add))),
        ];
        var random = new Random(seed);
        ulong frames = hostile.Memory.ArenaFrames;
        int[] sizes = [1, 2, 4, 8];
        for (int step = 0; step < 4000; step++)
        {
            PciDriver driver = drivers[random.Next(drivers.Length)];
            int size = sizes[random.Next(4)];
            switch (random.Next(10))
            {
                case 0:
                    driver.ConfigWrite(random.Next(256) & ~3, 4, (uint)random.Next());
                    break;
                case 1:
                    driver.CommonWrite((uint)random.Next(0x40), size, Some());
                    break;
                case 2:
                    driver.Write(DomainPci.MemoryOf(1) + (ulong)random.Next(2) * 0x100_0000 + (ulong)(random.Next(0x8000) & -size), size, Some());
                    break;
                case 3:
                    // As a driver would set it up, so that there is something to break.
                    driver.ConfigWrite(0x10, 4, (uint)DomainPci.MemoryOf(1 + Array.IndexOf(drivers, driver)));
                    driver.ConfigWrite(4, 2, 6);
                    driver.Start(10 + (ulong)Array.IndexOf(drivers, driver), random.Next(4) == 0 ? Some() : null);
                    break;
                case 4 or 5 or 6:
                    driver.Submit(Some(), (uint)random.Next(40_000));
                    break;
                case 7:
                    ulong gpfn = 20 + (ulong)random.Next((int)frames - 20);
                    if (!hostile.Memory.Release(gpfn))
                        hostile.Memory.Populate(gpfn);
                    break;
                case 8:
                    hostile.Memory.TryWrite((10UL << Frame.Shift) + (ulong)random.Next(0x800), Some());
                    break;
                default:
                    driver.CommonWrite(20, 1, (ulong)random.Next(256));
                    break;
            }
        }

        Assert.Empty(failures);
        byte[] memory = new byte[victim.Memory.ArenaFrames << Frame.Shift];
        Assert.Equal(memory.Length, victim.Memory.Read(0, memory));
        Assert.Equal(-1, memory.AsSpan().IndexOfAnyExcept((byte)0));
        // When the devices are gone they hold nothing.
        host.Pci.Release(hostile.Machine);
        for (ulong gpfn = 0; gpfn < frames; gpfn++)
            Assert.False(hostile.Memory.IsPinned(gpfn) || victim.Memory.IsPinned(gpfn));

        ulong Some() => random.Next(6) switch
        {
            0 => (ulong)random.NextInt64(),
            1 => (victim.Memory.MachineFrameOf((ulong)random.Next((int)frames)) << Frame.Shift) + (ulong)random.Next(Frame.Size),
            2 => (hostile.Memory.MachineFrameOf(Frame.WindowStart) << Frame.Shift) + (ulong)random.Next(Frame.Size),
            3 => (ulong)random.Next(16),
            _ => (hostile.Memory.MachineFrameOf(10) - 10 + (ulong)random.Next((int)frames) << Frame.Shift) + (ulong)(random.Next(Frame.Size) & ~15),
        };
    }
}
