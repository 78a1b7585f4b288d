using FastXen.Core.Decode;

namespace FastXen.Core.Tests.Interpret;

/// <summary>Comparison types against the tables of SDM vol 1, 4.3.3, and the relations at the limits of their widths.</summary>
public class CompareTests
{
    // Targets p6 and p7, both 1 and 0 before; what a type leaves of "10" and of "01".
    [Theory]
    [InlineData(Opcode.CmpEq, true, false, "10")]
    [InlineData(Opcode.CmpEq, false, false, "01")]
    [InlineData(Opcode.CmpEq, true, true, "00")]
    [InlineData(Opcode.CmpEqUnc, true, false, "10")]
    [InlineData(Opcode.CmpEqUnc, false, false, "01")]
    [InlineData(Opcode.CmpEqUnc, false, true, "00")]
    [InlineData(Opcode.CmpEqAnd, true, false, null)]
    [InlineData(Opcode.CmpEqAnd, false, false, "00")]
    [InlineData(Opcode.CmpEqAnd, true, true, "00")]
    [InlineData(Opcode.CmpNeAnd, true, false, "00")]
    [InlineData(Opcode.CmpNeAnd, false, false, null)]
    [InlineData(Opcode.CmpNeAnd, false, true, "00")]
    [InlineData(Opcode.CmpEqOr, true, false, "11")]
    [InlineData(Opcode.CmpEqOr, false, false, null)]
    [InlineData(Opcode.CmpEqOr, true, true, null)]
    [InlineData(Opcode.CmpNeOr, false, false, "11")]
    [InlineData(Opcode.CmpNeOr, false, true, null)]
    [InlineData(Opcode.CmpEqOrAndcm, true, false, "10")]
    [InlineData(Opcode.CmpEqOrAndcm, false, false, null)]
    [InlineData(Opcode.CmpEqOrAndcm, true, true, null)]
    [InlineData(Opcode.CmpNeOrAndcm, false, false, "10")]
    [InlineData(Opcode.Cmp4EqUnc, true, true, "00")]
    [InlineData(Opcode.Cmp4EqAnd, false, false, "00")]
    [InlineData(Opcode.Cmp4NeOr, true, true, null)]
    public void Types(Opcode opcode, bool equal, bool nat, string? expected)
    {
        foreach (string before in (string[])["10", "01", "11", "00"])
        {
            using var bench = new HandlerBench();
            bench.Pr = Targets(before);
            bench.SetGr(8, 5);
            bench.SetGr(9, equal ? 5u : 6u, nat);
            Assert.True(bench.Run(new Instruction { Opcode = opcode, R2 = 8, R3 = 9, P1 = 6, P2 = 7 }));
            Assert.Equal(Targets(expected ?? before), bench.Pr);
        }
    }

    [Theory]
    [InlineData(Opcode.CmpEqUnc)]
    [InlineData(Opcode.TbitZUnc)]
    [InlineData(Opcode.TnatZUnc)]
    [InlineData(Opcode.TfZUnc)]
    public void Unc_clears_both_targets_when_its_predicate_is_false(Opcode opcode)
    {
        using var bench = new HandlerBench();
        bench.Pr = Targets("11");
        Assert.True(bench.Run(new Instruction { Opcode = opcode, QpField = 10, P1 = 6, P2 = 7, Position = 40 }));
        Assert.Equal(1UL, bench.Pr);
        bench.Pr = 1 << 10;
        Assert.True(bench.Run(new Instruction { Opcode = opcode, QpField = 10, P1 = 6, P2 = 7, Position = 40 }));
        Assert.Equal(Targets("10") | 1 << 10, bench.Pr);
    }

    [Fact]
    public void P0_stays_one_as_a_target()
    {
        using var bench = new HandlerBench();
        Assert.True(bench.Run(new Instruction { Opcode = Opcode.CmpNeAnd, P1 = 0, P2 = 7 }));
        Assert.Equal(1UL, bench.Pr);
        Assert.True(bench.Run(new Instruction { Opcode = Opcode.CmpEq, P1 = 6, P2 = 0 }));
        Assert.Equal(Targets("10"), bench.Pr);
    }

