using System.IO.Compression;
using System.Text;
using FastXen.Loader.Configuration;
using FastXen.Loader.Images;
using FastXen.Loader.Xen;
using FastXen.Mmu;

namespace FastXen.Loader.Tests;

/// <summary>Files with changed bytes and of any length: they load, or they are refused with a sentence (overlays: OverlayImageTests; saved domains: XenCommandTests).</summary>
public sealed class ImageFuzzTests : IDisposable
{
    private const int Rounds = 600;
    private const ulong RamSize = 128 << 20;

    private static readonly MemoryLayout Layout = new([new MemoryRange(0, RamSize)], [new MemoryRange(0, 0x10_0000)]);

    private readonly TemporaryFolder _folder = new();
    private readonly PhysicalMemory _memory = new(RamSize);

    public ImageFuzzTests() => _memory.AddRam(0, RamSize);

    public void Dispose()
    {
        _memory.Dispose();
        _folder.Dispose();
    }

    // Some bytes of the first ones, or numbers that mean much; or less of it, or more.
    private static byte[] Damaged(byte[] whole, Random random, int head)
    {
        if (random.Next(16) == 0) return whole;
        byte[] bytes = random.Next(4) switch
        {
            0 => whole[..random.Next(whole.Length + 1)],
            1 => [.. whole, .. new byte[random.Next(4096)]],
            _ => [.. whole],
        };
        head = Math.Min(head, bytes.Length);
        for (int k = random.Next(4); k >= 0 && head >= 8; k--)
        {
            int at = random.Next(head - 7);
            if (random.Next(2) == 0) bytes[at] = (byte)random.Next(256);
            else BitConverter.TryWriteBytes(bytes.AsSpan(at & ~3), random.Next(3) switch { 0 => ulong.MaxValue, 1 => 1UL << random.Next(64), _ => (ulong)random.NextInt64() });
        }
        return bytes;
    }

    // How many loaded; whatever else is thrown fails the test.
    private static int Count(int seed, Func<Random, bool> load)
    {
        Random random = new(seed);
        int good = 0;
        for (int round = 0; round < Rounds; round++)
        {
            try
            {
                if (load(random)) good++;
            }
            catch (LoadException e)
            {
                Assert.NotEqual("", e.Message);
                Assert.DoesNotContain(e.Message, char.IsControl);
            }
        }
        return good;
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void A_damaged_kernel_loads_or_is_refused(bool isPacked)
    {
        ElfBuilder elf = ElfBuilder.Small();
        elf.Segments.Add(new ElfBuilder.Segment(0xA000_0001_0010_0000, 0x410_0000, [1, 2, 3], 0x1000));
        elf.Segments.Add(new ElfBuilder.Segment(0, 0, new byte[64], 64, Type: 4));
        byte[] whole = elf.Build();
        int good = Count(1, random =>
        {
            byte[] bytes = isPacked && random.Next(2) == 0 ? Damaged(Packed(whole), random, 40) : Damaged(whole, random, 64 + 3 * 56);
            KernelImage kernel = KernelImage.Open(_folder.Write("kernel", isPacked && random.Next(2) == 0 ? Packed(bytes) : bytes));
            kernel.CheckFits(Layout);
            kernel.ReadXenEntry();
            RamDisk.Place(_folder.Write("initrd", bytes), Layout, kernel).Load(_memory);
            kernel.Load(_memory);
            return true;
        });
        Assert.InRange(good, 1, Rounds - 1);
    }

    private static byte[] Packed(byte[] bytes)
    {
        MemoryStream packed = new();
        using (GZipStream gzip = new(packed, CompressionLevel.Fastest)) gzip.Write(bytes);
        return packed.ToArray();
    }

    private static readonly byte[] Config = """
        { "name": "a", "memory": "512M", "vcpus": 2, "kernel": "k", "disks": [{ "path": "d", "readOnly": true }], "personality": "xen",
          "network": [{ "type": "nat", "mac": "52:54:00:12:34:56", "hostForwards": ["tcp:2222:22"] }], "console": { "type": "file", "path": "c" } }
        """u8.ToArray();

    [Fact]
    public void A_damaged_config_is_read_or_refused()
    {
        int good = Count(2, random => GuestConfigReader.ReadAll(_folder.Write("config.json", Damaged(Config, random, Config.Length))).Count == 1);
        Assert.InRange(good, 1, Rounds - 1);
    }

    [Fact]
    public void A_damaged_head_of_a_saved_domain_is_read_or_refused()
    {
        byte[] whole = [.. "FastXen domain\n\0"u8, .. BitConverter.GetBytes(Config.Length), .. Config, .. Encoding.ASCII.GetBytes("the domain")];
        int good = Count(3, random => SaveFile.ReadConfig(_folder.Write("saved", Damaged(whole, random, random.Next(8, whole.Length)))).RestoreFrom is not null);
        Assert.InRange(good, 1, Rounds - 1);
    }
}
