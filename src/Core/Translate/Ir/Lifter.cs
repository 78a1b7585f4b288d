using FastXen.Core.Decode;
using FastXen.Core.State;

namespace FastXen.Core.Translate;

/// <summary>Turns decoded instructions into the intermediate representation.</summary>
internal static unsafe partial class Lifter
{
    /// <summary>
    /// Lifts one slot. <paramref name="limit"/> is the highest general register of the frame. What has no fast form, or would fault, becomes <see cref="IrOpcode.Handler"/>.
    /// </summary>
    public static IrInstruction Lift(Instruction* i, int slot, uint limit, in FloatContext floats)
    {
        var ir = new IrInstruction { Guest = i, Slot = (short)slot, Qp = i->Qp, Opcode = IrOpcode.Handler };
        if (!Integer(ref ir, i, limit) && !Predicates(ref ir, i) && !Memory(ref ir, i, limit) && !Control(ref ir, i, limit) && !Loop(ref ir, i) && !Advanced(ref ir, i) && !Special(ref ir, i, limit)
            && !Floating(ref ir, i, limit, floats) && !System(ref ir, i, limit, floats.Context))
            ir = new IrInstruction { Guest = i, Slot = (short)slot, Qp = i->Qp, Opcode = IrOpcode.Handler };
        if ((floats.Context & TranslationContext.Nat) != 0)
            TrackNats(ref ir, i);
        return ir;
    }

    // What reads registers is as in NaT-free state as long as none of them holds a NaT, and what is written is no NaT then. What moves NaT
    // bits otherwise, or leaves a register as it was, is the handler's.
    private static void TrackNats(ref IrInstruction ir, Instruction* i)
    {
        switch (i->Opcode)
        {
            case Opcode.ChkSIntegerI or Opcode.ChkSIntegerM:
                ir.Opcode = IrOpcode.CheckSpeculation;
                ir.A = i->R2;
                break;
            case >= Opcode.TnatZ and <= Opcode.TnatNzOrAndcm when ir.Opcode == IrOpcode.Decided:
                ir.A = i->R3;
                break;
        }

        if (ir.Opcode is IrOpcode.RotatingLoop or IrOpcode.SwitchBank or IrOpcode.CheckLoad)
            ir = new IrInstruction { Guest = i, Slot = ir.Slot, Qp = i->Qp, Opcode = IrOpcode.Handler };
        ir.TestsNat = ir.Opcode is not (IrOpcode.Handler or IrOpcode.Nop);
    }

    private static bool IsTarget(uint r, uint limit) => r - 1 < limit;