    [Theory]
    [InlineData(Opcode.CmpLt, 0x8000_0000_0000_0000UL, 0x7fff_ffff_ffff_ffffUL, true)]
    [InlineData(Opcode.CmpLtu, 0x8000_0000_0000_0000UL, 0x7fff_ffff_ffff_ffffUL, false)]
    [InlineData(Opcode.CmpLt, 1UL, 1UL, false)]
    [InlineData(Opcode.Cmp4Lt, 0x7fff_ffff_8000_0000UL, 0x8000_0000_7fff_ffffUL, true)]
    [InlineData(Opcode.Cmp4Ltu, 0x8000_0000UL, 0x7fff_ffffUL, false)]
    [InlineData(Opcode.Cmp4Ltu, 0xffff_ffff_0000_0000UL, 1UL, true)]
    [InlineData(Opcode.Cmp4Eq, 0x1_0000_0005UL, 0x2_0000_0005UL, true)]
    [InlineData(Opcode.CmpEq, 0x1_0000_0005UL, 0x2_0000_0005UL, false)]
    public void Relations(Opcode opcode, ulong a, ulong b, bool holds)
    {
        using var bench = new HandlerBench();
        bench.SetGr(8, a);
        bench.SetGr(9, b);
        Assert.True(bench.Run(new Instruction { Opcode = opcode, R2 = 8, R3 = 9, P1 = 6, P2 = 7 }));
        Assert.Equal(Targets(holds ? "10" : "01"), bench.Pr);
    }

    [Theory]
    // "0 relation r3" with r3 = -1, 0, 1.
    [InlineData(Opcode.CmpGtZeroOr, true, false, false)]
    [InlineData(Opcode.CmpGeZeroOr, true, true, false)]
    [InlineData(Opcode.CmpLeZeroOr, false, true, true)]
    [InlineData(Opcode.CmpLtZeroOr, false, false, true)]
    [InlineData(Opcode.Cmp4GtZeroOr, true, false, false)]
    [InlineData(Opcode.Cmp4GeZeroOr, true, true, false)]
    [InlineData(Opcode.Cmp4LeZeroOr, false, true, true)]
    [InlineData(Opcode.Cmp4LtZeroOr, false, false, true)]
    public void Relations_to_zero(Opcode opcode, bool minusOne, bool zero, bool one)
    {
        using var bench = new HandlerBench();
        foreach ((ulong value, bool holds) in new[] { (ulong.MaxValue, minusOne), (0UL, zero), (1UL, one) })
        {
            bench.Pr = 1;
            bench.SetGr(9, value);
            Assert.True(bench.Run(new Instruction { Opcode = opcode, R3 = 9, P1 = 6, P2 = 7 }));
            Assert.Equal(Targets(holds ? "11" : "00"), bench.Pr);
        }
    }

    [Fact]
    public void The_immediate_is_the_first_operand()
    {
        using var bench = new HandlerBench();
        bench.SetGr(9, 0);
        Assert.True(bench.Run(new Instruction { Opcode = Opcode.CmpLtImmediate, Immediate = ulong.MaxValue, R3 = 9, P1 = 6, P2 = 7 }));
        Assert.Equal(Targets("10"), bench.Pr);
        Assert.True(bench.Run(new Instruction { Opcode = Opcode.CmpLtuImmediate, Immediate = ulong.MaxValue, R3 = 9, P1 = 6, P2 = 7 }));
        Assert.Equal(Targets("01"), bench.Pr);
    }

    [Fact]
    public void Tbit_of_a_nat_clears_and_tnat_tests_it()
    {
        using var bench = new HandlerBench();
        bench.SetGr(9, 1UL << 63, nat: true);
        bench.Pr = Targets("11");
        Assert.True(bench.Run(new Instruction { Opcode = Opcode.TbitZ, R3 = 9, Position = 63, P1 = 6, P2 = 7 }));
        Assert.Equal(Targets("00"), bench.Pr);
        Assert.True(bench.Run(new Instruction { Opcode = Opcode.TnatZ, R3 = 9, P1 = 6, P2 = 7 }));
        Assert.Equal(Targets("01"), bench.Pr);
        Assert.True(bench.Run(new Instruction { Opcode = Opcode.TnatNzOr, R3 = 9, P1 = 6, P2 = 7 }));
        Assert.Equal(Targets("11"), bench.Pr);
    }

    private static ulong Targets(string bits) => 1 | (bits[0] == '1' ? 1UL << 6 : 0) | (bits[1] == '1' ? 1UL << 7 : 0);
}
