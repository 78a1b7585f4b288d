using FastXen.Core.Decode;

namespace FastXen.Core.Tests.Decode;

public unsafe class DecoderTests
{
    [Fact]
    public void InstructionIs32Bytes() => Assert.Equal(32, sizeof(Instruction));

    [Fact]
    public void EveryOpcodeIsInTheTable()
        => Assert.DoesNotContain(Enum.GetValues<Opcode>(), opcode => opcode != Opcode.LongSecondSlot && InstructionTable.RowsOf(opcode).IsEmpty);

    [Fact]
    public void FormsOfAnOpcodeHaveTheSameFacts()
    {
        foreach (var row in InstructionTable.Rows)
        {
            // Other spellings carry no facts of their own; the unassigned opcodes that always fault are Illegal's special ones.
            if (row.Spelling == Spelling.Canonical)
            {
                Assert.True(row.Facts == InstructionTable.FactsOf(row.Opcode), $"{row.Opcode}");
            }
        }
    }

    [Fact]
    public void EveryRowIsReachedByItsOwnEncoding()
    {
        var random = new Random(41);
        foreach (var row in InstructionTable.Rows)
        {
            Assert.Equal(row.Encoding.Value, row.Encoding.Value & row.Encoding.Mask);
            if (row.Opcode <= Opcode.Ignored || row.Spelling != Spelling.Canonical)
            {
                continue;
            }

            for (int n = 0; n < 100; n++)
            {
                ulong free = (ulong)random.NextInt64() & ((1UL << 41) - 1) & ~row.Encoding.Mask;
                if (row.Opcode == Opcode.HintM)
                {
                    free &= ~0xC00UL; // bits 11:10 tell the moves to a data access hint register
                }

                Instruction i = DecodeSlot(row.Encoding.Value | free, row.Encoding.Format[0]);
                Assert.True(i.Opcode == row.Opcode && i.Completers == row.Completers, $"{row.Mnemonic} {row.Syntax} became {i.Opcode}");
            }
        }
    }

    [Fact]
    public void ReservedTemplatesAreIllegalWhateverTheSlotsSay()
    {
        Instruction* three = stackalloc Instruction[3];
        foreach (ulong template in new ulong[] { 0x06, 0x07, 0x14, 0x15, 0x1A, 0x1B, 0x1E, 0x1F })
        {
            Decoder.DecodeBundle(template | 0x10000_8020UL << 5, ~0UL, three);
            for (int slot = 0; slot < 3; slot++)
            {
                Assert.Equal(Opcode.Illegal, three[slot].Opcode);
                Assert.Equal(0, three[slot].Qp);
                Assert.Equal(slot, three[slot].Placement & 3);
            }
        }
    }

    [Theory]
    [InlineData(0x00, "", "", "")]
    [InlineData(0x01, "", "", ";;")]
    [InlineData(0x02, "", ";;", "")]
    [InlineData(0x03, "", ";;", ";;")]
    [InlineData(0x0A, ";;", "", "")]
    [InlineData(0x0B, ";;", "", ";;")]
    public void StopsAreWhereTheTemplateSays(int template, params string[] stops)
    {
        for (int slot = 0; slot < 3; slot++)
        {
            Assert.Equal(stops[slot] != "", Template.StopsAfter(template, slot));
        }
    }

    [Fact]
    public void LongInstructionFillsSlot1AndLeavesANoOpInSlot2()
    {
        // nop.m 0; movl r1=0x8123456789abcdef;;
        Instruction* three = stackalloc Instruction[3];
        ulong l = 0x8123456789ABCDEFUL >> 22 & 0x1FFFFFFFFFF;
        ulong x = 6UL << 37 | 1UL << 36 | (0xCDEFUL >> 7 & 0x1FF) << 27 | (0xABCDEFUL >> 16 & 0x1F) << 22 | (0x89ABCDEFUL >> 21 & 1) << 21
            | 0x6FUL << 13 | 1 << 6;
        Decoder.DecodeBundle(5 | 0x8000000UL << 5 | l << 46, l >> 18 | x << 23, three);
        Assert.Equal(Opcode.NopM, three[0].Opcode);
        Assert.Equal(Opcode.Movl, three[1].Opcode);
        Assert.Equal(0x8123456789ABCDEFUL, three[1].Immediate);
        Assert.Equal(1, three[1].R1);
        Assert.Equal(5 << 3 | 4 | 1, three[1].Placement);
        Assert.Equal(Opcode.LongSecondSlot, three[2].Opcode);
        Assert.Equal(5 << 3 | 4 | 2, three[2].Placement);
    }

