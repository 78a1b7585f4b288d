using FastXen.Platform.Firmware.Efi;

namespace FastXen.Platform.Tests.Firmware;

public class EfiMemoryMapTests
{
    private const ulong MiB = 1 << 20;
    private const ulong GiB = 1 << 30;

    public static TheoryData<ulong> Sizes()
    {
        TheoryData<ulong> sizes = new() { 64 * MiB, 65 * MiB, 80 * MiB + 64 * 1024, 100 * MiB, 128 * MiB, 256 * MiB, 512 * MiB, GiB, 2 * GiB - MiB, 2 * GiB, 2 * GiB + MiB };
        for (ulong size = 3 * GiB; size <= 64 * GiB; size += 7 * GiB)
            sizes.Add(size);
        sizes.Add(64 * GiB);
        return sizes;
    }

    [Theory, MemberData(nameof(Sizes))]
    public void All_ram_is_described_once_and_as_write_back(ulong size)
    {
        IReadOnlyList<EfiMemoryRange> map = EfiMemoryMap.Build(size, size < 81 * MiB ? [] : Loaded());
        ulong end = 0;
        foreach (EfiMemoryRange range in map)
        {
            Assert.True(range.Start >= end, $"0x{range.Start:x} overlaps the range before it");
            Assert.Equal(0ul, (range.Start | range.Size) & 0xfff);
            Assert.NotEqual(0ul, range.Size);
            end = range.End;
        }
        foreach ((ulong start, ulong length) in MachineMap.Ram(size))
        {
            ulong at = start;
            foreach (EfiMemoryRange range in map.Where(range => range.Start >= start && range.Start < start + length))
            {
                Assert.Equal(at, range.Start);
                Assert.NotEqual(0ul, range.Attributes & EfiMemoryMap.WriteBack);
                at = range.End;
            }
            Assert.Equal(start + length, at);
        }
        ulong ram = map.Where(range => (range.Attributes & EfiMemoryMap.WriteBack) != 0).Aggregate(0ul, (sum, range) => sum + range.Size);
        Assert.Equal(size, ram);
    }

    [Fact]
    public void Pal_code_and_port_space_exist_once()
    {
        IReadOnlyList<EfiMemoryRange> map = EfiMemoryMap.Build(512 * MiB, []);
        EfiMemoryRange pal = Assert.Single(map, range => range.Type == EfiMemoryType.PalCode);
        Assert.Equal(0ul, pal.Start & (pal.Size - 1)); // one translation register maps it
        Assert.NotEqual(0ul, pal.Attributes & EfiMemoryMap.Runtime);
        EfiMemoryRange ports = Assert.Single(map, range => range.Type == EfiMemoryType.MemoryMappedIoPortSpace);
        Assert.Equal((MachineMap.PortSpace, 64 * MiB, EfiMemoryMap.Uncacheable), (ports.Start, ports.Size, ports.Attributes));
        Assert.Equal(0xffff_c000_000ul, ports.Start);
    }

    [Fact]
    public void What_does_not_fit_is_refused()
    {
        Assert.Throws<ArgumentException>(() => EfiMemoryMap.Build(64 * MiB, Loaded()));
        Assert.Throws<ArgumentException>(() => EfiMemoryMap.Build(512 * MiB, [new(EfiMemoryType.LoaderData, MachineMap.Firmware, 4096, 0)]));
        Assert.Throws<ArgumentException>(() => EfiMemoryMap.Build(512 * MiB, [new(EfiMemoryType.LoaderData, 64 * MiB, MiB, 0), new(EfiMemoryType.LoaderCode, 64 * MiB, MiB, 0)]));
        Assert.Throws<ArgumentException>(() => EfiMemoryMap.Build(4 * GiB, [new(EfiMemoryType.LoaderData, 3 * GiB, MiB, 0)]));
    }

    [Fact]
    public void Descriptors_have_the_layout_of_version_1()
    {
        byte[] bytes = EfiMemoryMap.Encode([new(EfiMemoryType.Conventional, 0x1_0000, 0x3000, 9)]);
        Assert.Equal(48, bytes.Length);
        Assert.Equal(7u, BitConverter.ToUInt32(bytes, 0));
        Assert.Equal(0x1_0000ul, BitConverter.ToUInt64(bytes, 8));
        Assert.Equal(3ul, BitConverter.ToUInt64(bytes, 24));
        Assert.Equal(9ul, BitConverter.ToUInt64(bytes, 32));
    }

    private static EfiMemoryRange[] Loaded() =>
        [new(EfiMemoryType.LoaderCode, 64 * MiB, 16 * MiB, 0), new(EfiMemoryType.LoaderData, 80 * MiB, MiB, 0)];
}
