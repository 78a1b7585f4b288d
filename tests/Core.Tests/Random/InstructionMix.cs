using System.Collections.Frozen;
using FastXen.Core.Decode;
using FastXen.Core.State;

namespace FastXen.Core.Tests.RandomPrograms;

/// <summary>What random instructions are for: a program has a weight for each.</summary>
internal enum Purpose
{
    Alu,
    Multimedia,
    Compare,
    Moves,
    Load,
    Store,
    Speculation,
    Semaphore,
    Floating,
    FloatingOdd,
    FloatingLoad,
    FloatingStore,
    Transfer,
    System,
    Prefetch,
}

/// <summary>
/// Random instructions from the decoder's own table, so that every instruction comes: each row of the table with random operands that
/// mostly make sense. Instructions that would make a program lose its way are left to its skeleton (the program generator).
/// </summary>
internal sealed class InstructionMix
{
    /// <summary>Registers with addresses in them, which only the skeleton and base updates write.</summary>
    public static readonly byte[] Pool = [8, 9, 10, 11, 14, 15];

    /// <summary>r2: depth of recursion; r3 and r12: rounds left of a loop.</summary>
    private static readonly byte[] ReservedStatic = [0, 2, 3, 12, .. Pool];

    private static readonly byte[] HotFloating = [6, 7, 8, 9, 10, 11, 12, 13, 32, 33, 34, 40, 41];

    private static readonly FrozenSet<Opcode> Skeleton = FrozenSet.ToFrozenSet(
    [
        Opcode.Alloc, Opcode.Loadrs, Opcode.ItcD, Opcode.ItcI, Opcode.ItrD, Opcode.ItrI, Opcode.PtcL, Opcode.PtcG, Opcode.PtcGa, Opcode.PtrD,
        Opcode.PtrI, Opcode.MovToRr, Opcode.MovToPkr, Opcode.MovToPsrL, Opcode.Ssm, Opcode.Rsm, Opcode.ChkSIntegerM, Opcode.ChkSIntegerI,
        Opcode.ChkSFloat, Opcode.ChkANcInteger, Opcode.ChkAClrInteger, Opcode.ChkANcFloat, Opcode.ChkAClrFloat, Opcode.Fchkf, Opcode.PtcE,
    ]);

    // Rare among themselves: faults, and what costs the interpreter much.
    private static readonly FrozenSet<Opcode> Rare = FrozenSet.ToFrozenSet(
    [
        Opcode.BreakM, Opcode.BreakI, Opcode.BreakF, Opcode.Flushrs, Opcode.MovToIbr, Opcode.MovToDbr, Opcode.Sum, Opcode.Rum, Opcode.MovToPsrUm,
        Opcode.Invala, Opcode.Fsetc, Opcode.MovToCr,
    ]);

    private static readonly FrozenSet<Opcode> NatMakers = Enum.GetValues<Opcode>().Where(MakesNats).ToFrozenSet();

    private static readonly byte[] WritableAr = [0, 1, 2, 3, 4, 5, 6, 7, 25, 26, 32, 32, 32, 36, 36];
    private static readonly byte[] ReadableAr = [0, 1, 2, 3, 4, 5, 6, 7, 16, 17, 18, 19, 21, 24, 25, 32, 36, 40, 44, 45];
    private static readonly byte[] WritableCr = [64, 80, 81, 73, 74, 20];
    private static readonly byte[] ReadableCr = [0, 1, 2, 8, 16, 17, 19, 20, 21, 22, 23, 24, 25, 64, 66, 68, 69, 70, 71, 72, 73, 74, 80, 81];

    // Rows by unit ("MIF") and purpose.
    private static readonly Dictionary<(char Unit, Purpose Purpose), InstructionRow[]> Rows = GroupRows();

    private readonly Random _random;
    private readonly Dictionary<char, (Purpose Purpose, int Sum)[]> _weights = [];
    private readonly byte[] _recent = [4, 5, 6, 7, 16, 17, 18, 19];
    private int _next;

