using FastXen.Mmu;
using FastXen.Platform.Block;
using FastXen.Platform.Pci;
using FastXen.Platform.Virtio;

namespace FastXen.Platform.Tests.Devices;

public sealed class VirtioBlockTests : IDisposable
{
    private const ulong Version1 = 1UL << 32;
    private const ulong Indirect = 1UL << 28;
    private const ulong EventIndex = 1UL << 29;
    private const ulong Rings = 0x1_0000;
    private const ulong Header = 0x2_0000;
    private const ulong StatusByte = 0x2_1000;
    private const ulong Data = 0x3_0000;
    private const int DiskBytes = 64 << 10;

    private readonly string path = Path.GetTempFileName();
    private readonly byte[] content = new byte[DiskBytes];
    private readonly PhysicalMemory memory = new(1 << 20);
    private readonly RecordingSink sink = new();
    private readonly RecordingLines lines = new();
    private readonly PciRoot root;
    private readonly List<Exception> failures = [];
    private VirtioPciFunction? function;
    private RawImage? image;

    public VirtioBlockTests()
    {
        memory.AddRam(0, 1 << 20);
        root = new PciRoot(lines);
        new Random(5).NextBytes(content);
        File.WriteAllBytes(path, content);
    }

    public void Dispose()
    {
        Detach();
        memory.Dispose();
        File.Delete(path);
    }

    private void Detach()
    {
        function?.Dispose();
        Assert.Empty(failures);
        function = null;
        image?.Dispose();
    }

    private VirtioDriver Attach(bool readOnly = false, bool synchronous = true)
    {
        image = RawImage.Open(path, readOnly);
        function = new VirtioPciFunction(new VirtioBlock(image, "disk0"), memory, sink, failures.Add, synchronous);
        int slot = root.Add(function);
        root.Reset();
        return new VirtioDriver(root, slot, memory);
    }

    private VirtioDriver Started(ulong features = Version1, bool readOnly = false, bool synchronous = true, int size = 16)
    {
        VirtioDriver driver = Attach(readOnly, synchronous);
        Assert.Equal(0xb, driver.Negotiate(features));
        driver.SetUpQueue(0, size, Rings);
        driver.Start();
        return driver;
    }

    private void Request(uint type, ulong sector)
    {
        memory.Write(Header, type);
        memory.Write(Header + 8, sector);
        memory.Write(StatusByte, (byte)0xee);
    }

    private byte Status => memory.Read<byte>(StatusByte);

    private Span<byte> Ram(ulong address, int length)
    {
        Assert.True(memory.TryGetSpan(address, length, out Span<byte> span));
        return span;
    }

    [Fact]
    public void Identifies_as_a_modern_block_device_with_its_capacity()
    {
        VirtioDriver driver = Attach();
        Assert.Equal(0x1042_1af4u, driver.Config(0, 4));
        Assert.Equal(DiskBytes / 512UL, driver.Device(0, 8));
        Assert.Equal(DiskBytes / 512UL, driver.Device(0, 4));
        Assert.Equal(512UL, driver.Device(20, 4));
        Assert.Equal(Version1 | Indirect | EventIndex | 0x246, driver.Offered);
        Assert.Equal(1UL, driver.Common(18, 2));
    }

