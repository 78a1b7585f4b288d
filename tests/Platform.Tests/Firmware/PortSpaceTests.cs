using FastXen.Platform.Ports;

namespace FastXen.Platform.Tests.Firmware;

public class PortSpaceTests
{
    private sealed class Recorder : IPortDevice
    {
        public List<(ushort Port, int Size, uint Value)> Writes { get; } = [];
        public uint Read(ushort port, int size) => 0xa5a5_0000u | port;
        public void Write(ushort port, int size, uint value) => Writes.Add((port, size, value));
    }

    [Fact]
    public void Sparse_encoding_round_trips_for_every_port()
    {
        for (int port = 0; port <= 0xffff; port++)
            Assert.Equal(port, PortSpace.PortOf(PortSpace.OffsetOf((ushort)port)));
    }

    [Fact]
    public void Encoding_of_the_uart_is_that_of_the_manual() =>
        Assert.Equal(0xf_e3f9ul, PortSpace.OffsetOf(0x3f9));

    [Fact]
    public void Accesses_reach_the_device_whose_ports_they_are_and_floating_ports_read_ones()
    {
        PortSpace space = new();
        Recorder device = new();
        space.Add(0x3f8, 8, device);
        Assert.Equal(0xf9ul, space.Read(PortSpace.OffsetOf(0x3f9), 1));
        Assert.Equal(0xfffful, space.Read(PortSpace.OffsetOf(0x3f7), 2));
        Assert.Equal(0xfffful, space.Read(PortSpace.OffsetOf(0x3ff), 2)); // would run past the device
        Assert.Equal(ulong.MaxValue, space.Read(PortSpace.OffsetOf(0x3f8), 8));
        space.Write(PortSpace.OffsetOf(0x3fa), 1, 0x1234);
        Assert.Equal([((ushort)0x3fa, 1, 0x34u)], device.Writes);
    }

    [Fact]
    public void Overlapping_devices_are_refused_and_removed_ports_are_free_again()
    {
        PortSpace space = new();
        Recorder device = new();
        space.Add(0x1000, 16, device);
        Assert.Throws<ArgumentException>(() => space.Add(0x100f, 1, new Recorder()));
        space.Remove(device);
        space.Add(0x100f, 1, new Recorder());
        Assert.Equal(0xfful, space.Read(PortSpace.OffsetOf(0x1000), 1));
    }
}
