using System.Buffers.Binary;
using System.Net;
using FastXen.Mmu;
using FastXen.Platform.Net;
using FastXen.Platform.Net.Nat;
using FastXen.Platform.Net.Tap;
using FastXen.Platform.Pci;
using FastXen.Platform.Virtio;

namespace FastXen.Platform.Tests.Devices;

public sealed class VirtioNetTests : IDisposable
{
    private const ulong Version1 = 1UL << 32;
    private const ulong ReceiveRings = 0x1_0000;
    private const ulong TransmitRings = 0x2_0000;
    private const ulong Buffers = 0x4_0000;

    private sealed class Wire(bool large) : INetBackend
    {
        public List<byte[]> Sent { get; } = [];

        public IFrameSink? Sink { get; private set; }

        public bool ChecksumsAreValid => large;

        public bool TakesLargeSegments => large;

        public void Send(ReadOnlySpan<byte> frame) => Sent.Add(frame.ToArray());

        public void Connect(IFrameSink? sink) => Sink = sink;

        public void Dispose()
        {
        }
    }

    private readonly PhysicalMemory memory = new(1 << 20);
    private readonly PciRoot root = new(new RecordingLines());
    private readonly List<Exception> failures = [];
    private VirtioPciFunction? function;

    public VirtioNetTests() => memory.AddRam(0, 1 << 20);

    public void Dispose()
    {
        function?.Dispose();
        Assert.Empty(failures);
        memory.Dispose();
    }

    private VirtioDriver Started(INetBackend backend, ulong features)
    {
        function = new VirtioPciFunction(new VirtioNet(backend, MacAddress.Parse("52:54:00:12:34:56")), memory, new RecordingSink(), failures.Add);
        int slot = root.Add(function);
        root.Reset();
        VirtioDriver driver = new(root, slot, memory);
        Assert.Equal(0xb, driver.Negotiate(features));
        driver.SetUpQueue(0, 8, ReceiveRings);
        driver.SetUpQueue(1, 8, TransmitRings);
        driver.Start();
        return driver;
    }

    private Span<byte> Ram(ulong address, int length)
    {
        Assert.True(memory.TryGetSpan(address, length, out Span<byte> span));
        return span;
    }

    [Theory]
    [InlineData(true, 0x1_0823ul)]
    [InlineData(false, 0x1_0021ul)]
    public void Offers_what_the_backend_can_do(bool large, ulong features)
    {
        VirtioDriver driver = Started(new Wire(large), Version1);
        Assert.Equal(0x1041_1af4u, driver.Config(0, 4));
        Assert.Equal(features, driver.Offered & 0xff_ffff);
        Assert.Equal(0x12_0054_52UL, driver.Device(0, 4));
        Assert.Equal(0x5634UL, driver.Device(4, 2));
        Assert.Equal(1UL, driver.Device(6, 2));
    }

    [Fact]
    public void Frame_of_the_guest_goes_out_with_its_checksum_completed()
    {
        Wire wire = new(true);
        VirtioDriver driver = Started(wire, Version1 | 1);
        Span<byte> bytes = Ram(Buffers, 12 + 60);
        bytes.Clear();
        bytes[0] = 1;
        BinaryPrimitives.WriteUInt16LittleEndian(bytes[6..], 34);
        BinaryPrimitives.WriteUInt16LittleEndian(bytes[8..], 6);
        for (int i = 0; i < 60; i++)
            bytes[12 + i] = (byte)(i * 7);
        BinaryPrimitives.WriteUInt16BigEndian(bytes[(12 + 40)..], 0x1234);
        driver.Submit(1, 0, (Buffers, 12, false), (Buffers + 12, 60, false));
        driver.Notify(1);
        Assert.Equal((0, 0u), driver.AwaitUsed(1));
        // It is the guest's again before it is sent.
        Assert.True(SpinWait.SpinUntil(() => wire.Sent.Count > 0, TimeSpan.FromSeconds(30)));
        byte[] frame = Assert.Single(wire.Sent);
        uint sum = 0;
        for (int i = 34; i < 60; i += 2)
            sum += i == 40 ? 0x1234u : (uint)((byte)(i * 7) << 8 | (byte)((i + 1) * 7));
        sum = (sum & 0xffff) + (sum >> 16);
        sum = (sum & 0xffff) + (sum >> 16);
        Assert.Equal((ushort)~sum, BinaryPrimitives.ReadUInt16BigEndian(frame.AsSpan(40)));
        Assert.Equal(Ram(Buffers + 12, 40).ToArray(), frame[..40]);
    }

    [Fact]
    public void Frames_for_the_guest_wait_for_buffers_and_come_in_order()
    {
        Wire wire = new(true);
        VirtioDriver driver = Started(wire, Version1 | 2);
        byte[][] frames = [.. Enumerable.Range(1, 3).Select(n => Enumerable.Repeat((byte)n, 100 * n).ToArray())];
        foreach (byte[] frame in frames)
            Assert.True(wire.Sink!.Receive(frame));
        for (int i = 0; i < 3; i++)
        {
            driver.Submit(0, 0, (Buffers, 12, true), (Buffers + 0x1000, 2000, true));
            driver.Notify(0);
            Assert.Equal((0, (uint)(12 + frames[i].Length)), driver.AwaitUsed(0));
            Assert.Equal(frames[i], Ram(Buffers + 0x1000, frames[i].Length).ToArray());
            Assert.Equal(2, memory.Read<byte>(Buffers));
            Assert.Equal(1, memory.Read<ushort>(Buffers + 10));
        }
    }

