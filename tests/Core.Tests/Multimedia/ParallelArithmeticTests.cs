using FastXen.Core.Interpret.Multimedia;
using static FastXen.Core.Tests.Multimedia.LaneModel;

namespace FastXen.Core.Tests.Multimedia;

public class ParallelArithmeticTests
{
    private static readonly Dictionary<string, (Func<ulong, ulong, ulong> Operation, Func<ulong, ulong, ulong> Model)> Operations = new()
    {
        ["padd1"] = (ParallelArithmetic.Add1, (x, y) => Map(8, false, false, x, y, (a, b) => a + b)),
        ["padd2"] = (ParallelArithmetic.Add2, (x, y) => Map(16, false, false, x, y, (a, b) => a + b)),
        ["padd4"] = (ParallelArithmetic.Add4, (x, y) => Map(32, false, false, x, y, (a, b) => a + b)),
        ["padd1.sss"] = (ParallelArithmetic.Add1Sss, (x, y) => Map(8, true, true, x, y, (a, b) => ClampSigned(a + b, 8))),
        ["padd2.sss"] = (ParallelArithmetic.Add2Sss, (x, y) => Map(16, true, true, x, y, (a, b) => ClampSigned(a + b, 16))),
        ["padd1.uuu"] = (ParallelArithmetic.Add1Uuu, (x, y) => Map(8, false, false, x, y, (a, b) => ClampUnsigned(a + b, 8))),
        ["padd2.uuu"] = (ParallelArithmetic.Add2Uuu, (x, y) => Map(16, false, false, x, y, (a, b) => ClampUnsigned(a + b, 16))),
        ["padd1.uus"] = (ParallelArithmetic.Add1Uus, (x, y) => Map(8, false, true, x, y, (a, b) => ClampUnsigned(a + b, 8))),
        ["padd2.uus"] = (ParallelArithmetic.Add2Uus, (x, y) => Map(16, false, true, x, y, (a, b) => ClampUnsigned(a + b, 16))),
        ["psub1"] = (ParallelArithmetic.Subtract1, (x, y) => Map(8, false, false, x, y, (a, b) => a - b)),
        ["psub2"] = (ParallelArithmetic.Subtract2, (x, y) => Map(16, false, false, x, y, (a, b) => a - b)),
        ["psub4"] = (ParallelArithmetic.Subtract4, (x, y) => Map(32, false, false, x, y, (a, b) => a - b)),
        ["psub1.sss"] = (ParallelArithmetic.Subtract1Sss, (x, y) => Map(8, true, true, x, y, (a, b) => ClampSigned(a - b, 8))),
        ["psub2.sss"] = (ParallelArithmetic.Subtract2Sss, (x, y) => Map(16, true, true, x, y, (a, b) => ClampSigned(a - b, 16))),
        ["psub1.uuu"] = (ParallelArithmetic.Subtract1Uuu, (x, y) => Map(8, false, false, x, y, (a, b) => ClampUnsigned(a - b, 8))),
        ["psub2.uuu"] = (ParallelArithmetic.Subtract2Uuu, (x, y) => Map(16, false, false, x, y, (a, b) => ClampUnsigned(a - b, 16))),
        ["psub1.uus"] = (ParallelArithmetic.Subtract1Uus, (x, y) => Map(8, false, true, x, y, (a, b) => ClampUnsigned(a - b, 8))),
        ["psub2.uus"] = (ParallelArithmetic.Subtract2Uus, (x, y) => Map(16, false, true, x, y, (a, b) => ClampUnsigned(a - b, 16))),
        ["pavg1"] = (ParallelArithmetic.Average1, (x, y) => Map(8, false, false, x, y, (a, b) => a + b >> 1 | a + b & 1)),
        ["pavg2"] = (ParallelArithmetic.Average2, (x, y) => Map(16, false, false, x, y, (a, b) => a + b >> 1 | a + b & 1)),
        ["pavg1.raz"] = (ParallelArithmetic.Average1Raz, (x, y) => Map(8, false, false, x, y, (a, b) => a + b + 1 >> 1)),
        ["pavg2.raz"] = (ParallelArithmetic.Average2Raz, (x, y) => Map(16, false, false, x, y, (a, b) => a + b + 1 >> 1)),
        ["pavgsub1"] = (ParallelArithmetic.AverageSubtract1, (x, y) => Map(8, false, false, x, y, (a, b) => a - b >> 1 | a - b & 1)),
        ["pavgsub2"] = (ParallelArithmetic.AverageSubtract2, (x, y) => Map(16, false, false, x, y, (a, b) => a - b >> 1 | a - b & 1)),
        ["pcmp1.eq"] = (ParallelArithmetic.CompareEqual1, (x, y) => Map(8, false, false, x, y, (a, b) => a == b ? -1 : 0)),
        ["pcmp2.eq"] = (ParallelArithmetic.CompareEqual2, (x, y) => Map(16, false, false, x, y, (a, b) => a == b ? -1 : 0)),
        ["pcmp4.eq"] = (ParallelArithmetic.CompareEqual4, (x, y) => Map(32, false, false, x, y, (a, b) => a == b ? -1 : 0)),
        ["pcmp1.gt"] = (ParallelArithmetic.CompareGreater1, (x, y) => Map(8, true, true, x, y, (a, b) => a > b ? -1 : 0)),
        ["pcmp2.gt"] = (ParallelArithmetic.CompareGreater2, (x, y) => Map(16, true, true, x, y, (a, b) => a > b ? -1 : 0)),
        ["pcmp4.gt"] = (ParallelArithmetic.CompareGreater4, (x, y) => Map(32, true, true, x, y, (a, b) => a > b ? -1 : 0)),
        ["pmin1.u"] = (ParallelArithmetic.Minimum1U, (x, y) => Map(8, false, false, x, y, long.Min)),
        ["pmax1.u"] = (ParallelArithmetic.Maximum1U, (x, y) => Map(8, false, false, x, y, long.Max)),
        ["pmin2"] = (ParallelArithmetic.Minimum2, (x, y) => Map(16, true, true, x, y, long.Min)),
        ["pmax2"] = (ParallelArithmetic.Maximum2, (x, y) => Map(16, true, true, x, y, long.Max)),
        ["psad1"] = (ParallelArithmetic.SumOfAbsoluteDifferences1, SumOfAbsoluteDifferences),
        ["pshladd2 1"] = (ShiftLeftAdd(1), (x, y) => Map(16, true, true, x, y, (a, b) => ShiftAdd(a << 1, b))),
        ["pshladd2 2"] = (ShiftLeftAdd(2), (x, y) => Map(16, true, true, x, y, (a, b) => ShiftAdd(a << 2, b))),
        ["pshladd2 3"] = (ShiftLeftAdd(3), (x, y) => Map(16, true, true, x, y, (a, b) => ShiftAdd(a << 3, b))),
        ["pshradd2 1"] = (ShiftRightAdd(1), (x, y) => Map(16, true, true, x, y, (a, b) => ClampSigned((a >> 1) + b, 16))),
        ["pshradd2 3"] = (ShiftRightAdd(3), (x, y) => Map(16, true, true, x, y, (a, b) => ClampSigned((a >> 3) + b, 16))),
    };

