using FastXen.Core.Decode;
using FastXen.Core.Float;

namespace FastXen.Core.Translate;

/// <summary>What a sequence divides.</summary>
internal enum DivisionKind : byte
{
    Signed64, Unsigned64, Signed32, Unsigned32, Double,
}

/// <summary>
/// A sequence of instructions in one block that divides: from frcpa to the conversion of the quotient to an integer, or to the
/// last rounding of a double. Other instructions may lie in between.
/// </summary>
internal sealed unsafe class DivisionSequence
{
    private const int Longest = 48;

    // By instruction, from the first one on: the value that it computes for the sequence, or none.
    private readonly byte[] values = new byte[Longest];
    private readonly byte[] numbers = new byte[128];
    private readonly bool[] tagged = new bool[Longest];
    private readonly IrInstruction[] ir;
    private readonly FloatContext floats;
    private int predicate;

    private DivisionSequence(IrInstruction[] ir, int first, in FloatContext floats)
    {
        this.ir = ir;
        this.floats = floats;
        First = first;
    }

    /// <summary>Index of frcpa.</summary>
    public int First { get; }

    /// <summary>Index of the last instruction.</summary>
    public int Last { get; private set; }

    /// <summary>What it divides.</summary>
    public DivisionKind Kind { get; private set; }

    /// <summary>Register of the dividend.</summary>
    public uint Dividend => ir[First].Guest->R2;

    /// <summary>Register of the divisor.</summary>
    public uint Divisor => ir[First].Guest->R3;

    /// <summary>Register that must hold 2 to the power of -34, or 0.</summary>
    public uint Power { get; private set; }

    /// <summary>Status field of all operations but the last one of doubles.</summary>
    public int Field { get; private set; } = -1;

    /// <summary>The first instruction behind frcpa that belongs to the sequence.</summary>
    public int Second { get; private set; }

    /// <summary>The late operands are needed: between the two, control may leave.</summary>
    public bool IsLate { get; private set; }

    /// <summary>Nothing between frcpa and the last instruction can see the quotient's register, nor write it.</summary>
    public bool IsUnseen
    {
        get
        {
            uint quotient = ir[Last].Guest->R1;
            for (int k = First + 1; k < Last; k++)
            {
                if (IsObserver(k))
                    return false;
                if (Holds(k) || !FloatOperands.Names(ir[k]))
                    continue;
                FloatOperands operands = FloatOperands.Of(ir[k]);
                if (operands.Target == quotient || operands.A == quotient || operands.B == quotient || operands.C == quotient)
                    return false;
            }

            return true;
        }
    }

    /// <summary>Index of the end of the first page among the instructions, or -1. Control does not leave there: that is looked at before.</summary>
    public int PageEnd { get; private set; } = -1;

    /// <summary>True when an instruction belongs to the sequence.</summary>
    public bool Holds(int index) => values[index - First] != DivisionValues.Unknown || index == Last;

    /// <summary>The value that an instruction leaves in its register for others to see; none where it is overwritten unseen.</summary>
    public byte Left(int index) => tagged[index - First] ? values[index - First] : DivisionValues.Unknown;

    /// <summary>The sequence that begins with the frcpa at <paramref name="first"/>; null where it is none that is known.</summary>
    public static DivisionSequence? Find(RegionPlan plan, in Block block, int first, in FloatContext floats)
    {
        var sequence = new DivisionSequence(plan.Ir, first, floats);
        return sequence.Recognize(Math.Min(block.EndIr, first + Longest)) && sequence.FindTags() ? sequence : null;
    }

    private bool Recognize(int end)
    {
        ref IrInstruction start = ref ir[First];
        predicate = start.P2;
        if (start.Qp != 0 || predicate == 0 || Dividend == 0 || Divisor < 2 || Dividend == Divisor)
            return false;
        numbers[0] = DivisionValues.Zero;
        numbers[Dividend] = DivisionValues.Dividend;
        numbers[1] = DivisionValues.One;
        numbers[Divisor] = DivisionValues.Divisor;
        byte seed = DivisionValues.OfReciprocal(numbers[Dividend], DivisionValues.Divisor);
        values[0] = numbers[start.Guest->R1] = seed;
        for (int k = First + 1; k < end; k++)
        {
            if (ir[k].EndsBlock || ir[k].WritesManyPredicates || WritesPredicate(ir[k]))
                return false;
            if (ir[k].Opcode == IrOpcode.PageEnd)
            {
                // What touches memory may make something due.
                for (int earlier = First + 1; earlier < k; earlier++)
                {
                    if (ir[earlier].MayLeave && ir[earlier].Opcode != IrOpcode.Float)
                        return false;
                }

                PageEnd = k;
            }

            if (ir[k].Opcode is not (IrOpcode.Float or IrOpcode.FloatLoad))
                continue;
            if (Follow(k))
                return true;
        }

        return false;
    }

    private bool WritesPredicate(in IrInstruction i) =>
        (i.Opcode is IrOpcode.Compare or IrOpcode.TestBit or IrOpcode.Decided or IrOpcode.FloatCompare && (i.P1 == predicate || i.P2 == predicate))
        || (i.Opcode == IrOpcode.Float && i.P2 == predicate);

    private bool IsExecuted(in IrInstruction i) => i.Qp == 0 || i.Qp == predicate;

