using FastXen.Core.Interpret.Multimedia;
using static FastXen.Core.Tests.Multimedia.LaneModel;

namespace FastXen.Core.Tests.Multimedia;

public class ParallelMultiplyTests
{
    [Theory]
    [InlineData(0)]
    [InlineData(7)]
    [InlineData(15)]
    [InlineData(16)]
    public void Pmpyshr2_takes_sixteen_bits_of_each_product(int count) => ForEachPair((x, y) =>
    {
        Assert.Equal(Map(16, true, true, x, y, (a, b) => a * b >> count), ParallelMultiply.ShiftRight2(x, y, count));
        Assert.Equal(Map(16, false, false, x, y, (a, b) => a * b >> count), ParallelMultiply.ShiftRight2U(x, y, count));
    });

    [Theory]
    [InlineData(0x1234_8000_5678_7fffUL, 0x9abc_8000_def0_8000UL, 0x4000_0000_c000_8000UL)]
    [InlineData(0x0000_0003_0000_ffffUL, 0xffff_0004_ffff_0002UL, 0x0000_000c_ffff_fffeUL)]
    public void Pmpy2_right_multiplies_lanes_0_and_2(ulong x, ulong y, ulong expected)
    {
        Assert.Equal(expected, ParallelMultiply.Right2(x, y));
        Assert.Equal(expected, ParallelMultiply.Left2(x << 16, y << 16));
    }

    [Fact]
    public void Mpy4_multiplies_the_low_words_and_mpyshl4_across()
    {
        Assert.Equal(0xffff_fffe_0000_0001UL, ParallelMultiply.Multiply4(0x5_ffff_ffff, 0x7_ffff_ffff));
        // high(x) * low(y) = 0xffffffff * 3 = 0x2_fffffffd; its low word goes to the high word.
        Assert.Equal(0xffff_fffd_0000_0000UL, ParallelMultiply.MultiplyShiftLeft4(0xffff_ffff_0000_0009, 0x1234_5678_0000_0003));
    }

    /// <summary>The full product of two 64-bit numbers modulo 2^64, put together as the manual's description of mpyshl4 intends.</summary>
    [Fact]
    public void A_64_bit_product_is_mpy4_and_two_mpyshl4() => ForEachPair((x, y) => Assert.Equal(
        unchecked(x * y),
        unchecked(ParallelMultiply.Multiply4(x, y) + ParallelMultiply.MultiplyShiftLeft4(x, y) + ParallelMultiply.MultiplyShiftLeft4(y, x))));
}
