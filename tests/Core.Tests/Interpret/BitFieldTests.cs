using FastXen.Core.Decode;

namespace FastXen.Core.Tests.Interpret;

public class BitFieldTests
{
    private const ulong Pattern = 0xfedc_ba98_7654_3210;

    [Theory]
    [InlineData(Opcode.ExtrU, 0, 64, Pattern)]
    [InlineData(Opcode.Extr, 0, 64, Pattern)]
    [InlineData(Opcode.ExtrU, 60, 4, 0xfUL)]
    [InlineData(Opcode.Extr, 60, 4, ulong.MaxValue)]
    // A field that reaches over bit 63 ends there, and the sign is bit 63.
    [InlineData(Opcode.ExtrU, 56, 64, 0xfeUL)]
    [InlineData(Opcode.Extr, 56, 64, 0xffff_ffff_ffff_fffeUL)]
    [InlineData(Opcode.Extr, 63, 1, ulong.MaxValue)]
    [InlineData(Opcode.Extr, 8, 8, 0x32UL)]
    public void Extract(Opcode opcode, int position, int length, ulong expected) =>
        Assert.Equal(expected, Run(new Instruction { Opcode = opcode, R1 = 8, R3 = 9, Position = (byte)position, Length = (byte)length }));

    [Theory]
    [InlineData(Opcode.Dep, 8, 16, 0xfedc_ba98_76cd_ef10UL)]
    [InlineData(Opcode.Dep, 0, 16, 0xfedc_ba98_7654_cdefUL)]
    // Over bit 63: cut off.
    [InlineData(Opcode.Dep, 56, 16, 0xefdc_ba98_7654_3210UL)]
    [InlineData(Opcode.DepZ, 56, 16, 0xef00_0000_0000_0000UL)]
    [InlineData(Opcode.DepZ, 0, 64, 0x0123_4567_89ab_cdefUL)]
    [InlineData(Opcode.DepZ, 4, 4, 0xf0UL)]
    public void Deposit(Opcode opcode, int position, int length, ulong expected) =>
        Assert.Equal(expected, Run(new Instruction { Opcode = opcode, R1 = 8, R2 = 10, R3 = 9, Position = (byte)position, Length = (byte)length }));

    [Theory]
    [InlineData(Opcode.DepImmediate, ulong.MaxValue, 4, 8, 0xfedc_ba98_7654_3ff0UL)]
    [InlineData(Opcode.DepImmediate, 0UL, 60, 64, 0x0edc_ba98_7654_3210UL)]
    [InlineData(Opcode.DepZImmediate, 0xffff_ffff_ffff_ff80UL, 8, 16, 0xff_8000UL)]
    public void Deposit_of_an_immediate(Opcode opcode, ulong immediate, int position, int length, ulong expected) =>
        Assert.Equal(expected, Run(new Instruction
        {
            Opcode = opcode,
            R1 = 8,
            R3 = 9,
            Immediate = immediate,
            Position = (byte)position,
            Length = (byte)length,
        }));

    [Theory]
    [InlineData(0, Pattern)]
    [InlineData(4, 0xffed_cba9_8765_4321UL)]
    [InlineData(63, 0x0246_8acf_1357_9bdfUL)]
    public void Shift_right_pair(int count, ulong expected) =>
        Assert.Equal(expected, Run(new Instruction { Opcode = Opcode.Shrp, R1 = 8, R2 = 10, R3 = 9, Position = (byte)count }));

    [Theory]
    [InlineData(63UL, 0x8000_0000_0000_0000UL, ulong.MaxValue, 1UL)]
    [InlineData(64UL, 0UL, ulong.MaxValue, 0UL)]
    [InlineData(1UL << 32, 0UL, ulong.MaxValue, 0UL)]
    [InlineData(ulong.MaxValue, 0UL, ulong.MaxValue, 0UL)]
    [InlineData(0UL, 0x8000_0000_0000_0001UL, 0x8000_0000_0000_0001UL, 0x8000_0000_0000_0001UL)]
    public void Counts_above_63_shift_everything_out(ulong count, ulong shl, ulong shr, ulong shrU)
    {
        using var bench = new HandlerBench();
        bench.SetGr(9, 0x8000_0000_0000_0001);
        bench.SetGr(10, count);
        Assert.True(bench.Run(new Instruction { Opcode = Opcode.Shl, R1 = 8, R2 = 9, R3 = 10 }));
        Assert.Equal(shl, bench.Gr(8));
        Assert.True(bench.Run(new Instruction { Opcode = Opcode.Shr, R1 = 8, R2 = 10, R3 = 9 }));
        Assert.Equal(shr, bench.Gr(8));
        Assert.True(bench.Run(new Instruction { Opcode = Opcode.ShrU, R1 = 8, R2 = 10, R3 = 9 }));
        Assert.Equal(shrU, bench.Gr(8));
    }

    [Theory]
    [InlineData(Opcode.Sxt1, 0x10UL)]
    [InlineData(Opcode.Zxt2, 0x3210UL)]
    [InlineData(Opcode.Zxt4, 0x7654_3210UL)]
    public void Extensions(Opcode opcode, ulong expected) => Assert.Equal(expected, Run(new Instruction { Opcode = opcode, R1 = 8, R3 = 9 }));

    [Fact]
    public void Extensions_of_negative_values()
    {
        using var bench = new HandlerBench();
        bench.SetGr(9, 0x1234_5678_8765_8081);
        foreach ((Opcode opcode, ulong expected) in new[]
        {
            (Opcode.Sxt1, 0xffff_ffff_ffff_ff81UL), (Opcode.Sxt2, 0xffff_ffff_ffff_8081UL), (Opcode.Sxt4, 0xffff_ffff_8765_8081UL), (Opcode.Zxt1, 0x81UL),
        })
        {
            Assert.True(bench.Run(new Instruction { Opcode = opcode, R1 = 8, R3 = 9 }));
            Assert.Equal(expected, bench.Gr(8));
        }
    }

    // r9 is the pattern, r10 its mirror image.
    private static ulong Run(Instruction instruction)
    {
        using var bench = new HandlerBench();
        bench.SetGr(9, Pattern);
        bench.SetGr(10, 0x0123_4567_89ab_cdef);
        Assert.True(bench.Run(instruction));
        return bench.Gr(8);
    }
}