    [Theory]
    [InlineData(0x18000001005UL, 'A', Opcode.CmpLtUnc, 0)] // acts when false: it clears both targets
    [InlineData(0x18000000005UL, 'A', Opcode.CmpLt, 5)]
    [InlineData(0x02C00000005UL, 'M', Opcode.Alloc, 0)] // has no qualifying predicate
    [InlineData(0x080000000C5UL, 'B', Opcode.BrWtop, 0)]
    [InlineData(0x08000000145UL, 'B', Opcode.BrCloop, 0)]
    [InlineData(0x00200000005UL, 'F', Opcode.Frcpa, 0)]
    public void InstructionsThatActWithoutTheirPredicateHaveQpZero(ulong bits, char format, Opcode opcode, int qp)
    {
        Instruction i = DecodeSlot(bits, format);
        Assert.Equal(opcode, i.Opcode);
        Assert.Equal(qp, i.Qp);
        Assert.Equal(5, i.QpField);
    }

    [Theory]
    [InlineData(0x02000000005UL | 7UL << 33, 'M', Opcode.Illegal, 5)] // major opcode 1, x3 7: only if PR[qp] is 1
    [InlineData(0x1E000000005UL, 'I', Opcode.Illegal, 5)] // major opcode 15
    [InlineData(0x00018000005UL, 'B', Opcode.Illegal, 5)] // x6 3
    [InlineData(0x00110000005UL, 'B', Opcode.Illegal, 0)] // x6 0x22: always
    [InlineData(0x00100000085UL, 'B', Opcode.Illegal, 0)] // x6 0x20 with btype 2
    [InlineData(0x08000000045UL, 'B', Opcode.Illegal, 0)] // major opcode 4 with btype 1
    [InlineData(0x10000000005UL, 'B', Opcode.Illegal, 0)] // major opcode 8
    [InlineData(0x00008000005UL, 'B', Opcode.Ignored, 5)] // x6 1
    [InlineData(0x06000000005UL, 'B', Opcode.Ignored, 5)] // major opcode 3
    [InlineData(0x04010000005UL, 'B', Opcode.Ignored, 5)] // major opcode 2 with x6 2
    public void UnassignedOpcodesFaultOrNotAsTheirKindSays(ulong bits, char format, Opcode opcode, int qp)
    {
        Instruction i = DecodeSlot(bits, format);
        Assert.Equal(opcode, i.Opcode);
        Assert.Equal(qp, i.Qp);
        Assert.Equal(bits, i.Immediate);
    }

    [Fact]
    public void AMillionRandomBundlesDecodeAndPrint()
    {
        var random = new Random(1_000_000);
        Instruction* three = stackalloc Instruction[3];
        long characters = 0;
        for (int n = 0; n < 1_000_000; n++)
        {
            ulong low = (ulong)random.NextInt64(long.MinValue, long.MaxValue), high = (ulong)random.NextInt64(long.MinValue, long.MaxValue);
            Decoder.DecodeBundle(low, high, three);
            for (int slot = 0; slot < 3; slot++)
            {
                Assert.True(three[slot].Opcode <= Opcode.HintX);
                Assert.Equal(slot, three[slot].Placement & 3);
                characters += n % 16 == 0 ? Disassembler.Format(in three[slot], low).Length : 0;
            }
        }

        Assert.True(characters > 1_000_000);
    }

    private static Instruction DecodeSlot(ulong bits, char format)
    {
        // The slot that holds the unit: MFB slot 0 to 2, MII slot 1, MLX slot 2 (which is decoded into slot 1).
        var (template, slot, at) = format switch
        {
            'A' or 'M' => (0x1CUL, 0, 0),
            'F' => (0x1CUL, 1, 1),
            'B' => (0x1CUL, 2, 2),
            'I' => (0x00UL, 1, 1),
            _ => (0x04UL, 2, 1),
        };
        UInt128 bundle = template | (UInt128)bits << (5 + 41 * slot);
        Instruction* three = stackalloc Instruction[3];
        Decoder.DecodeBundle((ulong)bundle, (ulong)(bundle >> 64), three);
        return three[at];
    }
}
