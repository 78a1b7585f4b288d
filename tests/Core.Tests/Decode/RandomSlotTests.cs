using System.Buffers.Binary;
using FastXen.Core.Decode;

namespace FastXen.Core.Tests.Decode;

/// <summary>Random slots: what objdump knows, we print the same; what it does not know, we do not either.</summary>
public unsafe class RandomSlotTests
{
    private const int Bundles = 100_000;
    private const ulong Address = 0x1000_0000;

    [ToolFact(Binutils.Dumper)]
    public void EveryRandomSlotReadsAsObjdumpReadsIt()
    {
        var random = new Random(64);
        byte[] bytes = new byte[Bundles * 16];
        random.NextBytes(bytes);
        for (int n = 0; n < Bundles; n++)
        {
            Sharpen(bytes.AsSpan(n * 16, 16), random);
        }

        List<string> expected = Binutils.Disassemble(bytes, Address);
        var differences = new List<string>();
        Instruction* three = stackalloc Instruction[3];
        int line = 0;
        for (int n = 0; n < Bundles; n++)
        {
            ulong low = BinaryPrimitives.ReadUInt64LittleEndian(bytes.AsSpan(n * 16));
            ulong high = BinaryPrimitives.ReadUInt64LittleEndian(bytes.AsSpan(n * 16 + 8));
            Decoder.DecodeBundle(low, high, three);
            string[] ours = Disassembler.FormatBundle(low, high, Address + (ulong)n * 16);
            for (int slot = 0; slot < ours.Length; slot++, line++)
            {
                if (ours[slot] != expected[line] && !IsIntended(in three[slot], expected[line]))
                {
                    differences.Add($"{low:x16} {high:x16} slot {slot}: '{ours[slot]}', objdump '{expected[line]}'");
                }
            }
        }

        Assert.Equal(expected.Count, line);
        Assert.True(differences.Count == 0, $"{differences.Count} differences:\n{string.Join('\n', differences.Take(60))}");
    }

    // Random bits seldom reach rare encodings: half of the bundles have long runs of zeroes in their opcode fields.
    private static void Sharpen(Span<byte> bundle, Random random)
    {
        UInt128 bits = BinaryPrimitives.ReadUInt128LittleEndian(bundle);
        for (int slot = 0; slot < 3; slot++)
        {
            UInt128 opcode = random.Next(4) switch
            {
                0 => 0x01E0_0000_0000UL | (ulong)random.NextInt64() & 0x1F_FFFF_FFFF, // major opcode as it is, other bits thinned out
                1 => ~(0x7UL << 33),
                2 => ~(0x1FUL << 28),
                _ => ~0UL,
            };
            bits &= ~((UInt128)0x1FF_FFFF_FFFFUL << (5 + 41 * slot)) | opcode << (5 + 41 * slot);
        }

        BinaryPrimitives.WriteUInt128LittleEndian(bundle, bits);
    }

    private static bool IsIntended(in Instruction i, string theirs)
    {
        // Access to model-specific registers through mov msr[]: first Itanium only, not in the manual, an Illegal Operation for us.
        if (i.Opcode == Opcode.Illegal)
        {
            return theirs.Contains("msr[", StringComparison.Ordinal);
        }

        if (!theirs.Contains("data8", StringComparison.Ordinal))
        {
            return false;
        }

        // Unassigned values of a hint: the manual has them execute as if there were none, objdump does not know them.
        return HasUnassignedHint(in i);
    }

    private static bool HasUnassignedHint(in Instruction i)
    {
        int hint = i.Hints;
        foreach (var row in InstructionTable.RowsOf(i.Opcode))
        {
            if (row.Completers == i.Completers && row.Spelling == Spelling.Canonical)
            {
                return row.Suffix switch
                {
                    Suffix.LoadUpdateHint => (hint & 3) == 2,
                    Suffix.StoreUpdateHint => (hint & 3) is 1 or 2,
                    Suffix.BranchIndirectCall => (hint & 1) == 0,
                    Suffix.PredictIndirect => (hint & 1) == 1,
                    Suffix.MoveToBr => (hint & 3) == 3,
                    Suffix.None => i.Opcode == Opcode.HintM,
                    _ => false,
                };
            }
        }

        return false;
    }
}