    public static TheoryData<string> Names => [.. Operations.Keys];

    [Theory]
    [MemberData(nameof(Names))]
    public void Vectors_agree_with_one_lane_at_a_time(string name)
    {
        (Func<ulong, ulong, ulong> operation, Func<ulong, ulong, ulong> model) = Operations[name];
        ForEachPair((x, y) => Assert.True(model(x, y) == operation(x, y), $"{name} {x:x} {y:x}: {operation(x, y):x}, expected {model(x, y):x}"));
    }

    [Theory]
    // Each lane at a limit of its range, by the limits of SDM vol 3, tables of padd and psub.
    [InlineData("padd1.sss", 0x7f80_7f80_017f_80ffUL, 0x0180_7fff_7f80_0180UL, 0x7f80_7f80_7fff_8180UL)]
    [InlineData("padd2.sss", 0x7fff_8000_7fff_8000UL, 0x0001_ffff_8000_7fffUL, 0x7fff_8000_ffff_ffffUL)]
    [InlineData("padd1.uuu", 0xff80_01fe_0000_ffffUL, 0x0180_fe01_00ff_ff00UL, 0xffff_ffff_00ff_ffffUL)]
    [InlineData("padd1.uus", 0xff00_8010_f001_7f80UL, 0x01ff_80f0_7f80_7f80UL, 0xff00_0000_ff00_fe00UL)]
    [InlineData("padd2.uus", 0xffff_0000_8000_0001UL, 0x0001_ffff_8000_7fffUL, 0xffff_0000_0000_8000UL)]
    [InlineData("psub1.sss", 0x8000_7f80_7f00_0101UL, 0x0180_ff7f_7f7f_80ffUL, 0x807f_7f80_0081_7f02UL)]
    [InlineData("psub2.uuu", 0x0000_0001_ffff_8000UL, 0x0001_0001_0000_ffffUL, 0x0000_0000_ffff_0000UL)]
    [InlineData("psub2.uus", 0x0000_ffff_0001_8000UL, 0x0001_ffff_0002_8000UL, 0x0000_ffff_0000_ffffUL)]
    [InlineData("pavg2", 0x0001_ffff_0000_ffffUL, 0x0000_fffe_0000_0000UL, 0x0001_ffff_0000_7fffUL)]
    [InlineData("pavg2.raz", 0x0001_ffff_0002_ffffUL, 0x0000_fffe_0001_0000UL, 0x0001_ffff_0002_8000UL)]
    [InlineData("pavgsub2", 0x0000_ffff_0000_0003UL, 0x0001_0000_ffff_0001UL, 0xffff_7fff_8001_0001UL)]
    // The shift overflows and stays saturated although the addend would bring it back.
    [InlineData("pshladd2 3", 0x1000_f000_0fff_efffUL, 0x8000_7fff_7fff_0001UL, 0x7fff_ffff_7fff_8000UL)]
    [InlineData("psad1", 0xff00_ff00_ff00_ff00UL, 0x00ff_00ff_00ff_00ffUL, 0x7f8UL)]
    public void Limits_of_the_lanes(string name, ulong x, ulong y, ulong expected) => Assert.Equal(expected, Operations[name].Operation(x, y));