    private static bool Integer(ref IrInstruction ir, Instruction* i, uint limit)
    {
        ir.D = i->R1;
        ir.A = i->R2;
        ir.B = i->R3;
        ir.Immediate = i->Immediate;
        ir.Position = i->Position;
        ir.Length = (byte)Math.Min((int)i->Length, 64 - i->Position);
        switch (i->Opcode)
        {
            case Opcode.Add: ir.Opcode = IrOpcode.Add; break;
            case Opcode.AddPlusOne: ir.Opcode = IrOpcode.AddPlusOne; break;
            case Opcode.Sub: ir.Opcode = IrOpcode.Subtract; break;
            case Opcode.SubMinusOne: ir.Opcode = IrOpcode.SubtractMinusOne; break;
            case Opcode.And: ir.Opcode = IrOpcode.And; break;
            case Opcode.Andcm: ir.Opcode = IrOpcode.AndNot; break;
            case Opcode.Or: ir.Opcode = IrOpcode.Or; break;
            case Opcode.Xor: ir.Opcode = IrOpcode.Xor; break;
            case Opcode.Shladd: ir.Opcode = IrOpcode.ShiftAdd; break;
            case Opcode.Addp4: ir.Opcode = IrOpcode.Pointer4; ir.Position = 0; break;
            case Opcode.Shladdp4: ir.Opcode = IrOpcode.Pointer4; break;
            case Opcode.SubImmediate: Unary(ref ir, IrOpcode.SubtractFrom); break;
            case Opcode.AndImmediate: Unary(ref ir, IrOpcode.AndImmediate); break;
            case Opcode.AndcmImmediate: Unary(ref ir, IrOpcode.NotAndImmediate); break;
            case Opcode.OrImmediate: Unary(ref ir, IrOpcode.OrImmediate); break;
            case Opcode.XorImmediate: Unary(ref ir, IrOpcode.XorImmediate); break;
            case Opcode.AddsImmediate or Opcode.AddlImmediate: Unary(ref ir, IrOpcode.AddImmediate); break;
            case Opcode.Addp4Immediate: Unary(ref ir, IrOpcode.Pointer4Immediate); break;
            case Opcode.Movl: ir.Opcode = IrOpcode.Constant; ir.A = ir.B = 0; break;
            case Opcode.Shl: ir.Opcode = IrOpcode.ShiftLeft; break;
            case Opcode.Shr: ir.Opcode = IrOpcode.ShiftRight; (ir.A, ir.B) = (ir.B, ir.A); break;
            case Opcode.ShrU: ir.Opcode = IrOpcode.ShiftRightUnsigned; (ir.A, ir.B) = (ir.B, ir.A); break;
            case Opcode.Shrp: ir.Opcode = IrOpcode.ShiftPair; break;
            case Opcode.Extr: Unary(ref ir, IrOpcode.ExtractSigned); break;
            case Opcode.ExtrU: Unary(ref ir, IrOpcode.Extract); break;
            case Opcode.DepZ: ir.Opcode = IrOpcode.DepositZero; ir.B = 0; break;
            case Opcode.DepZImmediate:
                ir.Opcode = IrOpcode.Constant;
                ir.Immediate = (i->Immediate & Ones(ir.Length)) << ir.Position;
                ir.A = ir.B = 0;
                break;
            case Opcode.Dep: ir.Opcode = IrOpcode.Deposit; break;
            case Opcode.DepImmediate: Unary(ref ir, IrOpcode.DepositImmediate); break;
            case Opcode.Zxt1: Extend(ref ir, IrOpcode.ZeroExtend, 1); break;
            case Opcode.Zxt2: Extend(ref ir, IrOpcode.ZeroExtend, 2); break;
            case Opcode.Zxt4: Extend(ref ir, IrOpcode.ZeroExtend, 4); break;
            case Opcode.Sxt1: Extend(ref ir, IrOpcode.SignExtend, 1); break;
            case Opcode.Sxt2: Extend(ref ir, IrOpcode.SignExtend, 2); break;
            case Opcode.Sxt4: Extend(ref ir, IrOpcode.SignExtend, 4); break;
            case Opcode.Popcnt: Unary(ref ir, IrOpcode.PopulationCount); break;
            case Opcode.Clz: Unary(ref ir, IrOpcode.LeadingZeros); break;
            default: return false;
        }

        if (!IsTarget(ir.D, limit))
            return false;
        Simplify(ref ir);
        return true;
    }

    /// <summary>So many ones, from bit 0 on.</summary>
    internal static ulong Ones(int length) => length >= 64 ? ulong.MaxValue : (1UL << length) - 1;

    // Sources of one-operand forms are in r3.
    private static void Unary(ref IrInstruction ir, IrOpcode opcode)
    {
        ir.Opcode = opcode;
        ir.A = ir.B;
        ir.B = 0;
    }

    private static void Extend(ref IrInstruction ir, IrOpcode opcode, byte size)
    {
        Unary(ref ir, opcode);
        ir.Size = size;
    }

