using FastXen.Core.Decode;
using FastXen.Core.Interpret;

namespace FastXen.Core.Tests.Interpret;

public unsafe class IntegerTests
{
    [Theory]
    [InlineData(Opcode.Addp4, 0UL, 0x6000_0000_0000_0003UL)]
    [InlineData(Opcode.Shladdp4, 0UL, 0x6000_0000_0000_0002UL)]
    public void Pointers_of_32_bits_get_their_region_from_the_base(Opcode opcode, ulong immediate, ulong expected)
    {
        using var bench = new HandlerBench();
        bench.SetGr(9, 0xffff_ffff_4000_0003);
        bench.SetGr(10, 0x1234_5678_c000_0000);
        Assert.True(bench.Run(new Instruction { Opcode = opcode, R1 = 8, R2 = 9, R3 = 10, Immediate = immediate, Position = 1 }));
        ulong sum = opcode == Opcode.Addp4 ? 0x0000_0003UL : 0x4000_0006UL;
        Assert.Equal(expected & 0x6000_0000_0000_0000 | sum, bench.Gr(8));
    }

    [Fact]
    public void Immediates_come_first()
    {
        using var bench = new HandlerBench();
        bench.SetGr(9, 0xf0);
        Assert.True(bench.Run(new Instruction { Opcode = Opcode.SubImmediate, R1 = 8, R3 = 9, Immediate = 1 }));
        Assert.Equal(unchecked((ulong)(1 - 0xf0)), bench.Gr(8));
        Assert.True(bench.Run(new Instruction { Opcode = Opcode.AndcmImmediate, R1 = 8, R3 = 9, Immediate = ulong.MaxValue }));
        Assert.Equal(0xffff_ffff_ffff_ff0fUL, bench.Gr(8));
    }

    [Theory]
    [InlineData(Opcode.Add)]
    [InlineData(Opcode.Padd2Sss)]
    [InlineData(Opcode.Shl)]
    [InlineData(Opcode.Dep)]
    [InlineData(Opcode.Xor)]
    public void A_nat_in_either_source_makes_the_result_nat_and_a_clean_result_clears_it(Opcode opcode)
    {
        using var bench = new HandlerBench();
        var instruction = new Instruction { Opcode = opcode, R1 = 8, R2 = 9, R3 = 10, Length = 8 };
        foreach ((bool nat9, bool nat10) in new[] { (true, false), (false, false), (false, true), (false, false) })
        {
            bench.SetGr(9, 1, nat9);
            bench.SetGr(10, 2, nat10);
            Assert.True(bench.Run(instruction));
            Assert.Equal(nat9 || nat10 ? 1u : 0u, bench.Nat(8));
        }
    }

    [Fact]
    public void Predicates_move_by_their_physical_names()
    {
        using var bench = new HandlerBench();
        // rrb.pr = 2: the physical p18 goes by the name p16.
        bench.State->Cfm = 2UL << 32;
        bench.State->Pr = 1 | 1 << 16 | 1 << 3;
        Assert.True(bench.Run(new Instruction { Opcode = Opcode.MovFromPr, R1 = 8 }));
        Assert.Equal(1UL | 1 << 18 | 1 << 3, bench.Gr(8));

        // Under a mask of p1-p5 and the rotating ones; the physical p16 goes by the name p62.
        bench.SetGr(9, 1UL << 16 | 1 << 5 | 1 << 9);
        Assert.True(bench.Run(new Instruction { Opcode = Opcode.MovToPr, R2 = 9, Immediate = 0xffff_ffff_ffff_003e }));
        Assert.Equal(1UL | 1UL << 62 | 1 << 5, bench.Pr);

        Assert.True(bench.Run(new Instruction { Opcode = Opcode.MovToPrRotImmediate, Immediate = 1UL << 63 }));
        Assert.Equal(1UL | 1UL << 61 | 1 << 5, bench.Pr);
    }

    [Fact]
    public void Every_operation_of_the_a_and_i_units_has_a_handler()
    {
        for (Opcode opcode = Opcode.Add; opcode <= Opcode.Czx2R; opcode++)
            Assert.True(Interpreter.HandlerOf(opcode) != null, opcode.ToString());
    }
}
