namespace FastXen.Core.Decode;

/// <summary>Decodes bundles. A slot's unit and bits 40:27 lead to the few rows that may match; the rest is compared.</summary>
public static unsafe class Decoder
{
    private const int IndexShift = 27;
    private const int IndexSize = 1 << (41 - IndexShift);
    private const ulong SlotMask = (1UL << 41) - 1;

    // Candidates of all units lie in one array of row numbers; an index entry is the first one's position, a zero ends the list.
    private static readonly Matcher[] Matchers = BuildMatchers();
    private static readonly (ushort[] Index, ushort[] Candidates) Lookup = BuildIndex();
    private static readonly ushort[] Index = Lookup.Index;
    private static readonly ushort[] Candidates = Lookup.Candidates;

    /// <summary>
    /// Decodes the bundle of the two little-endian halves <paramref name="low"/> and <paramref name="high"/> into
    /// <paramref name="three"/> instructions. Never fails: unassigned encodings and templates become <see cref="Opcode.Illegal"/>.
    /// </summary>
    public static void DecodeBundle(ulong low, ulong high, Instruction* three)
    {
        int template = (int)low & 31;
        ulong slot0 = low >> 5 & SlotMask;
        ulong slot1 = (low >> 46 | high << 18) & SlotMask;
        ulong slot2 = high >> 23;
        DecodeSlot(template, 0, slot0, 0, out three[0]);
        if (Template.IsLong(template))
        {
            DecodeSlot(template, 1, slot2, slot1, out three[1]);
            three[2] = new Instruction { Opcode = Opcode.LongSecondSlot, Placement = Placement(template, 2) };
            three[1].Placement |= (byte)(three[2].Placement & StopBit);
        }
        else
        {
            DecodeSlot(template, 1, slot1, 0, out three[1]);
            DecodeSlot(template, 2, slot2, 0, out three[2]);
        }
    }

    private const byte StopBit = 4;

    private static byte Placement(int template, int slot)
        => (byte)(template << 3 | (Template.StopsAfter(template, slot) ? StopBit : 0) | slot);

    private static void DecodeSlot(int template, int slot, ulong bits, ulong longBits, out Instruction i)
    {
        i = new Instruction { Placement = Placement(template, slot) };
        Unit unit = Template.UnitOf(template, slot);
        if (unit == Unit.None)
        {
            i.Immediate = bits;
            return;
        }

        i.QpField = (byte)(bits & 63);
        i.Qp = i.QpField;
        if (unit == Unit.L)
        {
            unit = Unit.X;
        }

        int candidate = Index[(int)unit * IndexSize + (int)(bits >> IndexShift)];
        for (int number; (number = Candidates[candidate]) != 0; candidate++)
        {
            ref readonly Matcher matcher = ref Matchers[number];
            if ((bits & matcher.Mask) == matcher.Value)
            {
                Fill(ref i, in matcher, bits, longBits);
                return;
            }
        }

        i.Immediate = bits;
    }

    private static void Fill(ref Instruction i, in Matcher matcher, ulong bits, ulong longBits)
    {
        i.Opcode = matcher.Opcode;
        i.Completers = matcher.Completers;
        if (matcher.IgnoresQp)
        {
            i.Qp = 0;
        }

        if (matcher.Opcode <= Opcode.Ignored)
        {
            i.Immediate = bits;
            return;
        }

        Operand[] operands = matcher.Operands;
        for (int n = 0; n < operands.Length; n++)
        {
            OperandFields.Extract(ref i, operands[n], bits, longBits);
        }

        if (matcher.Suffix != Suffix.None)
        {
            SuffixFields.Extract(ref i, matcher.Suffix, bits);
        }
    }

    private static Matcher[] BuildMatchers()
    {
        var rows = InstructionTable.Rows;
        var matchers = new Matcher[rows.Length + 1];
        for (int n = 0; n < rows.Length; n++)
        {
            matchers[n + 1] = new Matcher(rows[n]);
        }

        return matchers;
    }

    private static (ushort[] Index, ushort[] Candidates) BuildIndex()
    {
        var lists = new List<ushort>?[((int)Unit.X + 1) * IndexSize];
        var rows = InstructionTable.Rows;
        for (int n = 0; n < rows.Length; n++)
        {
            if (rows[n].Spelling != Spelling.Canonical)
            {
                continue;
            }

            uint mask = (uint)(rows[n].Encoding.Mask >> IndexShift);
            uint value = (uint)(rows[n].Encoding.Value >> IndexShift);
            uint free = ~mask & (IndexSize - 1);
            for (Unit unit = Unit.M; unit <= Unit.X; unit++)
            {
                if (!InstructionTable.Encodes(rows[n], unit))
                {
                    continue;
                }

                // All values of the index bits that the row leaves open.
                uint open = 0;
                do
                {
                    (lists[(int)unit * IndexSize + (int)(value | open)] ??= []).Add((ushort)(n + 1));
                    open = (open - free) & free;
                }
                while (open != 0);
            }
        }

        return Pack(lists);
    }

    private static (ushort[] Index, ushort[] Candidates) Pack(List<ushort>?[] lists)
    {
        var index = new ushort[lists.Length];
        var candidates = new List<ushort> { 0 };
        var known = new Dictionary<string, ushort>();
        for (int n = 0; n < lists.Length; n++)
        {
            if (lists[n] is not { } list)
            {
                continue;
            }

            string key = string.Concat(list.Select(number => (char)number));
            if (!known.TryGetValue(key, out ushort position))
            {
                position = checked((ushort)candidates.Count);
                known.Add(key, position);
                candidates.AddRange(list);
                candidates.Add(0);
            }

            index[n] = position;
        }

        return (index, [.. candidates]);
    }

    private readonly struct Matcher(InstructionRow row)
    {
        public readonly ulong Mask = row.Encoding.Mask;
        public readonly ulong Value = row.Encoding.Value;
        public readonly Operand[] Operands = row.Operands;
        public readonly Opcode Opcode = row.Opcode;
        public readonly Completers Completers = row.Completers;
        public readonly Suffix Suffix = row.Suffix;
        public readonly bool IgnoresQp = (row.Facts & (InstructionFacts.Unpredicated | InstructionFacts.ActsWhenFalse)) != 0;
    }
}