    // True at the end of the sequence.
    private bool Follow(int k)
    {
        Instruction* i = ir[k].Guest;
        if (i->Opcode is Opcode.GetfSig or Opcode.GetfExp or Opcode.GetfD)
            return false;
        byte value = DivisionValues.Unknown;
        if (IsExecuted(ir[k]) && ir[k].Opcode == IrOpcode.Float)
        {
            switch (i->Opcode)
            {
                case Opcode.FcvtFxTrunc or Opcode.FcvtFxuTrunc when IsIntegerQuotient(numbers[i->R2]) && i->Selector == Field:
                    bool signed = i->Opcode == Opcode.FcvtFxTrunc;
                    Kind = numbers[i->R2] == DivisionValues.Quotient64
                        ? signed ? DivisionKind.Signed64 : DivisionKind.Unsigned64
                        : signed ? DivisionKind.Signed32 : DivisionKind.Unsigned32;
                    Last = k;
                    return true;
                case Opcode.Fma or Opcode.Fms or Opcode.Fnma:
                    value = Fused(i);
                    if (value != DivisionValues.Unknown && (value == DivisionValues.Quotient || value == DivisionValues.ReciprocalOfDivisor))
                    {
                        Kind = DivisionKind.Double;
                        Last = k;
                        return true;
                    }

                    if (value != DivisionValues.Unknown)
                        Take(k, value);
                    break;
                // A move: the value has another register, too.
                case Opcode.FmergeS when i->R2 == i->R3:
                    value = numbers[i->R2];
                    break;
            }
        }

        numbers[i->R1] = value;
        return false;
    }

    private static bool IsIntegerQuotient(byte value) =>
        value != DivisionValues.Unknown && (value == DivisionValues.Quotient64 || value == DivisionValues.Quotient32);

    private byte Fused(Instruction* i)
    {
        byte x = numbers[i->R3], y = numbers[i->R4], z = numbers[i->R2];
        DivisionFormat format = FormatOf(i);
        // The last operation of doubles has a field of its own.
        if (x == DivisionValues.Unknown || y == DivisionValues.Unknown || (Field >= 0 && i->Selector != Field && format != DivisionFormat.Double))
            return DivisionValues.Unknown;
        if (z != DivisionValues.Unknown)
            return DivisionValues.Of(i->Opcode, format, x, y, z);
        if (Power != 0 && Power != i->R2)
            return DivisionValues.Unknown;
        byte value = DivisionValues.Of(i->Opcode, format, x, y, DivisionValues.Power);
        if (value == DivisionValues.Unknown || IsWrittenBefore(i))
            return DivisionValues.Unknown;
        Power = i->R2;
        return value;
    }

    private bool IsWrittenBefore(Instruction* user)
    {
        for (int k = First; ir[k].Guest != user; k++)
        {
            if (WritesFloat(ir[k]) && ir[k].Guest->R1 == user->R2)
                return true;
        }

        return false;
    }

    private void Take(int k, byte value)
    {
        Field = ir[k].Guest->Selector;
        values[k - First] = value;
        if (Second == 0)
            Second = k;
    }

    private DivisionFormat FormatOf(Instruction* i)
    {
        FloatFormat format = FloatFormat.Of((uint)i->Completers >> 2 & 3, floats.Controls(i->Selector));
        return (format.Dropped, format.MinExponent) switch
        {
            (0, 1) => DivisionFormat.Extended,
            (11, 1) => DivisionFormat.WideDouble,
            (11, 0xfc01) => DivisionFormat.Double,
            _ => DivisionFormat.Other,
        };
    }

    private static bool WritesFloat(in IrInstruction i) => i.Opcode == IrOpcode.FloatLoad
        || (i.Opcode == IrOpcode.Float && i.Guest->Opcode is not (Opcode.GetfSig or Opcode.GetfExp or Opcode.GetfD));

    // Control may leave, or a register may be read.
    private bool IsObserver(int k) => !Holds(k) && ir[k].MayLeave && k != PageEnd
        && !(ir[k].Opcode == IrOpcode.Float && ir[k].Guest->Opcode is Opcode.SetfSig or Opcode.SetfD);

    // Which values stay in registers; false when a value of an earlier run could be seen after the operands of this one were taken.
    private bool FindTags()
    {
        if (Second == 0)
            return false;
        for (int k = First; k < Last; k++)
            tagged[k - First] = Holds(k) && IsLeft(k);
        for (int k = First + 1; k < Second; k++)
            IsLate |= IsObserver(k);
        for (int k = Second + 1; k < Last; k++)
        {
            if (IsObserver(k) && !IsRenewedBefore(k))
                return false;
        }

        return true;
    }

    private bool IsLeft(int index)
    {
        for (int k = index + 1; k <= Last; k++)
        {
            if (IsObserver(k))
                return true;
            if (WritesFloat(ir[k]) && IsExecuted(ir[k]) && ir[k].Guest->R1 == ir[index].Guest->R1)
                return false;
        }

        return true;
    }

    private bool IsRenewedBefore(int observer)
    {
        for (int k = Second; k < Last; k++)
        {
            if (!tagged[k - First])
                continue;
            bool renewed = false;
            for (int earlier = Second; earlier < observer; earlier++)
                renewed |= tagged[earlier - First] && ir[earlier].Guest->R1 == ir[k].Guest->R1;
            if (!renewed)
                return false;
        }

        return true;
    }

    /// <summary>True when a value stays in a register that rotates.</summary>
    public bool LeavesRotating()
    {
        for (int k = First; k < Last; k++)
        {
            if (tagged[k - First] && ir[k].Guest->R1 >= 32)
                return true;
        }

        return false;
    }
}