    public InstructionMix(Random random, IReadOnlyDictionary<Purpose, int> weights)
    {
        _random = random;
        foreach (char unit in "MIF")
        {
            int sum = 0;
            _weights[unit] = [.. Enum.GetValues<Purpose>().Where(p => Rows.ContainsKey((unit, p)) && weights.GetValueOrDefault(p) > 0)
                .Select(p => (p, sum += weights[p]))];
        }
    }

    /// <summary>False: no load or transfer that makes a NaT.</summary>
    public bool Nats { get; init; }

    /// <summary>Registers of the current frame.</summary>
    public int FrameSize { get; set; }

    /// <summary>Registers of the frame that hold the way back.</summary>
    public (byte First, byte Second) Links { get; set; }

    /// <summary>AR.LC and AR.EC count a loop.</summary>
    public bool Counting { get; set; }

    /// <summary>AR.PFS is needed.</summary>
    public bool InFunction { get; set; }

    /// <summary>Any instruction of a unit.</summary>
    public ulong Any(char unit)
    {
        (Purpose Purpose, int Sum)[] weights = _weights[unit];
        if (weights.Length == 0)
            return SlotBits.Nop(unit);
        int pick = _random.Next(weights[^1].Sum);
        return Of(unit, weights.First(w => pick < w.Sum).Purpose);
    }

    /// <summary>An instruction of a unit and a purpose.</summary>
    public ulong Of(char unit, Purpose purpose)
    {
        InstructionRow[] rows = Rows[(unit, purpose)];
        for (; ; )
        {
            InstructionRow row = rows[_random.Next(rows.Length)];
            if (Rare.Contains(row.Opcode) && _random.Next(8) != 0)
                continue;
            if (row.Completers == Completers.UpdateRegister && _random.Next(6) != 0)
                continue;
            if (!Nats && NatMakers.Contains(row.Opcode))
                continue;
            if (Make(row) is { } bits)
                return bits;
        }
    }

    /// <summary>A general register that random instructions may write.</summary>
    public byte Target()
    {
        for (; ; )
        {
            byte r = FrameSize > 0 && _random.Next(2) == 0 ? (byte)(32 + _random.Next(FrameSize)) : (byte)_random.Next(32);
            if (r < 32 ? Array.IndexOf(ReservedStatic, r) >= 0 : r == Links.First || r == Links.Second)
                continue;
            _recent[_next++ & 7] = r;
            return r;
        }
    }

    /// <summary>A general register to read.</summary>
    public byte Source() => _random.Next(8) switch
    {
        0 => (byte)_random.Next(32),
        1 when FrameSize > 0 => (byte)(32 + _random.Next(FrameSize)),
        2 => Pool[_random.Next(Pool.Length)],
        _ => InFrame(_recent[_random.Next(8)]),
    };

    private byte InFrame(byte r) => r < 32 + FrameSize ? r : (byte)_random.Next(32);

    public byte Predicate() => _random.Next(4) switch
    {
        0 => (byte)_random.Next(64),
        1 => (byte)_random.Next(16, 24),
        _ => (byte)_random.Next(6, 16),
    };

    public byte Qualifier() => _random.Next(9) < 5 ? (byte)0 : Predicate();

    public byte FloatingTarget() => _random.Next(5) < 4 ? HotFloating[_random.Next(HotFloating.Length)] : (byte)_random.Next(2, 128);

    public byte FloatingSource() => _random.Next(12) switch
    {
        0 => (byte)_random.Next(128),
        1 => (byte)_random.Next(2),
        _ => HotFloating[_random.Next(HotFloating.Length)],
    };

    private byte Base(bool store) => store || _random.Next(40) != 0 ? Pool[_random.Next(Pool.Length)] : Source();

