using System.Text;

namespace FastXen.Core.Decode;

/// <summary>Writes instructions as GNU objdump -d does.</summary>
public static unsafe class Disassembler
{
    private static ReadOnlySpan<byte> TemplateNames => "MIIMIIMLX-3-MMIMMIMFIMMFMIBMBB-a-BBBMMB-d-MFB-f-"u8;

    /// <summary>
    /// Mnemonic, completers and operands of an instruction whose bundle is at <paramref name="address"/>.
    /// The predicate and the stop are the bundle's (<see cref="FormatBundle"/>).
    /// </summary>
    public static string Format(in Instruction instruction, ulong address)
    {
        var text = new StringBuilder();
        Write(text, in instruction, address);
        return text.ToString();
    }

    /// <summary>
    /// The three lines of a bundle (two for a long instruction) as objdump prints them after the bytes:
    /// the template's name, the predicate, the instruction, the stop.
    /// </summary>
    public static string[] FormatBundle(ulong low, ulong high, ulong address)
    {
        Instruction* three = stackalloc Instruction[3];
        Decoder.DecodeBundle(low, high, three);
        int template = (int)low & 31;
        var lines = new string[Template.IsLong(template) ? 2 : 3];
        var text = new StringBuilder();
        for (int slot = 0; slot < lines.Length; slot++)
        {
            ref readonly Instruction i = ref three[slot];
            text.Clear();
            text.Append(slot == 0 ? $"[{System.Text.Encoding.ASCII.GetString(TemplateNames.Slice((template >> 1) * 3, 3))}] " : "      ");
            bool known = i.Opcode > Opcode.Ignored;
            bool predicated = known && i.QpField != 0 && (InstructionTable.FactsOf(i.Opcode) & InstructionFacts.Unpredicated) == 0;
            text.Append(predicated ? $"(p{i.QpField:00}) " : "      ");
            Write(text, in i, address);
            text.Append(known && (i.Placement & 4) != 0 ? ";;" : "");
            lines[slot] = text.ToString();
        }

        return lines;
    }

    private static void Write(StringBuilder text, in Instruction i, ulong address)
    {
        if (i.Opcode <= Opcode.Ignored)
        {
            // objdump's %#011llx: zero has no prefix.
            text.Append("data8 ").Append(i.Immediate == 0 ? "00000000000" : $"0x{i.Immediate:x9}");
            return;
        }

        if (i.Opcode == Opcode.LongSecondSlot)
        {
            return;
        }

        InstructionRow row = Find(in i);
        text.Append(row.Mnemonic);
        SuffixFields.Write(text, in i, row.Suffix);
        for (int n = 0; n < row.Operands.Length; n++)
        {
            text.Append(n == 0 ? ' ' : n == row.Outputs ? '=' : ',');
            OperandText.Write(text, in i, row.Operands[n], address);
        }
    }

    private static InstructionRow Find(in Instruction i)
    {
        foreach (var row in InstructionTable.RowsOf(i.Opcode))
        {
            if (row.Completers == i.Completers && Applies(row.Spelling, in i))
            {
                return row;
            }
        }

        throw new InvalidOperationException($"{i.Opcode} with {i.Completers} is not in the table");
    }

    private static bool Applies(Spelling spelling, in Instruction i) => spelling switch
    {
        Spelling.ImmediateZero => i.Immediate == 0,
        Spelling.R3Zero => i.R3 == 0,
        Spelling.Shift => i.Length == 64 - i.Position,
        Spelling.PlainBranch => i.QpField == 0 && (i.Hints & 7) == 0,
        Spelling.PlainMove => i.Hints == 1,
        Spelling.F2EqualsF3 => i.R2 == i.R3,
        Spelling.F2Zero => i.R2 == 0,
        Spelling.F4One => i.R4 == 1,
        Spelling.F2ZeroF4One => i.R2 == 0 && i.R4 == 1,
        _ => true,
    };
}