    [Fact]
    public void Frame_that_does_not_fit_gives_the_buffer_back_empty_and_a_flood_is_bounded()
    {
        Wire wire = new(true);
        VirtioDriver driver = Started(wire, Version1);
        int taken = 0;
        while (wire.Sink!.Receive(new byte[200]))
            taken++;
        Assert.InRange(taken, 16, 10_000);
        driver.Submit(0, 0, (Buffers, 211, true));
        driver.Notify(0);
        Assert.Equal((0, 0u), driver.AwaitUsed(0));
        Assert.False(wire.Sink.Receive(new byte[100_000]));
    }

    [Fact]
    public void Short_transmit_header_breaks_the_device()
    {
        VirtioDriver driver = Started(new Wire(true), Version1);
        driver.Submit(1, 0, (Buffers, 11, false));
        driver.Notify(1);
        Assert.True(SpinWait.SpinUntil(() => driver.Status == 0x4f, TimeSpan.FromSeconds(30)));
    }

    [Fact]
    public void Dhcp_works_through_the_card()
    {
        using NatBackend nat = new();
        VirtioDriver driver = Started(nat, Version1 | 3);
        driver.Submit(0, 0, (Buffers, 2048, true));
        driver.Notify(0);
        Span<byte> arp = Ram(Buffers + 0x1000, 12 + 42);
        arp.Clear();
        GuestStation.Mac.CopyTo(arp[18..]);
        BinaryPrimitives.WriteUInt16BigEndian(arp[24..], 0x0806);
        BinaryPrimitives.WriteUInt64BigEndian(arp[26..], 0x0001_0800_0604_0001);
        BinaryPrimitives.WriteUInt32BigEndian(arp[50..], GuestStation.Gateway);
        driver.Submit(1, 0, (Buffers + 0x1000, 12 + 42, false));
        driver.Notify(1);
        Assert.Equal((0, 54u), driver.AwaitUsed(0));
        Assert.Equal(GuestStation.Mac, Ram(Buffers + 12, 6).ToArray());
        Assert.Equal(GuestStation.Gateway, BinaryPrimitives.ReadUInt32BigEndian(Ram(Buffers + 12 + 28, 4)));
    }

    [Fact]
    public void Entropy_source_fills_buffers_and_repeats_itself_with_a_seed()
    {
        byte[] Draw(int? seed)
        {
            using VirtioPciFunction entropy = new(new VirtioRng(seed), memory, new RecordingSink(), failures.Add, synchronous: true);
            int slot = root.Add(entropy);
            root.Reset();
            VirtioDriver driver = new(root, slot, memory);
            Assert.Equal(0xb, driver.Negotiate(Version1));
            driver.SetUpQueue(0, 8, ReceiveRings);
            driver.Start();
            driver.Submit(0, 0, (Buffers, 64, true));
            driver.Notify(0);
            Assert.Equal((0, 64u), driver.TakeUsed(0));
            return Ram(Buffers, 64).ToArray();
        }

        Assert.Equal(Draw(3), Draw(3));
        Assert.NotEqual(Draw(null), Draw(null));
    }

    [Theory]
    [InlineData("5254:00:12:34:56")]
    [InlineData("52:54:00:12:34:5g")]
    [InlineData("53:54:00:12:34:56")]
    [InlineData("00:00:00:00:00:00")]
    [InlineData("")]
    public void Bad_mac_address_is_named(string text) =>
        Assert.Contains($"'{text}'", Assert.Throws<DeviceConfigurationException>(() => MacAddress.Parse(text)).Message, StringComparison.Ordinal);

    [Fact]
    public void Mac_address_is_printed_as_it_is_parsed() =>
        Assert.Equal("52:54:00:ab:cd:ef", MacAddress.Parse("52:54:00:AB:cd:ef").ToString());

    [Theory]
    [InlineData("")]
    [InlineData("a-name-that-is-too-long")]
    public void Bad_tap_name_is_named(string name) =>
        Assert.Contains($"'{name}'", Assert.Throws<DeviceConfigurationException>(() => TapBackend.Open(name, static _ => { })).Message, StringComparison.Ordinal);

    [Fact]
    public void Reconnecting_the_network_breaks_connections_of_the_earlier_boot()
    {
        using System.Net.Sockets.Socket listener = new(System.Net.Sockets.SocketType.Stream, System.Net.Sockets.ProtocolType.Tcp);
        listener.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        listener.Listen();
        using NatBackend nat = new(new NatOptions { AllowHostLoopback = true });
        new GuestTcp(new GuestStation(nat), GuestStation.Gateway, ((IPEndPoint)listener.LocalEndPoint!).Port, 1000).Connect();
        using System.Net.Sockets.Socket server = listener.Accept();
        server.ReceiveTimeout = 30_000;
        GuestStation again = new(nat);
        Assert.Throws<System.Net.Sockets.SocketException>(() => server.Receive(new byte[1]));
        Assert.True(again.IsQuiet);
    }
}
