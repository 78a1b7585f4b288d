using System.Text.RegularExpressions;
using FastXen.Core.Decode;
using StringBuilder = System.Text.StringBuilder;

namespace FastXen.Core.Tests.Decode;

/// <summary>Every form of every instruction with every completer, made from the table, as source for the GNU assembler.</summary>
internal static unsafe partial class Forms
{
    private const int SamplesOfARow = 3;

    /// <summary>A bundle of the source: the instruction that it is made for, in which slot.</summary>
    public readonly record struct Form(string Source, ulong Bits, char Format, int Slot);

    public static List<Form> All()
    {
        var forms = new List<Form>();
        var rows = InstructionTable.Rows;
        for (int n = 0; n < rows.Length; n++)
        {
            if (rows[n].Opcode > Opcode.Ignored)
            {
                forms.AddRange(FormsOf(rows[n], new Random(n)));
            }
        }

        return forms;
    }

    public static Instruction Decode(ulong bits, char format, int slot)
    {
        ulong template = format switch { 'F' => 0x0DUL, 'B' => 0x17, 'X' => 0x05, 'I' => 0x01, _ => slot == 0 ? 0x09UL : 0x01 };
        UInt128 bundle = template | (UInt128)bits << (5 + 41 * (format == 'X' ? 2 : slot));
        Instruction* three = stackalloc Instruction[3];
        Decoder.DecodeBundle((ulong)bundle, (ulong)(bundle >> 64), three);
        return three[slot];
    }

    private static IEnumerable<Form> FormsOf(InstructionRow row, Random random)
    {
        var completers = SuffixValues(row.Suffix).ToArray();
        int samples = 0;
        for (int round = 0; samples < SamplesOfARow && round < SamplesOfARow; round++)
        {
            foreach (ulong completer in completers)
            {
                char format = row.Encoding.Format[0];
                int slot = format switch { 'M' => 0, 'A' => samples & 1, 'B' => 2, _ => 1 };
                if (Sample(row, completer, format, slot, random) is { } bits)
                {
                    samples++;
                    yield return new Form(Bundle(Source(bits, format, slot), format, slot), bits, format, slot);
                }
            }
        }
    }

    // Random operands until they are ones that the assembler takes; null where the completer is unassigned.
    private static ulong? Sample(InstructionRow row, ulong completer, char format, int slot, Random random)
    {
        ulong fixedBits = row.Encoding.Mask | SuffixMask(row.Suffix);
        if ((row.Facts & InstructionFacts.Unpredicated) != 0)
        {
            fixedBits |= 0x3F;
        }

        for (int tries = 0; tries < 100_000; tries++)
        {
            ulong free = (ulong)random.NextInt64() & ((1UL << 41) - 1) & ~fixedBits;
            ulong bits = Shape(row, row.Encoding.Value | completer | free, random);
            Instruction i = Decode(bits, format, slot);
            if (!SuffixFields.Write(new StringBuilder(), in i, row.Suffix))
            {
                return null;
            }

            if (i.Opcode == row.Opcode && IsAssembled(row, in i))
            {
                return bits;
            }
        }

        throw new InvalidOperationException($"No operands for {row.Mnemonic} {row.Syntax}");
    }

    // Makes rare things frequent: the conditions of other spellings, register numbers that exist.
    private static ulong Shape(InstructionRow row, ulong bits, Random random)
    {
        static ulong Set(ulong bits, int low, int length, ulong value) => (bits & ~(((1UL << length) - 1) << low)) | value << low;
        static ulong Get(ulong bits, int low, int length) => bits >> low & ((1UL << length) - 1);

        if (row.Operands.Contains(Operand.Ar3))
        {
            ReadOnlySpan<byte> numbers = row.Encoding.Format[0] == 'I'
                ? [64, 65, 66]
                : [0, 7, 16, 17, 18, 19, 21, 24, 25, 26, 27, 28, 29, 30, 32, 36, 40, 44, 45];
            bits = Set(bits, 20, 7, numbers[random.Next(numbers.Length)]);
        }

        if (row.Operands.Contains(Operand.Cr3))
        {
            ReadOnlySpan<byte> numbers = [0, 1, 2, 8, 16, 17, 19, 20, 21, 22, 23, 24, 25, 26, 27, 64, 65, 66, 67, 68, 69, 70, 71, 72, 73, 74, 80, 81];
            bits = Set(bits, 20, 7, numbers[random.Next(numbers.Length)]);
        }

        return row.Spelling switch
        {
            Spelling.ImmediateZero => Set(Set(Set(bits, 36, 1, 0), 27, 6, 0), 13, 7, 0),
            Spelling.R3Zero => Set(bits, 20, 2, 0),
            Spelling.Shift when row.Opcode == Opcode.DepZ => Set(bits, 27, 6, Get(bits, 20, 6)),
            Spelling.Shift => Set(bits, 27, 6, 63 - Get(bits, 14, 6)),
            Spelling.PlainBranch => Set(Set(bits, 0, 6, 0), 33, 2, 0),
            Spelling.PlainMove => Set(Set(bits, 20, 4, 1), 24, 9, 0),
            Spelling.F2EqualsF3 => Set(bits, 13, 7, Get(bits, 20, 7)),
            Spelling.F2Zero => Set(bits, 13, 7, 0),
            Spelling.F4One => Set(bits, 27, 7, 1),
            Spelling.F2ZeroF4One => Set(Set(bits, 13, 7, 0), 27, 7, 1),
            _ when row.Opcode == Opcode.MovToBr && Get(bits, 20, 4) == 1 => Set(bits, 24, 9, 0), // printed without its tag
            _ when row.Opcode == Opcode.HintM => Set(bits, 10, 2, 0),
            _ => bits,
        };
    }

