using System.IO.Compression;
using FastXen.Loader.Images;
using FastXen.Mmu;

namespace FastXen.Loader.Tests;

public sealed class KernelImageTests : IDisposable
{
    private const ulong RamSize = 128 << 20;

    private static readonly MemoryLayout Layout = new([new MemoryRange(0, RamSize)], [new MemoryRange(0x10_0000, 0x30_0000)]);

    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    private static byte[] Gzip(byte[] contents)
    {
        MemoryStream packed = new();
        using (GZipStream gzip = new(packed, CompressionLevel.Fastest)) gzip.Write(contents);
        return packed.ToArray();
    }

    private string Refusal(byte[] file)
    {
        string path = _folder.Write("kernel", file);
        string message = Assert.Throws<ImageException>(() => LoadAll(path)).Message;
        Assert.StartsWith(path + ": ", message);
        return message[(path.Length + 2)..];
    }

    private static void LoadAll(string path)
    {
        KernelImage kernel = KernelImage.Open(path);
        kernel.CheckFits(Layout);
        using PhysicalMemory memory = new(RamSize);
        memory.AddRam(0, RamSize);
        kernel.Load(memory);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void A_kernel_is_put_at_its_physical_addresses(bool packed)
    {
        ElfBuilder elf = ElfBuilder.Small();
        elf.Segments.Add(new ElfBuilder.Segment(0xA000_0001_0100_0000, 0x500_0000, [1, 2, 3], 8));
        byte[] file = elf.Build();
        KernelImage kernel = KernelImage.Open(_folder.Write("kernel", packed ? Gzip(file) : file));
        Assert.Equal(0x400_0000UL, kernel.Entry);
        kernel.CheckFits(Layout);

        using PhysicalMemory memory = new(RamSize);
        memory.AddRam(0, RamSize);
        List<(ulong, ulong)> written = [];
        memory.Written += (address, length) => written.Add((address, length));
        // A second start finds what the first one left in the memory that must be zero.
        memory.Write(0x400_4000, 0x1234UL);
        kernel.Load(memory);

        Assert.True(memory.TryGetSpan(0x400_0000, 0x3000, out Span<byte> first));
        Assert.True(first.SequenceEqual(elf.Segments[0].Bytes));
        Assert.Equal(0UL, memory.Read<ulong>(0x400_4000));
        Assert.Equal(0x030201UL, memory.Read<ulong>(0x500_0000));
        Assert.Equal([(0x400_0000UL, 0x5000UL), (0x500_0000UL, 8UL)], written);
    }

    [Fact]
    public void A_virtual_entry_point_becomes_a_physical_one()
    {
        ElfBuilder elf = ElfBuilder.Small();
        elf.Entry = 0xA000_0001_0000_0120;
        Assert.Equal(0x400_0120UL, KernelImage.Open(_folder.Write("kernel", elf.Build())).Entry);
    }

    [Fact]
    public void Files_that_are_not_IA64_kernels_are_named()
    {
        Assert.Equal("is not an ELF file (nor a gzip of one)", Refusal("hello, world"u8.ToArray()));
        Assert.Equal("is not an ELF file (nor a gzip of one)", Refusal([]));
        Assert.Equal("is a gzip file without an ELF file in it", Refusal(Gzip("hello"u8.ToArray())));
        Assert.Equal("is for another machine: x86-64, expected IA-64", Refusal(new ElfBuilder { Machine = 62 }.Build()));
        Assert.Equal("is for another machine: S/390, expected IA-64", Refusal(new ElfBuilder { Machine = 22, Data = 2 }.Build()));
        Assert.Equal("is a 32-bit ELF file, expected 64-bit", Refusal(new ElfBuilder { Class = 1 }.Build()));
        Assert.Equal("is a big-endian ELF file, expected little-endian", Refusal(new ElfBuilder { Data = 2 }.Build()));
        Assert.Equal("is not an executable ELF file (type 1, expected 2)", Refusal(new ElfBuilder { Type = 1 }.Build()));
        Assert.Equal("has 0 program headers, expected 1 to 64", Refusal(new ElfBuilder().Build()));
        Assert.Contains("there is no such file", Assert.Throws<ImageException>(() => LoadAll("/nonexistent/kernel")).Message);
        Assert.Contains("is a directory", Assert.Throws<ImageException>(() => LoadAll(_folder.Path)).Message);
    }

    [Theory]
    [InlineData(20, "is truncated: it ends after 20 bytes, inside of the ELF header")]
    [InlineData(100, "is truncated: it ends after 100 bytes, inside of the program headers")]
    [InlineData(0x1000, "is truncated: it ends after 4096 bytes, inside of the segment at 0x4000000-0x4005000")]
    public void A_truncated_file_is_named(int length, string sentence)
    {
        Assert.Equal(sentence, Refusal(ElfBuilder.Small().Build()[..length]));
        Assert.Equal(sentence, Refusal(Gzip(ElfBuilder.Small().Build()[..length])));
        Assert.Equal($"{_folder.Path}/kernel: {sentence}", Assert.Throws<ImageException>(() => KernelImage.Open($"{_folder.Path}/kernel").CheckComplete()).Message);
    }

    [Fact]
    public void A_damaged_gzip_file_is_named()
    {
        byte[] packed = Gzip(ElfBuilder.Small().Build());
        packed[10] = 0x07; // a block of type 3, which deflate does not have
        Assert.Contains("is damaged", Refusal(packed));
    }

    [Fact]
    public void A_kernel_that_does_not_fit_is_named()
    {
        ElfBuilder high = ElfBuilder.Small();
        high.Segments.Add(new ElfBuilder.Segment(0, 0x900_0000, [1], 0x10_0001));
        Assert.Equal("needs at least 146M of memory, the guest has 128M", Refusal(high.Build()));

        ElfBuilder low = ElfBuilder.Small();
        low.Segments.Add(new ElfBuilder.Segment(0, 0x2F_FFF0, [1], 0x20));
        Assert.Equal("has a segment at 0x2ffff0-0x300010, which overlaps the firmware at 0x100000-0x300000", Refusal(low.Build()));

        ElfBuilder hole = ElfBuilder.Small();
        hole.Segments.Add(new ElfBuilder.Segment(0, 0x9000_0000, [1], 0x10));
        KernelImage kernel = KernelImage.Open(_folder.Write("kernel", hole.Build()));
        MemoryLayout split = new([new MemoryRange(0, 0x8000_0000), new MemoryRange(0x1_0000_0000, 0x1_8000_0000)], []);
        Assert.Contains("where the guest has no memory", Assert.Throws<ImageException>(() => kernel.CheckFits(split)).Message);
    }

    [Fact]
    public void Hostile_program_headers_are_refused()
    {
        ElfBuilder Bad(ulong physical, ulong memorySize, int fileSize = 16, ulong entry = 0x400_0000)
        {
            ElfBuilder elf = ElfBuilder.Small();
            elf.Entry = entry;
            elf.Segments.Add(new ElfBuilder.Segment(0, physical, new byte[fileSize], memorySize));
            return elf;
        }
        Assert.Contains("wraps around", Refusal(Bad(ulong.MaxValue - 8, 16).Build()));
        Assert.Contains("but only 0x8 in memory", Refusal(Bad(0x500_0000, 8).Build()));
        Assert.Contains("overlap in memory", Refusal(Bad(0x400_4FFF, 16).Build()));
        Assert.Contains("needs at least", Refusal(Bad(0x1000_0000, ulong.MaxValue >> 1, 0).Build()));
        Assert.Contains("outside of every segment", Refusal(Bad(0x500_0000, 16, 16, 0x1234_5670).Build()));
        Assert.Contains("not the address of a bundle", Refusal(Bad(0x500_0000, 16, 16, 0x400_0008).Build()));

        ElfBuilder note = new();
        note.Segments.Add(new ElfBuilder.Segment(0, 0, [1], 1, Type: 4));
        Assert.Contains("has nothing to load", Refusal(note.Build()));

        byte[] shared = Bad(0x500_0000, 16).Build();
        shared.AsSpan(64 + 8, 8).CopyTo(shared.AsSpan(64 + 56 + 8)); // the same p_offset twice
        Assert.Contains("share bytes of the file", Refusal(shared));
    }

    [Fact]
    public void Damaged_kernels_fail_with_a_sentence_only()
    {
        ElfBuilder elf = ElfBuilder.Small();
        elf.Segments.Add(new ElfBuilder.Segment(0xA000_0001_0100_0000, 0x500_0000, new byte[100], 1000));
        byte[] good = elf.Build();
        byte[] packed = Gzip(good);
        Random random = new(64);
        ReadOnlySpan<ulong> nasty = [0, 1, 0x7FFF_FFFF_FFFF_FFFF, 0x8000_0000_0000_0000, ulong.MaxValue, 0x10_0000, RamSize, RamSize - 1];
        int refused = 0;
        for (int round = 0; round < 4000; round++)
        {
            byte[] bad = (byte[])(round % 4 == 0 ? packed : good).Clone();
            if (round % 4 == 0)
            {
                for (int i = random.Next(1, 9); i > 0; i--) bad[random.Next(bad.Length)] = (byte)random.Next(256);
            }
            else
            {
                int at = random.Next(4, 64 + 2 * 56 - 8);
                if (round % 4 == 1) BitConverter.TryWriteBytes(bad.AsSpan(at), nasty[random.Next(nasty.Length)]);
                else bad[at] ^= (byte)(1 << random.Next(8));
            }
            if (random.Next(5) == 0) bad = bad[..random.Next(bad.Length)];
            string path = _folder.Write("kernel", bad);
            try
            {
                KernelImage kernel = KernelImage.Open(path);
                kernel.CheckFits(Layout);
                kernel.Load(s_memory.Value);
            }
            catch (ImageException)
            {
                refused++;
            }
        }
        Assert.InRange(refused, 500, 4000);
    }

    private static readonly Lazy<PhysicalMemory> s_memory = new(static () =>
    {
        PhysicalMemory memory = new(RamSize);
        memory.AddRam(0, RamSize);
        return memory;
    });
}