    private ulong? Make(InstructionRow row)
    {
        ulong bits = row.Encoding.Value | ((ulong)_random.NextInt64(1L << 41) & ~row.Encoding.Mask & ~HintMask(row.Suffix));
        if ((row.Facts & InstructionFacts.Unpredicated) == 0)
            bits = Set(bits, 0, 6, Qualifier());
        bool update = row.Completers is Completers.UpdateRegister or Completers.UpdateImmediate;
        bool memory = row.Encoding.Format is "M1" or "M2" or "M3" or "M4" or "M5" or "M6" or "M7" or "M8" or "M9" or "M10" or "M11" or "M12"
            or "M13" or "M14" or "M15" or "M16" or "M17" or "M28" or "M52";
        bool store = row.Encoding.Format is "M4" or "M5" or "M9" or "M10" or "M16" or "M17";
        foreach (Operand operand in row.Operands)
        {
            switch (operand)
            {
                case Operand.R1:
                    // Now and then one that faults: r0, or past the frame.
                    bits = Set(bits, 6, 7, _random.Next(400) == 0 ? (_random.Next(2) == 0 ? 0 : (ulong)Math.Min(127, 32 + FrameSize)) : Target());
                    break;
                case Operand.R2:
                    bits = Set(bits, 13, 7, Source());
                    break;
                case Operand.R3:
                    bits = Set(bits, 20, 7, memory || row.Encoding.Format is "M38" or "M39" or "M40" ? Base(store) : Source());
                    break;
                case Operand.R3Short:
                    bits = Set(bits, 20, 2, (ulong)_random.Next(4));
                    break;
                case Operand.Memory:
                    // A base that is updated stays in the pool's hands; only reads go astray.
                    bits = Set(bits, 20, 7, Base(store || update));
                    break;
                case Operand.F1:
                    bits = Set(bits, 6, 7, _random.Next(500) == 0 ? (ulong)_random.Next(2) : FloatingTarget());
                    break;
                case Operand.F2:
                    bits = Set(bits, 13, 7, FloatingSource());
                    break;
                case Operand.F3:
                    bits = Set(bits, 20, 7, FloatingSource());
                    break;
                case Operand.F4:
                    bits = Set(bits, 27, 7, FloatingSource());
                    break;
                case Operand.P1:
                    bits = Set(bits, 6, 6, Predicate());
                    break;
                case Operand.P2:
                    byte p1 = (byte)(bits >> 6 & 63), p2;
                    do
                        p2 = Predicate();
                    while (p2 == p1 && _random.Next(50) != 0);
                    bits = Set(bits, 27, 6, p2);
                    break;
                case Operand.B1:
                    // b0 and b1 to b3 lead back from calls.
                    bits = Set(bits, 6, 3, (ulong)_random.Next(4, 8));
                    break;
                case Operand.Ar3:
                    if (Application(row) is not { } ar)
                        return null;
                    bits = Set(bits, 20, 7, ar);
                    break;
                case Operand.Cr3:
                    byte[] numbers = row.Opcode == Opcode.MovToCr ? WritableCr : ReadableCr;
                    bits = Set(bits, 20, 7, numbers[_random.Next(numbers.Length)]);
                    break;
                case Operand.ImmU24 when row.Opcode is Opcode.Sum or Opcode.Rum:
                    bits = Set(Set(Set(bits, 6, 21, 1UL << _random.Next(1, 6)), 31, 2, 0), 36, 1, 0);
                    break;
                case Operand.Imm9Load when _random.Next(30) != 0:
                    bits = Set(bits, 13, 4, 0);
                    break;
                case Operand.Imm9Store when _random.Next(30) != 0:
                    bits = Set(bits, 6, 4, 0);
                    break;
                case Operand.Mask17 when _random.Next(2) == 0:
                    bits = Set(bits, 36, 1, 0);
                    break;
            }
        }

        // ldfp: registers of the same half, one odd and one even; else it faults.
        if (row.Encoding.Format is "M11" or "M12" && _random.Next(100) != 0)
        {
            byte f = FloatingTarget();
            bits = Set(Set(bits, 6, 7, f), 13, 7, f is 127 or 31 ? (ulong)f - 1 : (ulong)f + 1);
        }

        return bits;
    }

    private byte? Application(InstructionRow row)
    {
        bool write = row.Opcode is Opcode.MovToArI or Opcode.MovToArImmediateI or Opcode.MovToArM or Opcode.MovToArImmediateM;
        if (row.Encoding.Format[0] == 'M')
            return write ? WritableAr[_random.Next(WritableAr.Length)] : ReadableAr[_random.Next(ReadableAr.Length)];
        if (!write)
            return (byte)_random.Next(64, 67);
        return _random.Next(3) switch
        {
            0 when !InFunction => Ar.Pfs,
            1 when !Counting => Ar.Lc,
            2 when !Counting => Ar.Ec,
            _ => null,
        };
    }

