using FastXen.Loader.Configuration;
using FastXen.Loader.Images;
using FastXen.Mmu;

namespace FastXen.Loader.Tests;

public sealed class RamDiskTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void It_is_put_as_high_as_it_fits_and_as_it_is()
    {
        const ulong RamSize = 128 << 20;
        MemoryLayout layout = new([new MemoryRange(0, RamSize)], [new MemoryRange(0x10_0000, 0x30_0000)]);
        ElfBuilder elf = ElfBuilder.Small();
        // The kernel is at the very end of RAM: the RAM disk goes below it.
        elf.Segments.Add(new ElfBuilder.Segment(0, RamSize - 0x1000, [1], 0x1000));
        KernelImage kernel = KernelImage.Open(_folder.Write("kernel", elf.Build()));
        byte[] contents = new byte[0x1_2345];
        new Random(7).NextBytes(contents);
        contents[0] = 0x1F;
        contents[1] = 0x8B; // a packed RAM disk stays packed: the kernel unpacks it
        RamDisk disk = RamDisk.Place(_folder.Write("initrd", contents), layout, kernel);
        Assert.Equal(0UL, disk.Memory.Start % 0x1_0000);
        Assert.Equal((ulong)contents.Length, disk.Memory.Length);
        Assert.Equal(0x7FE_0000UL, disk.Memory.Start);

        using PhysicalMemory memory = new(RamSize);
        memory.AddRam(0, RamSize);
        disk.Load(memory);
        Assert.True(memory.TryGetSpan(disk.Memory.Start, contents.Length, out Span<byte> loaded));
        Assert.True(loaded.SequenceEqual(contents));
    }

    [Fact]
    public void What_is_missing_empty_or_too_big_is_named()
    {
        MemoryLayout layout = new([new MemoryRange(0, 0x10_0000), new MemoryRange(0x400_0000, 0x410_0000)], []);
        KernelImage kernel = KernelImage.Open(_folder.Write("kernel", ElfBuilder.Small().Build()));
        Assert.Contains("is empty", Refusal(_folder.Write("empty", []), layout, kernel));
        Assert.Contains("does not fit", Refusal(_folder.Write("big", new byte[0x10_0001]), layout, kernel));
        Assert.Contains("there is no such file", Refusal(_folder.Path + "/none", layout, kernel));
        Assert.Equal(0UL, RamDisk.Place(_folder.Write("fits", new byte[0x10_0000]), layout, kernel).Memory.Start);
    }

    private static string Refusal(string path, MemoryLayout layout, KernelImage kernel) =>
        Assert.Throws<ImageException>(() => RamDisk.Place(path, layout, kernel)).Message;

    [Fact]
    public void Disk_images_that_cannot_be_used_are_named()
    {
        string good = _folder.Write("good.img", new byte[1024]);
        DiskImage.Check(new DiskConfig(good, ReadOnly: false));
        File.SetUnixFileMode(good, UnixFileMode.UserRead);
        DiskImage.Check(new DiskConfig(good, ReadOnly: true));
        Assert.Contains("is read-only", DiskRefusal(new DiskConfig(good, ReadOnly: false)));
        Assert.Contains("expected a multiple of 512", DiskRefusal(new DiskConfig(_folder.Write("short.img", new byte[1000]), false)));
        Assert.Contains("is empty", DiskRefusal(new DiskConfig(_folder.Write("empty.img", []), false)));
        Assert.Contains("does not exist", DiskRefusal(new DiskConfig(_folder.Path + "/none.img", false)));
    }

    private static string DiskRefusal(DiskConfig disk) => Assert.ThrowsAny<LoadException>(() => DiskImage.Check(disk)).Message;
}