    [Fact]
    public void Negotiation_refuses_features_that_were_not_offered()
    {
        VirtioDriver driver = Attach();
        Assert.Equal(3, driver.Negotiate(0x46));
        Assert.Equal(3, driver.Negotiate(Version1 | 1 << 23));
        Assert.Equal(0xb, driver.Negotiate(Version1 | 0x46));
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void Reads_sectors_into_scattered_memory(bool synchronous)
    {
        VirtioDriver driver = Started(synchronous: synchronous);
        Request(0, 3);
        driver.Submit(0, 4, (Header, 16, false), (Data, 700, true), (Data + 0x1000, 324, true), (StatusByte, 1, true));
        driver.Notify(0);
        Assert.Equal((4, 1025u), driver.AwaitUsed(0));
        byte[] expected = content[(3 * 512)..(5 * 512)];
        Assert.Equal(expected[..700], Ram(Data, 700).ToArray());
        Assert.Equal(expected[700..], Ram(Data + 0x1000, 324).ToArray());
        Assert.Equal(0, Status);
        Assert.Equal(0, Ram(Data + 700, 1)[0]);
    }

    [Fact]
    public void Write_and_flush_reach_the_file_and_dma_is_announced()
    {
        VirtioDriver driver = Started();
        new Random(6).NextBytes(Ram(Data, 1024));
        byte[] written = Ram(Data, 1024).ToArray();
        Request(1, 9);
        driver.Submit(0, 0, (Header, 16, false), (Data, 1024, false), (StatusByte, 1, true));
        driver.Notify(0);
        Assert.Equal((0, 1u), driver.TakeUsed(0));
        Assert.Equal(0, Status);
        Request(4, 0);
        driver.Submit(0, 0, (Header, 16, false), (StatusByte, 1, true));
        driver.Notify(0);
        Assert.Equal(0, Status);

        List<(ulong, ulong)> announced = [];
        memory.Written += (address, length) => announced.Add((address, length));
        Request(0, 9);
        driver.Submit(0, 0, (Header, 16, false), (Data + 0x2000, 1024, true), (StatusByte, 1, true));
        driver.Notify(0);
        Assert.Equal(written, Ram(Data + 0x2000, 1024).ToArray());
        Assert.Contains((Data + 0x2000, 1024UL), announced);
        Detach();
        Assert.Equal(written, File.ReadAllBytes(path)[(9 * 512)..(11 * 512)]);
    }

    [Fact]
    public void Header_and_data_may_share_a_segment()
    {
        VirtioDriver driver = Started();
        memory.Write(Data, 1u);
        memory.Write(Data + 8, 2UL);
        Ram(Data + 16, 512).Fill(0x5a);
        driver.Submit(0, 0, (Data, 10, false), (Data + 10, 518, false), (StatusByte, 1, true));
        driver.Notify(0);
        Assert.Equal(0, Status);
        Detach();
        Assert.All(File.ReadAllBytes(path)[1024..1536], b => Assert.Equal(0x5a, b));
    }

    [Theory]
    [InlineData(0u, 128ul, 512u, 1)]
    [InlineData(0u, 127ul, 1024u, 1)]
    [InlineData(0u, ulong.MaxValue, 512u, 1)]
    [InlineData(0u, 0x0080_0000_0000_0000ul, 512u, 1)]
    [InlineData(0u, 0ul, 511u, 1)]
    [InlineData(99u, 0ul, 512u, 2)]
    [InlineData(11u, 0ul, 512u, 2)]
    public void Requests_that_cannot_be_served_fail_in_the_status_byte(uint type, ulong sector, uint length, byte expected)
    {
        VirtioDriver driver = Started();
        Request(type, sector);
        driver.Submit(0, 0, (Header, 16, false), (Data, length, true), (StatusByte, 1, true));
        driver.Notify(0);
        Assert.Equal((0, 1u), driver.TakeUsed(0));
        Assert.Equal(expected, Status);
        Assert.Equal(0xf, driver.Status);
    }

    [Fact]
    public void Get_id_gives_the_serial_number()
    {
        VirtioDriver driver = Started();
        Request(8, 0);
        driver.Submit(0, 0, (Header, 16, false), (Data, 20, true), (StatusByte, 1, true));
        driver.Notify(0);
        Assert.Equal("disk0", System.Text.Encoding.ASCII.GetString(Ram(Data, 20)).TrimEnd('\0'));
    }

    [Fact]
    public void Read_only_disk_offers_so_and_refuses_writes()
    {
        VirtioDriver driver = Started(Version1 | 1 << 5, readOnly: true);
        Request(1, 0);
        driver.Submit(0, 0, (Header, 16, false), (Data, 512, false), (StatusByte, 1, true));
        driver.Notify(0);
        Assert.Equal(1, Status);
    }

    [Fact]
    public void Indirect_chain_is_followed()
    {
        VirtioDriver driver = Started(Version1 | Indirect);
        Request(0, 1);
        const ulong table = 0x4_0000;
        driver.Descriptor(table, 0, Header, 16, 1, 2);
        driver.Descriptor(table, 2, Data, 512, 3, 1);
        driver.Descriptor(table, 1, StatusByte, 1, 2, 0);
        driver.Descriptor(driver[0].Descriptors, 5, table, 48, 4, 0);
        driver.Offer(0, 5);
        driver.Notify(0);
        Assert.Equal((5, 513u), driver.TakeUsed(0));
        Assert.Equal(content[512..1024], Ram(Data, 512).ToArray());
    }

    [Fact]
    public void Intx_stays_until_the_isr_is_read_and_obeys_suppression()
    {
        VirtioDriver driver = Started();
        Request(4, 0);
        driver.Submit(0, 0, (Header, 16, false), (StatusByte, 1, true));
        driver.Notify(0);
        Assert.True(lines[17]);
        Assert.Equal(1UL, driver.Isr());
        Assert.False(lines[17]);
        Assert.Equal(0UL, driver.Isr());
        memory.Write(driver[0].Available, (ushort)1);
        driver.Submit(0, 0, (Header, 16, false), (StatusByte, 1, true));
        driver.Notify(0);
        Assert.Equal(2, driver.UsedIndex(0));
        Assert.False(lines[17]);
    }

    [Fact]
    public void Event_index_interrupts_when_the_wanted_completion_is_reached()
    {
        VirtioDriver driver = Started(Version1 | EventIndex);
        VirtioDriver.Ring ring = driver[0];
        memory.Write(ring.Available + 4 + 2 * (ulong)ring.Size, (ushort)2);
        Request(4, 0);
        for (int i = 0; i < 4; i++)
        {
            driver.Submit(0, 0, (Header, 16, false), (StatusByte, 1, true));
            driver.Notify(0);
            Assert.Equal(i == 2 ? 1UL : 0UL, driver.Isr());
            Assert.Equal(i + 1, memory.Read<ushort>(ring.Used + 4 + 8 * (ulong)ring.Size));
        }
    }

    [Fact]
    public void Msix_vector_of_the_queue_is_posted()
    {
        VirtioDriver driver = Attach();
        int at = (int)driver.Config(0x34, 1);
        while (driver.Config(at, 1) != 0x11)
            at = (int)driver.Config(at + 1, 1);
        ulong table = driver.Config(0x10, 4) + driver.Config(at + 4, 4) - MachineMap.PciMemory;
        root.Write(table + 16, 4, 0xfee0_3000);
        root.Write(table + 24, 4, 0x55);
        root.Write(table + 28, 4, 0);
        driver.ConfigWrite(at + 2, 2, 0x8000);
        driver.Negotiate(Version1);
        driver.SetUpQueue(0, 8, Rings);
        driver.CommonWrite(26, 2, 1);
        Assert.Equal(1UL, driver.Common(26, 2));
        driver.CommonWrite(16, 2, 9);
        Assert.Equal(0xffffUL, driver.Common(16, 2));
        driver.Start();
        Request(4, 0);
        driver.Submit(0, 0, (Header, 16, false), (StatusByte, 1, true));
        driver.Notify(0);
        Assert.Equal([(3, 0, 0, (byte)0x55)], sink.Take());
        Assert.False(lines[17]);
    }

    [Fact]
    public void Configuration_access_window_reaches_the_bar()
    {
        VirtioDriver driver = Attach();
        int at = driver.WindowCapability;
        driver.ConfigWrite(at + 8, 4, 0x2000);
        driver.ConfigWrite(at + 12, 4, 4);
        Assert.Equal((uint)DiskBytes / 512, driver.Config(at + 16, 4));
        driver.ConfigWrite(at + 8, 4, uint.MaxValue - 3);
        Assert.Equal(0u, driver.Config(at + 16, 4));
    }

    public static TheoryData<string> BrokenRings => ["head", "loop", "next", "outside", "wrap", "order", "index", "nested", "empty", "table"];

    [Theory]
    [MemberData(nameof(BrokenRings))]
    public void Broken_ring_stops_the_device_until_it_is_reset(string kind)
    {
        VirtioDriver driver = Started(Version1 | Indirect);
        VirtioDriver.Ring ring = driver[0];
        Request(4, 0);
        switch (kind)
        {
            case "head":
                driver.Offer(0, 16);
                break;
            case "loop":
                driver.Descriptor(ring.Descriptors, 0, Header, 16, 1, 0);
                driver.Offer(0, 0);
                break;
            case "next":
                driver.Descriptor(ring.Descriptors, 0, Header, 16, 1, 16);
                driver.Offer(0, 0);
                break;
            case "outside":
                driver.Submit(0, 0, (Header, 16, false), ((1 << 20) - 256, 512, true), (StatusByte, 1, true));
                break;
            case "wrap":
                driver.Submit(0, 0, (Header, 16, false), (ulong.MaxValue - 255, 512, true), (StatusByte, 1, true));
                break;
            case "order":
                driver.Submit(0, 0, (StatusByte, 1, true), (Header, 16, false));
                break;
            case "index":
                memory.Write(ring.Available + 2, (ushort)17);
                break;
            case "nested":
                driver.Descriptor(0x4_0000, 0, 0x4_0000, 16, 4, 0);
                driver.Descriptor(ring.Descriptors, 0, 0x4_0000, 16, 4, 0);
                driver.Offer(0, 0);
                break;
            case "empty":
                driver.Submit(0, 0, (Header, 16, false));
                break;
            case "table":
                driver.Descriptor(ring.Descriptors, 0, (1 << 20) - 16, 32, 4, 0);
                driver.Offer(0, 0);
                break;
        }
        driver.Notify(0);
        Assert.Equal(0x4f, driver.Status);
        Assert.Equal(2UL, driver.Isr());
        Assert.Equal(0, driver.UsedIndex(0));
        Assert.Equal(0xee, Status);

        Assert.Equal(0xb, driver.Negotiate(Version1));
        driver.SetUpQueue(0, 16, Rings);
        driver.Start();
        driver.Submit(0, 0, (Header, 16, false), (StatusByte, 1, true));
        driver.Notify(0);
        Assert.Equal((0, 1u), driver.TakeUsed(0));
    }

    [Theory]
    [InlineData(0x1_0008ul, 16)]
    [InlineData(0xf_fff0ul, 16)]
    [InlineData(0xffff_ffff_ffff_fff0ul, 16)]
    [InlineData(0x1_0000ul, 12)]
    [InlineData(0x1_0000ul, 0)]
    [InlineData(0x1_0000ul, 512)]
    public void Ring_that_is_misplaced_or_of_a_bad_size_needs_a_reset(ulong address, int size)
    {
        VirtioDriver driver = Attach();
        driver.Negotiate(Version1);
        driver.CommonWrite(22, 2, 0);
        driver.CommonWrite(24, 2, (ulong)size);
        driver.CommonWrite(32, 8, address);
        driver.CommonWrite(40, 8, 0x1_4000);
        driver.CommonWrite(48, 8, 0x1_8000);
        driver.CommonWrite(28, 2, 1);
        Assert.Equal(0x40, driver.Status & 0x40);
        driver.CommonWrite(20, 1, 0xf);
        driver.Notify(0);
        Assert.Equal(0x40, driver.Status & 0x40);
    }

    [Fact]
    public void Device_without_bus_mastering_does_not_touch_memory()
    {
        VirtioDriver driver = Started();
        driver.ConfigWrite(4, 2, 2);
        Request(4, 0);
        driver.Submit(0, 0, (Header, 16, false), (StatusByte, 1, true));
        driver.Notify(0);
        Assert.Equal(0xee, Status);
    }
}
