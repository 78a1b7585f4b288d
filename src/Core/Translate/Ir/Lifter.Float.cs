using FastXen.Core.Decode;
using FastXen.Core.Float;

namespace FastXen.Core.Translate;

/// <summary>Floating-point instructions that have a fast form. Registers of the floating-point file are read from the guest's instruction.</summary>
internal static unsafe partial class Lifter
{
    private static bool Floating(ref IrInstruction ir, Instruction* i, uint limit, in FloatContext context)
    {
        ir.D = ir.A = ir.B = 0;
        ir.Immediate = i->Immediate;
        ir.Update = Completers.None;
        switch (i->Opcode)
        {
            case Opcode.LdfdA or Opcode.LdfdSA or Opcode.Ldf8A or Opcode.Ldf8SA:
                ir.P1 = (byte)FloatLoadForm.Advanced;
                goto case Opcode.Ldfd;
            case Opcode.LdfdCClr or Opcode.Ldf8CClr:
                ir.P1 = (byte)FloatLoadForm.CheckClear;
                goto case Opcode.Ldfd;
            case Opcode.LdfdCNc or Opcode.Ldf8CNc:
                ir.P1 = (byte)FloatLoadForm.CheckNoClear;
                goto case Opcode.Ldfd;
            case Opcode.Ldfd:
            case Opcode.Ldf8 or Opcode.LdfFill or Opcode.LdfdS or Opcode.Ldf8S:
                return i->R1 >= 2 && context.Enabled(i->R1) && FloatMemory(ref ir, i, limit, IrOpcode.FloatLoad);
            case Opcode.Ldfs or Opcode.LdfsS:
                ir.Size = 4;
                return i->R1 >= 2 && context.Enabled(i->R1) && FloatMemory(ref ir, i, limit, IrOpcode.FloatLoad);
            case Opcode.Stfd or Opcode.Stf8 or Opcode.StfSpill or Opcode.Stfs:
                return context.Enabled(i->R2) && FloatMemory(ref ir, i, limit, IrOpcode.FloatStore);
            case Opcode.SetfSig or Opcode.SetfD or Opcode.SetfS:
                ir.A = i->R2;
                break;
            case Opcode.GetfSig or Opcode.GetfD or Opcode.GetfS or Opcode.GetfExp:
                if (!IsTarget(i->R1, limit) || !context.Enabled(i->R2))
                    return false;
                ir.D = i->R1;
                ir.Opcode = IrOpcode.Float;
                return true;
            case Opcode.FcvtXf or Opcode.FmergeS or Opcode.FmergeNs or Opcode.XmaL or Opcode.XmaH or Opcode.XmaHu:
                break;
            case Opcode.FcvtFxTrunc or Opcode.FcvtFxuTrunc or Opcode.Fma or Opcode.Fms or Opcode.Fnma:
                if (!context.IsOrdinary(i->Selector))
                    return false;
                break;
            case Opcode.Frcpa or Opcode.Frsqrta:
                if (!context.IsOrdinary(i->Selector))
                    return false;
                ir.P2 = i->P2;
                ir.Qp = i->QpField;
                ir.Type = PredicateType.Unconditional;
                break;
            case Opcode.FcmpEq or Opcode.FcmpLt or Opcode.FcmpLe or Opcode.FcmpEqUnc or Opcode.FcmpLtUnc or Opcode.FcmpLeUnc:
                if (i->P1 == i->P2 || !context.IsOrdinary(i->Selector) || !context.Enabled(i->R2) || !context.Enabled(i->R3))
                    return false;
                ir.P1 = i->P1;
                ir.P2 = i->P2;
                ir.Opcode = IrOpcode.FloatCompare;
                if (i->Opcode is Opcode.FcmpEq or Opcode.FcmpLt or Opcode.FcmpLe)
                    return true;
                ir.Qp = i->QpField;
                ir.Type = ir.Qp == 0 ? PredicateType.Plain : PredicateType.Unconditional;
                return true;
            default:
                return false;
        }

        ir.Opcode = IrOpcode.Float;
        bool fromGeneral = i->Opcode is Opcode.SetfSig or Opcode.SetfD or Opcode.SetfS;
        return i->R1 >= 2 && context.Enabled(i->R1)
            && (fromGeneral || (context.Enabled(i->R2) && context.Enabled(i->R3) && context.Enabled(i->R4)));
    }

    private static bool FloatMemory(ref IrInstruction ir, Instruction* i, uint limit, IrOpcode opcode)
    {
        ir.Opcode = opcode;
        ir.A = i->R3;
        ir.Update = i->Completers & (Completers.UpdateImmediate | Completers.UpdateRegister);
        if ((ir.Update & Completers.UpdateRegister) != 0)
            ir.B = i->R2;
        ir.Size = (byte)(i->Opcode switch
        {
            Opcode.LdfFill or Opcode.StfSpill => 16,
            Opcode.Ldfs or Opcode.LdfsS or Opcode.Stfs => 4,
            _ => 8,
        });
        return !ir.WritesBase || IsTarget(i->R3, limit);
    }
}

/// <summary>What a region takes for granted of PSR and FPSR where floating point is concerned.</summary>
/// <param name="Context">The translation context: disabled partitions.</param>
/// <param name="Fpsr">FPSR without its flags.</param>
internal readonly record struct FloatContext(uint Context, ulong Fpsr)
{
    private const uint TrapsMasked = 0x3f, RoundingMode = 0x30, FlushToZero = 1;

    /// <summary>True when a register's partition is not disabled.</summary>
    public bool Enabled(uint f) => f < 2 || (Context & (f < 32 ? TranslationContext.Dfl : TranslationContext.Dfh)) == 0;

    /// <summary>The controls of a status field.</summary>
    public uint Controls(int field) => FloatStatus.Controls(Fpsr, field);

    /// <summary>True when a status field rounds to nearest, flushes nothing and traps nothing.</summary>
    public bool IsOrdinary(int field) => (Fpsr & TrapsMasked) == TrapsMasked && (Controls(field) & (RoundingMode | FlushToZero)) == 0;

    /// <summary>True when an operation with a precision completer has the format of host doubles.</summary>
    public bool IsDouble(uint completer, int field) => FloatFormat.Of(completer, Controls(field)) is { Dropped: 11, MinExponent: 0xfc01 };

    /// <summary>True when an operation with a precision completer has the format of host singles.</summary>
    public bool IsSingle(uint completer, int field) => FloatFormat.Of(completer, Controls(field)) is { Dropped: 40, MinExponent: 0xff81 };

    /// <summary>True when a multiply-add with a precision completer takes and gives doubles on the host's unit.</summary>
    public bool IsOnHost(uint completer, int field) => IsDouble(completer, field) || IsSingle(completer, field);
}
