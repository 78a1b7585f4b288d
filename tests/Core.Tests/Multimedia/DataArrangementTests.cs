using FastXen.Core.Interpret.Multimedia;

namespace FastXen.Core.Tests.Multimedia;

/// <summary>Byte n of x is 0x10 + n and byte n of y is 0x20 + n, so that results can be read off the figures of SDM vol 3.</summary>
public class DataArrangementTests
{
    private const ulong X = 0x1716_1514_1312_1110;
    private const ulong Y = 0x2726_2524_2322_2120;

    [Fact]
    public void Mix()
    {
        Assert.Equal(0x1727_1525_1323_1121UL, DataArrangement.Mix1L(X, Y));
        Assert.Equal(0x1626_1424_1222_1020UL, DataArrangement.Mix1R(X, Y));
        Assert.Equal(0x1716_2726_1312_2322UL, DataArrangement.Mix2L(X, Y));
        Assert.Equal(0x1514_2524_1110_2120UL, DataArrangement.Mix2R(X, Y));
        Assert.Equal(0x1716_1514_2726_2524UL, DataArrangement.Mix4L(X, Y));
        Assert.Equal(0x1312_1110_2322_2120UL, DataArrangement.Mix4R(X, Y));
    }

    [Fact]
    public void Unpack()
    {
        Assert.Equal(0x1727_1626_1525_1424UL, DataArrangement.Unpack1H(X, Y));
        Assert.Equal(0x1323_1222_1121_1020UL, DataArrangement.Unpack1L(X, Y));
        Assert.Equal(0x1716_2726_1514_2524UL, DataArrangement.Unpack2H(X, Y));
        Assert.Equal(0x1312_2322_1110_2120UL, DataArrangement.Unpack2L(X, Y));
        Assert.Equal(0x1716_1514_2726_2524UL, DataArrangement.Unpack4H(X, Y));
        Assert.Equal(0x1312_1110_2322_2120UL, DataArrangement.Unpack4L(X, Y));
    }

    [Fact]
    public void Mux()
    {
        Assert.Equal(0x1010_1010_1010_1010UL, DataArrangement.Mux1Brcst(X));
        Assert.Equal(0x1713_1511_1612_1410UL, DataArrangement.Mux1Mix(X));
        Assert.Equal(0x1713_1612_1511_1410UL, DataArrangement.Mux1Shuf(X));
        Assert.Equal(0x1715_1311_1614_1210UL, DataArrangement.Mux1Alt(X));
        Assert.Equal(0x1011_1213_1415_1617UL, DataArrangement.Mux1Rev(X));
        // The manual's example: mux2 r1 = r2, 0x8d is lanes 2, 0, 3, 1 from the left.
        Assert.Equal(0x1514_1110_1716_1312UL, DataArrangement.Mux2(X, 0x8d));
        Assert.Equal(X, DataArrangement.Mux2(X, 0xe4));
    }

    [Fact]
    public void Pack_saturates_and_puts_the_first_source_low()
    {
        Assert.Equal(0x0102_807f_7f80_ff00UL, DataArrangement.Pack2Sss(0x7fff_8000_ffff_0000, 0x0001_0002_ff80_007f));
        Assert.Equal(0x807f_807fUL, DataArrangement.Pack2Sss(0xff7f_0080_ff80_007f, 0));
        Assert.Equal(0xffff_0001_00ff_ff00UL, DataArrangement.Pack2Uss(0x8000_0100_00ff_ffff, 0x7fff_00ff_ff80_0001));
        Assert.Equal(0x7fff_8000_7fff_8000UL, DataArrangement.Pack4Sss(0x7fff_ffff_8000_0000, 0x0000_8000_ffff_7fff));
        Assert.Equal(0x7fff_8000_0001_ffffUL, DataArrangement.Pack4Sss(0x0000_0001_ffff_ffff, 0x0000_7fff_ffff_8000));
    }

    [Theory]
    [InlineData(0x1111_1111_1111_1111UL, 8, 8, 4, 4)]
    [InlineData(0UL, 0, 0, 0, 0)]
    [InlineData(0x0011_1111_1111_1111UL, 0, 7, 4, 4)]
    [InlineData(0x1100_0011_1111_1100UL, 1, 0, 4, 4)]
    [InlineData(0x8080_0000_8080_8080UL, 2, 4, 1, 2)]
    // A one above a zero lane: a borrow would make it look like a zero.
    [InlineData(0x0101_0100_0101_0101UL, 3, 4, 4, 4)]
    [InlineData(0x0001_0001_0000_0001UL, 0, 1, 2, 1)]
    public void Czx(ulong x, int left1, int right1, int left2, int right2) => Assert.Equal(
        ((ulong)left1, (ulong)right1, (ulong)left2, (ulong)right2),
        (DataArrangement.ZeroIndex1L(x), DataArrangement.ZeroIndex1R(x), DataArrangement.ZeroIndex2L(x), DataArrangement.ZeroIndex2R(x)));
}
