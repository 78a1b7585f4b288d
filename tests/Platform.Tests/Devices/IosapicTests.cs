using FastXen.Events;
using FastXen.Platform.Iosapic;
using FastXen.Platform.LocalSapic;

namespace FastXen.Platform.Tests.Devices;

public class IosapicTests
{
    private const uint Masked = 1 << 16;
    private const uint Level = 1 << 15;

    private readonly RecordingSink sink = new();
    private readonly IosapicController iosapic;

    public IosapicTests() => iosapic = new IosapicController(24, sink);

    private uint this[uint register]
    {
        get
        {
            iosapic.Write(0, 4, register);
            return (uint)iosapic.Read(0x10, 4);
        }
        set
        {
            iosapic.Write(0, 4, register);
            iosapic.Write(0x10, 4, value);
        }
    }

    private void Program(uint input, uint low, uint id = 3, uint eid = 5)
    {
        this[0x11 + 2 * input] = id << 24 | eid << 16;
        this[0x10 + 2 * input] = low;
    }

    [Fact]
    public void Version_register_tells_the_number_of_inputs()
    {
        Assert.Equal(0x0017_0021u, this[1]);
    }

    [Fact]
    public void Entries_are_masked_after_reset()
    {
        for (uint input = 0; input < 24; input++)
            Assert.Equal(Masked, this[0x10 + 2 * input]);
        iosapic.Line(3).Set(true);
        Assert.Empty(sink.Take());
    }

    [Fact]
    public void Edge_input_posts_once_a_rise_and_loses_edges_while_masked()
    {
        Program(7, 0x41);
        InterruptLine line = iosapic.Line(7);
        line.Set(true);
        line.Set(true);
        Assert.Equal([(3, 5, 0, (byte)0x41)], sink.Take());
        line.Set(false);
        line.Set(true);
        Assert.Single(sink.Take());
        line.Set(false);
        Program(7, 0x41 | Masked);
        line.Set(true);
        Program(7, 0x41);
        Assert.Empty(sink.Take());
    }

    [Fact]
    public void Level_input_waits_for_its_end_of_interrupt()
    {
        Program(20, 0x52 | Level);
        InterruptLine line = iosapic.Line(20);
        line.Set(true);
        line.Set(false);
        line.Set(true);
        Assert.Equal([(3, 5, 0, (byte)0x52)], sink.Take());
        Assert.Equal(1u, this[0x10 + 40] >> 14 & 1);

        iosapic.Write(0x40, 4, 0x53);
        Assert.Empty(sink.Take());
        iosapic.Write(0x40, 4, 0x52);
        Assert.Single(sink.Take());
        line.Set(false);
        iosapic.Write(0x40, 4, 0x52);
        Assert.Empty(sink.Take());
        Assert.Equal(0u, this[0x10 + 40] >> 14 & 1);
    }

    [Fact]
    public void Level_input_that_is_asserted_while_masked_posts_when_it_is_unmasked()
    {
        Program(20, 0x52 | Level | Masked);
        iosapic.Line(20).Set(true);
        Assert.Empty(sink.Take());
        Program(20, 0x52 | Level);
        Assert.Single(sink.Take());
    }

    [Fact]
    public void Masking_during_service_keeps_remote_irr()
    {
        Program(20, 0x52 | Level);
        iosapic.Line(20).Set(true);
        sink.Take();
        Program(20, 0x52 | Level | Masked);
        Program(20, 0x52 | Level);
        Assert.Empty(sink.Take());
        iosapic.Write(0x40, 4, 0x52);
        Assert.Single(sink.Take());
    }

    [Fact]
    public void Inputs_that_share_a_vector_are_both_ended_by_one_eoi()
    {
        Program(16, 0x60 | Level);
        Program(17, 0x60 | Level);
        iosapic.Line(16).Set(true);
        iosapic.Line(17).Set(true);
        Assert.Equal(2, sink.Take().Length);
        iosapic.Write(0x40, 4, 0x60);
        Assert.Equal(2, sink.Take().Length);
    }

    [Theory]
    [InlineData(1u, 0)]
    [InlineData(2u, 2)]
    [InlineData(4u, 4)]
    [InlineData(5u, 5)]
    [InlineData(7u, 7)]
    public void Delivery_mode_goes_with_the_message(uint mode, int expected)
    {
        Program(2, 0x41 | mode << 8);
        iosapic.Line(2).Set(true);
        Assert.Equal(expected, Assert.Single(sink.Take()).Mode);
    }

    [Fact]
    public void Reserved_delivery_mode_posts_nothing()
    {
        Program(2, 0x341);
        iosapic.Line(2).Set(true);
        Assert.Empty(sink.Take());
    }

    [Fact]
    public void Registers_beyond_the_table_are_inert()
    {
        this[0x10 + 2 * 24] = 0x41;
        Assert.Equal(0u, this[0x10 + 2 * 24]);
        this[0xff] = uint.MaxValue;
        Assert.Equal(0u, this[0xff]);
    }

    [Fact]
    public void Store_to_the_processor_interrupt_block_posts_to_the_processor_of_the_address()
    {
        ProcessorInterruptBlock block = new(sink);
        block.Write(0x12 << 12 | 0x34 << 4, 8, 0xfe);
        block.Write(0x01 << 12, 8, 0x4_00);
        Assert.Equal([(0x12, 0x34, 0, (byte)0xfe), (1, 0, 4, (byte)0)], sink.Take());
    }

    [Fact]
    public void Xtp_byte_is_kept_and_posts_nothing()
    {
        ProcessorInterruptBlock block = new(sink);
        block.Write(0x1E_0008, 1, 0x85);
        Assert.Equal(0x85, block.Xtp);
        Assert.Empty(sink.Take());
        Assert.Equal(0xffu, block.Read(0x1E_0000, 1));
    }
}