    // r0 is a constant: what it makes of an operation.
    private static void Simplify(ref IrInstruction ir)
    {
        switch (ir.Opcode)
        {
            case IrOpcode.AddImmediate when ir.A == 0:
                ir.Opcode = IrOpcode.Constant;
                break;
            case IrOpcode.AddImmediate when ir.Immediate == 0:
                ir.Opcode = IrOpcode.Move;
                break;
            case IrOpcode.Add or IrOpcode.Or or IrOpcode.Xor when ir.A == 0:
                ir.Opcode = IrOpcode.Move;
                ir.A = ir.B;
                ir.B = 0;
                break;
            case IrOpcode.Add or IrOpcode.Or or IrOpcode.Xor or IrOpcode.Subtract or IrOpcode.AndNot when ir.B == 0:
                ir.Opcode = IrOpcode.Move;
                break;
            case IrOpcode.ShiftAdd when ir.B == 0:
                ir.Opcode = IrOpcode.DepositZero;
                ir.Length = (byte)(64 - ir.Position);
                break;
            case IrOpcode.Pointer4 when ir.B == 0 && ir.Position == 0:
                ir.Opcode = IrOpcode.ZeroExtend;
                ir.Size = 4;
                break;
            case IrOpcode.Extract or IrOpcode.ExtractSigned when ir.Position == 0 && ir.Length is 8 or 16 or 32:
                if (ir.Position != 0)
                    break;
                ir.Size = (byte)(ir.Length / 8);
                ir.Opcode = ir.Opcode == IrOpcode.Extract ? IrOpcode.ZeroExtend : IrOpcode.SignExtend;
                break;
        }

        if (ir.Opcode == IrOpcode.Move && ir.A == 0)
        {
            ir.Opcode = IrOpcode.Constant;
            ir.Immediate = 0;
        }
    }

    private static bool Memory(ref IrInstruction ir, Instruction* i, uint limit)
    {
        Opcode opcode = i->Opcode;
        ir.D = 0;
        ir.A = i->R3;
        ir.B = i->R2;
        ir.Immediate = i->Immediate;
        ir.Update = i->Completers & (Completers.UpdateImmediate | Completers.UpdateRegister);
        if (ir.WritesBase && !IsTarget(i->R3, limit))
            return false;
        if (opcode is >= Opcode.Ld1 and <= Opcode.Ld8Fill)
            return Load(ref ir, i, limit);
        switch (opcode)
        {
            case Opcode.St1 or Opcode.St1Rel: ir.Size = 1; break;
            case Opcode.St2 or Opcode.St2Rel: ir.Size = 2; break;
            case Opcode.St4 or Opcode.St4Rel: ir.Size = 4; break;
            case Opcode.St8 or Opcode.St8Rel: ir.Size = 8; break;
            case Opcode.St8Spill:
                ir.Size = 8;
                ir.Opcode = IrOpcode.Spill;
                return true;
            case Opcode.Lfetch or Opcode.LfetchExcl or Opcode.LfetchCount:
                ir.Opcode = ir.WritesBase ? IrOpcode.UpdateBase : IrOpcode.Nop;
                return true;
            default:
                return false;
        }

        ir.Opcode = IrOpcode.Store;
        return true;
    }

    private static bool Load(ref IrInstruction ir, Instruction* i, uint limit)
    {
        ir.D = i->R1;
        if (!IsTarget(i->R1, limit) || (ir.WritesBase && i->R1 == i->R3))
            return false;
        if ((ir.Update & Completers.UpdateRegister) == 0)
            ir.B = 0;
        if (i->Opcode == Opcode.Ld8Fill)
        {
            ir.Size = 8;
            ir.Opcode = IrOpcode.Fill;
            return true;
        }

        int form = (i->Opcode - Opcode.Ld1) % (Opcode.Ld2 - Opcode.Ld1);
        ir.Size = (byte)(1 << ((i->Opcode - Opcode.Ld1) / (Opcode.Ld2 - Opcode.Ld1)));
        // A speculative load that hits is a load.
        ir.Opcode = (Opcode)((int)Opcode.Ld1 + form) switch
        {
            Opcode.Ld1A or Opcode.Ld1SA => IrOpcode.AdvancedLoad,
            Opcode.Ld1CClr or Opcode.Ld1CNc or Opcode.Ld1CClrAcq => IrOpcode.CheckLoad,
            _ => IrOpcode.Load,
        };
        ir.UsesImmediate = ir.Opcode == IrOpcode.CheckLoad && form != Opcode.Ld1CNc - Opcode.Ld1;
        return true;
    }