    [Fact]
    public void Bits_are_counted()
    {
        Assert.Equal(64UL, ParallelArithmetic.CountLeadingZeros(0));
        Assert.Equal(0UL, ParallelArithmetic.CountLeadingZeros(ulong.MaxValue));
        Assert.Equal(63UL, ParallelArithmetic.CountLeadingZeros(1));
        Assert.Equal(64UL, ParallelArithmetic.PopulationCount(ulong.MaxValue));
        Assert.Equal(1UL, ParallelArithmetic.PopulationCount(1UL << 63));
    }

    private static Func<ulong, ulong, ulong> ShiftLeftAdd(int count) => (x, y) => ParallelArithmetic.ShiftLeftAdd2(x, count, y);

    private static Func<ulong, ulong, ulong> ShiftRightAdd(int count) => (x, y) => ParallelArithmetic.ShiftRightAdd2(x, count, y);

    private static long ShiftAdd(long shifted, long addend)
    {
        long saturated = ClampSigned(shifted, 16);
        return saturated != shifted ? saturated : ClampSigned(shifted + addend, 16);
    }

    private static ulong SumOfAbsoluteDifferences(ulong x, ulong y)
    {
        long sum = 0;
        for (int shift = 0; shift < 64; shift += 8)
            sum += long.Abs(Lane(x, shift, 8, false) - Lane(y, shift, 8, false));
        return (ulong)sum;
    }
}
