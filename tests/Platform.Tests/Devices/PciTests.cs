using FastXen.Platform.Pci;

namespace FastXen.Platform.Tests.Devices;

public class PciTests
{
    private const ulong WindowBase = 0xC000_0000;

    private sealed class Probe : PciFunction
    {
        public Probe(uint size)
            : base(new PciIdentity(0x1234, 0x5678, 0x010203, 4, 0x9abc, 0xdef0))
        {
            AddMemoryBar(0, size);
            AddMemoryBar(2, 0x100);
            AddCapability(9, 8);
            AddCapability(0x11, 12);
        }

        public List<(int Bar, ulong Offset, ulong Value)> Writes { get; } = [];

        public void Intx(bool level) => SetIntx(level);

        protected override ulong ReadBar(int bar, ulong offset, int size) => 0x1000UL * (ulong)bar + offset;

        protected override void WriteBar(int bar, ulong offset, int size, ulong value) => Writes.Add((bar, offset, value));
    }

    private readonly RecordingLines lines = new();
    private readonly PciRoot root;
    private readonly Probe first = new(0x4000);
    private readonly Probe second = new(0x1_0000);

    public PciTests()
    {
        root = new PciRoot(WindowBase, 0x2000_0000, lines, MachineMap.PciGsi);
        Assert.Equal(1, root.Add(first));
        Assert.Equal(2, root.Add(second));
        root.Reset();
    }

    private uint Read(int device, int register, int size = 4) => root.Read(0, 0, device, 0, register, size);

    private void Write(int device, int register, uint value, int size = 4) => root.Write(0, 0, device, 0, register, size, value);

    [Fact]
    public void Header_identifies_the_function()
    {
        Assert.Equal(0x5678_1234u, Read(1, 0));
        Assert.Equal(0x01020304u, Read(1, 8));
        Assert.Equal(0xdef0_9abcu, Read(1, 0x2c));
        Assert.Equal(0x5678u, Read(1, 2, 2));
        Assert.Equal(1u, Read(1, 0x3d, 1));
        Write(1, 0, 0);
        Assert.Equal(0x5678_1234u, Read(1, 0));
    }

    [Fact]
    public void Absent_functions_read_as_ones()
    {
        Assert.Equal(uint.MaxValue, Read(0, 0));
        Assert.Equal(uint.MaxValue, Read(3, 0));
        Assert.Equal(0xffffu, root.Read(0, 0, 1, 1, 0, 2));
        Assert.Equal(0xffu, root.Read(0, 1, 1, 0, 0, 1));
        Assert.Equal(uint.MaxValue, root.Read(1, 0, 1, 0, 0, 4));
        Assert.Equal(uint.MaxValue, root.Read(0, 0, 77, 0, 0, 4));
        Assert.Equal(uint.MaxValue, Read(1, 0x100));
        Write(77, 4, 0);
    }

    [Fact]
    public void Bars_tell_their_size_and_absent_ones_are_zero()
    {
        Assert.Equal(0u, Read(1, 4) & 0xffff0000 & ~(1u << 20));
        Write(1, 0x10, uint.MaxValue);
        Assert.Equal(0xffff_c000u, Read(1, 0x10));
        Write(1, 0x14, uint.MaxValue);
        Assert.Equal(0u, Read(1, 0x14));
        Write(1, 0x18, uint.MaxValue);
        Assert.Equal(0xffff_ff00u, Read(1, 0x18));
    }

    [Fact]
    public void Reset_places_bars_aligned_inside_of_the_window_and_apart()
    {
        (ulong Start, ulong Size)[] placed =
            [(Read(1, 0x10), 0x4000), (Read(1, 0x18), 0x100), (Read(2, 0x10), 0x1_0000), (Read(2, 0x18), 0x100)];
        foreach ((ulong start, ulong size) in placed)
        {
            Assert.Equal(0UL, start % size);
            Assert.InRange(start, WindowBase, WindowBase + 0x2000_0000 - size);
            Assert.Single(placed, other => start < other.Start + other.Size && other.Start < start + size);
        }
    }

    [Fact]
    public void Accesses_go_where_the_bar_is_and_follow_it()
    {
        ulong start = Read(1, 0x18) - WindowBase;
        Assert.Equal(0x2010UL, root.Read(start + 0x10, 4));
        Write(1, 0x18, 0xD000_0000);
        Assert.Equal(0xffff_ffffUL, root.Read(start + 0x10, 4));
        Assert.Equal(0x2010UL, root.Read(0x1000_0010, 4));
        root.Write(0x1000_0020, 4, 7);
        Assert.Equal([(2, 0x20UL, 7UL)], first.Writes);
        Assert.Equal(ulong.MaxValue, root.Read(0x1000_00fc, 8));
        Write(1, 4, 0, 2);
        Assert.Equal(0xffUL, root.Read(0x1000_0010, 1));
        root.Write(0x1000_0020, 4, 8);
        Assert.Single(first.Writes);
    }

    [Fact]
    public void Capabilities_are_a_list()
    {
        Assert.Equal(0x10u, Read(1, 6, 2) & 0x10);
        uint at = Read(1, 0x34, 1);
        Assert.Equal(9u, Read(1, (int)at, 1));
        at = Read(1, (int)at + 1, 1);
        Assert.Equal(0x11u, Read(1, (int)at, 1));
        Assert.Equal(0u, Read(1, (int)at + 1, 1));
    }

    [Fact]
    public void Intx_of_a_slot_drives_the_routed_line_unless_it_is_disabled()
    {
        second.Intx(true);
        Assert.True(lines[18]);
        Assert.False(lines[17]);
        Assert.Equal(8u, Read(2, 6, 2) & 8);
        Write(2, 4, 0x402, 2);
        Assert.False(lines[18]);
        Assert.Equal(8u, Read(2, 6, 2) & 8);
        Write(2, 4, 2, 2);
        Assert.True(lines[18]);
        second.Intx(false);
        Assert.False(lines[18]);
    }

    [Fact]
    public void Msix_vector_is_sent_held_back_while_masked_and_sent_on_unmask()
    {
        RecordingSink sink = new();
        MsixTable table = new(2, sink);
        table.WriteTable(16, 4, 0xfee0_5060);
        table.WriteTable(20, 4, 0);
        table.WriteTable(24, 4, 0x4071);
        table.Signal(1);
        Assert.Equal(2UL, table.ReadPending(0, 8));
        table.SetControl(0x8000);
        Assert.Empty(sink.Take());
        table.WriteTable(28, 4, 0);
        Assert.Equal([(5, 6, 0, (byte)0x71)], sink.Take());
        Assert.Equal(0UL, table.ReadPending(0, 8));
        table.SetControl(0xc000);
        table.Signal(1);
        Assert.Empty(sink.Take());
        table.SetControl(0x8000);
        Assert.Single(sink.Take());
        table.WriteTable(16, 4, 0x1000);
        table.Signal(1);
        Assert.Empty(sink.Take());
        table.Signal(7);
        table.WriteTable(32, 8, ulong.MaxValue);
        Assert.Equal(0UL, table.ReadTable(32, 8));
    }
}