    // What the assembler rejects or warns of is left out.
    private static bool IsAssembled(InstructionRow row, in Instruction i)
    {
        bool Has(Operand operand) => row.Operands.Contains(operand);
        bool updates = (i.Completers & (Completers.UpdateImmediate | Completers.UpdateRegister)) != 0;
        return (!Has(Operand.R1) || i.R1 != 0)
            && (!Has(Operand.F1) || i.R1 > 1)
            && (!Has(Operand.P1) || !Has(Operand.P2) || i.P1 != i.P2)
            && (!updates || (i.R3 != 0 && i.R1 != i.R3 && i.R2 != i.R3))
            && (row.Encoding.Format is not ("M11" or "M12") || (i.R2 > 1 && ((i.R1 ^ i.R2) & 1) != 0 && i.R1 / 32 == 0 == (i.R2 / 32 == 0)))
            && (!(Has(Operand.Length6) || Has(Operand.Length4)) || i.Position + i.Length <= 64)
            && (!Has(Operand.Count2Multimedia) || i.Position <= 3)
            && (!Has(Operand.FclassMask) || (i.Immediate & 3) != 0) // the assembler adds both signs where neither is there
            && (!Has(Operand.MuxBytes) || i.Selector is 0 or 8 or 9 or 10 or 11)
            && (i.Opcode != Opcode.Alloc || (i.Position <= 96 && i.Length <= i.Position && i.Selector <= i.Position));
    }

    private static string Source(ulong bits, char format, int slot)
    {
        Instruction i = Decode(bits, format, slot);
        string text = Disassembler.Format(in i, 0);
        if (i.Opcode == Opcode.Alloc)
        {
            // objdump prints sof, sol, sor; the assembler takes inputs, locals, outputs, rotating.
            text = $"alloc r{i.R1}=ar.pfs,0,{i.Length},{i.Position - i.Length},{i.Selector}";
        }

        if (InstructionTable.RowsOf(i.Opcode)[^1].Operands.Any(operand => operand is >= Operand.TargetBranch and <= Operand.TagMove))
        {
            // Relative to the label before the bundle: "." may be the address of the slot.
            text = Target().Replace(text, "1b+$0");
        }

        bool predicated = i.QpField != 0 && (InstructionTable.FactsOf(i.Opcode) & InstructionFacts.Unpredicated) == 0;
        return predicated ? $"(p{i.QpField}) {text}" : text;
    }

    private static string Bundle(string instruction, char format, int slot) => (format, slot) switch
    {
        ('F', _) => $"1: {{ .mfi\n nop.m 0\n {instruction}\n nop.i 0 ;;\n}}\n",
        ('B', _) => $"1: {{ .bbb\n nop.b 0\n nop.b 0\n {instruction} ;;\n}}\n",
        ('X', _) => $"1: {{ .mlx\n nop.m 0\n {instruction} ;;\n}}\n",
        (_, 0) => $"1: {{ .mmi\n {instruction}\n nop.m 0\n nop.i 0 ;;\n}}\n",
        _ => $"1: {{ .mii\n nop.m 0\n {instruction}\n nop.i 0 ;;\n}}\n",
    };

    private static (int Low, int Length)[] SuffixBits(Suffix suffix) => suffix switch
    {
        Suffix.None => [],
        Suffix.StatusField => [(34, 2)],
        Suffix.LoadHint => [(28, 2), (19, 1)],
        Suffix.StoreHint or Suffix.LineHint => [(28, 2), (12, 1)],
        Suffix.LoadUpdateHint or Suffix.StoreUpdateHint => [(28, 2)],
        Suffix.Branch => [(33, 2), (12, 1), (35, 1)],
        Suffix.BranchPlain => [(12, 1), (35, 1)],
        Suffix.BranchIndirectCall => [(32, 3), (12, 1), (35, 1)],
        Suffix.Predict or Suffix.PredictIndirect => [(3, 2), (35, 1)],
        Suffix.MoveToBr => [(20, 4)],
        _ => throw new ArgumentOutOfRangeException(nameof(suffix)),
    };

    private static ulong SuffixMask(Suffix suffix)
        => SuffixBits(suffix).Aggregate(0UL, (mask, field) => mask | ((1UL << field.Length) - 1) << field.Low);

    private static IEnumerable<ulong> SuffixValues(Suffix suffix)
    {
        IEnumerable<ulong> values = [0UL];
        foreach (var (low, length) in SuffixBits(suffix))
        {
            values = [.. from value in values from field in Enumerable.Range(0, 1 << length) select value | (ulong)field << low];
        }

        return values;
    }

    [GeneratedRegex("0x[0-9a-f]+")]
    private static partial Regex Target();
}