    private static bool Control(ref IrInstruction ir, Instruction* i, uint limit)
    {
        ir.D = ir.A = ir.B = 0;
        ir.Update = Completers.None;
        ir.Immediate = i->Immediate;
        switch (i->Opcode)
        {
            case Opcode.NopI or Opcode.NopM or Opcode.NopB or Opcode.NopF or Opcode.NopX or Opcode.Brp or Opcode.BrpIndirect or Opcode.BrpRet
                or Opcode.LongSecondSlot or Opcode.Ignored or Opcode.ChkSIntegerI or Opcode.ChkSIntegerM or Opcode.Fwb:
                ir.Opcode = IrOpcode.Nop;
                return true;
            case Opcode.Mf or Opcode.MfA:
                ir.Opcode = IrOpcode.Fence;
                return true;
            case Opcode.BrCond or Opcode.Brl:
                ir.Opcode = IrOpcode.Branch;
                return true;
            case Opcode.BrCloop when (i->Placement & 3) == 2:
                ir.Opcode = IrOpcode.CountedLoop;
                ir.D = ir.A = IrInstruction.LoopCount;
                return true;
            case Opcode.BrCondIndirect:
                ir.Opcode = IrOpcode.BranchIndirect;
                ir.P2 = i->R2;
                return true;
            case Opcode.BrCall or Opcode.BrlCall:
                ir.Opcode = IrOpcode.Call;
                ir.P1 = i->R1;
                return true;
            case Opcode.BrCallIndirect:
                ir.Opcode = IrOpcode.CallIndirect;
                ir.P1 = i->R1;
                ir.P2 = i->R2;
                return true;
            case Opcode.BrRet:
                ir.Opcode = IrOpcode.Return;
                ir.P2 = i->R2;
                return true;
            case Opcode.MovToBr:
                ir.Opcode = IrOpcode.MoveToBranch;
                ir.P1 = i->R1;
                ir.A = i->R2;
                return true;
            case Opcode.MovFromBr when IsTarget(i->R1, limit):
                ir.Opcode = IrOpcode.MoveFromBranch;
                ir.D = i->R1;
                ir.P1 = i->R2;
                return true;
            case Opcode.Alloc when (i->Position <= 96 && i->Length <= i->Position && i->Selector <= i->Position && IsTarget(i->R1, 31u + i->Position)):
                ir.Opcode = IrOpcode.Alloc;
                ir.D = i->R1;
                return true;
            case Opcode.MovFromArI or Opcode.MovFromArM when IsTarget(i->R1, limit) && IsPlain(i->R3, i->Opcode == Opcode.MovFromArM):
                ir.D = i->R1;
                ir.P1 = i->R3;
                ir.Opcode = IrOpcode.MoveFromApplication;
                if (i->R3 != Ar.Lc)
                    return true;
                ir.Opcode = IrOpcode.Move;
                ir.A = IrInstruction.LoopCount;
                return true;
            case Opcode.MovToArI or Opcode.MovToArM when IsPlain(i->R3, i->Opcode == Opcode.MovToArM) && i->R3 != Ar.Ec:
                ir.A = i->R2;
                ir.P1 = i->R3;
                ir.Opcode = IrOpcode.MoveToApplication;
                if (i->R3 != Ar.Lc)
                    return true;
                ir.Opcode = ir.A == 0 ? IrOpcode.Constant : IrOpcode.Move;
                ir.Immediate = 0;
                ir.D = IrInstruction.LoopCount;
                return true;
            case Opcode.MovToArImmediateI or Opcode.MovToArImmediateM when i->R3 == Ar.Lc && i->Opcode == Opcode.MovToArImmediateI:
                ir.Opcode = IrOpcode.Constant;
                ir.D = IrInstruction.LoopCount;
                return true;
            case Opcode.MovFromIp when IsTarget(i->R1, limit):
                ir.Opcode = IrOpcode.Constant;
                ir.D = i->R1;
                ir.UsesImmediate = true;
                return true;
            default:
                return false;
        }
    }

    // Registers without side effects that the unit reaches. AR.PFS has reserved bits: the generator looks at them.
    private static bool IsPlain(uint ar, bool memoryUnit) =>
        memoryUnit ? ar is Ar.Ccv or Ar.Unat or Ar.Csd : ar is Ar.Lc or Ar.Pfs or Ar.Ec;
}