    // Status fields stay random; locality hints and the like are zero.
    private static ulong HintMask(Suffix suffix) => suffix switch
    {
        Suffix.None or Suffix.StatusField => 0,
        Suffix.LoadHint => 3UL << 28 | 1UL << 19,
        Suffix.StoreHint or Suffix.LineHint => 3UL << 28 | 1UL << 12,
        Suffix.LoadUpdateHint or Suffix.StoreUpdateHint => 3UL << 28,
        Suffix.MoveToBr => 0xFUL << 20,
        _ => 0,
    };

    private static ulong Set(ulong bits, int low, int length, ulong value) => (bits & ~(((1UL << length) - 1) << low)) | value << low;

    private static bool MakesNats(Opcode opcode)
    {
        string name = opcode.ToString();
        bool speculative = name.StartsWith("Ld", StringComparison.Ordinal) && name is not "Ldfs" and not "Ldfps"
            && (name.EndsWith('S') || name.EndsWith("SA", StringComparison.Ordinal));
        return speculative || opcode is Opcode.Ld8Fill or Opcode.LdfFill;
    }

    private static Purpose PurposeOf(Opcode opcode, string format)
    {
        string name = opcode.ToString();
        if (name.StartsWith("Ld", StringComparison.Ordinal) || name.StartsWith("Invala", StringComparison.Ordinal))
        {
            bool plain = name is "Ldfs" or "Ldfps" || (!name.EndsWith('S') && !name.EndsWith('A') && !name.Contains("CClr", StringComparison.Ordinal)
                && !name.Contains("CNc", StringComparison.Ordinal) && !name.StartsWith("Invala", StringComparison.Ordinal));
            if (!plain)
                return Purpose.Speculation;
        }

        return format switch
        {
            "A1" or "A2" or "A3" or "A4" or "A5" or "I10" or "I11" or "I12" or "I13" or "I14" or "I15" or "I29" => Purpose.Alu,
            "A6" or "A7" or "A8" or "I16" or "I17" or "I30" => Purpose.Compare,
            "A9" or "A10" or "I1" or "I2" or "I3" or "I4" or "I5" or "I6" or "I7" or "I8" or "I9" => Purpose.Multimedia,
            "I21" or "I22" or "I23" or "I24" or "I25" or "I26" or "I27" or "I28" or "M29" or "M30" or "M31" or "I18" or "I19" or "M48" or "F15" or "F16"
                => Purpose.Moves,
            "M1" or "M2" or "M3" => Purpose.Load,
            "M4" or "M5" => Purpose.Store,
            "M6" or "M7" or "M8" or "M11" or "M12" => Purpose.FloatingLoad,
            "M9" or "M10" => Purpose.FloatingStore,
            "M13" or "M14" or "M15" or "M51" or "M52" => Purpose.Prefetch,
            "M16" or "M17" => Purpose.Semaphore,
            "M18" or "M19" => Purpose.Transfer,
            "F1" or "F2" or "F3" => Purpose.Floating,
            _ when format[0] == 'F' => Purpose.FloatingOdd,
            _ => Purpose.System,
        };
    }

    private static Dictionary<(char, Purpose), InstructionRow[]> GroupRows()
    {
        var groups = new Dictionary<(char, Purpose), List<InstructionRow>>();
        foreach (InstructionRow row in InstructionTable.Rows)
        {
            char kind = row.Encoding.Format[0];
            if (row.Opcode <= Opcode.LongSecondSlot || kind is 'B' or 'X' || row.Spelling != Spelling.Canonical || Skeleton.Contains(row.Opcode))
                continue;
            foreach (char unit in kind == 'A' ? "MI" : kind.ToString())
            {
                (char, Purpose) key = (unit, PurposeOf(row.Opcode, row.Encoding.Format));
                if (!groups.TryGetValue(key, out List<InstructionRow>? rows))
                    groups.Add(key, rows = []);
                rows.Add(row);
            }
        }

        return groups.ToDictionary(g => g.Key, g => g.Value.ToArray());
    }
}
