using FastXen.Core.Decode;
using FastXen.Core.State;

namespace FastXen.Core.Translate;

/// <summary>Multimedia operations, semaphores, moves of all predicates, registers of the RSE, kernel registers.</summary>
internal static unsafe partial class Lifter
{
    private static bool Special(ref IrInstruction ir, Instruction* i, uint limit)
    {
        ir = new IrInstruction { Guest = i, Slot = ir.Slot, Qp = i->Qp, Opcode = IrOpcode.Handler, Immediate = i->Immediate };
        bool isTarget = IsTarget(i->R1, limit);
        Opcode opcode = i->Opcode;
        switch (opcode)
        {
            case Opcode.MovToPr:
                ir.Opcode = IrOpcode.MoveToPredicates;
                ir.A = i->R2;
                return true;
            case Opcode.MovToPrRotImmediate:
                ir.Opcode = IrOpcode.SetRotatingPredicates;
                return true;
            case Opcode.MovFromPr when isTarget:
                ir.Opcode = IrOpcode.MoveFromPredicates;
                ir.D = i->R1;
                return true;
            case Opcode.MovFromArM when isTarget:
                ir.D = i->R1;
                ir.P1 = i->R3;
                ir.Opcode = (int)i->R3 switch
                {
                    Ar.Bsp => IrOpcode.BackingStorePointer,
                    Ar.BspStore or Ar.Rnat => IrOpcode.MoveFromStack,
                    < 8 or Ar.Rsc => IrOpcode.MoveFromApplication,
                    _ => IrOpcode.Handler,
                };
                return ir.Opcode != IrOpcode.Handler;
            case Opcode.MovToArM:
                ir.A = i->R2;
                ir.P1 = i->R3;
                ir.Opcode = (int)i->R3 switch
                {
                    Ar.BspStore or Ar.Rnat => IrOpcode.MoveToStack,
                    < 8 => IrOpcode.MoveToKernel,
                    Ar.Rsc => IrOpcode.MoveToRsc,
                    _ => IrOpcode.Handler,
                };
                return ir.Opcode != IrOpcode.Handler;
            case Opcode.MovToArI when i->R3 == Ar.Ec:
                ir.A = i->R2;
                ir.Opcode = IrOpcode.MoveToEc;
                return true;
            case Opcode.MovToArImmediateI when i->R3 == Ar.Ec:
                ir.UsesImmediate = true;
                ir.Opcode = IrOpcode.MoveToEc;
                return true;
            case Opcode.MovToArImmediateM when i->R3 == Ar.Rsc:
                ir.UsesImmediate = true;
                ir.Opcode = IrOpcode.MoveToRsc;
                return true;
            case Opcode.SrlzD or Opcode.SrlzI:
                ir.Opcode = IrOpcode.Serialize;
                return true;
            case Opcode.MovFromPsr when isTarget:
                ir.D = i->R1;
                ir.Opcode = IrOpcode.MoveFromPsr;
                return true;
            case Opcode.Rsm when i->Immediate == Psr.I:
                ir.Opcode = IrOpcode.DisableInterrupts;
                return true;
            case Opcode.LfetchFault or Opcode.LfetchFaultExcl:
                ir.Update = i->Completers & (Completers.UpdateImmediate | Completers.UpdateRegister);
                if (ir.WritesBase && !IsTarget(i->R3, limit))
                    return false;
                ir.A = i->R3;
                ir.B = (ir.Update & Completers.UpdateRegister) != 0 ? i->R2 : (byte)0;
                ir.Size = 1;
                ir.Opcode = IrOpcode.TouchedLine;
                return true;
            default:
                return isTarget && (Semaphore(ref ir, i) || Packed(ref ir, i));
        }
    }

    private static bool Semaphore(ref IrInstruction ir, Instruction* i)
    {
        (ir.Opcode, ir.Size) = i->Opcode switch
        {
            Opcode.Xchg1 => (IrOpcode.Exchange, (byte)1),
            Opcode.Xchg2 => (IrOpcode.Exchange, (byte)2),
            Opcode.Xchg4 => (IrOpcode.Exchange, (byte)4),
            Opcode.Xchg8 => (IrOpcode.Exchange, (byte)8),
            Opcode.Cmpxchg1Acq or Opcode.Cmpxchg1Rel => (IrOpcode.CompareExchange, (byte)1),
            Opcode.Cmpxchg2Acq or Opcode.Cmpxchg2Rel => (IrOpcode.CompareExchange, (byte)2),
            Opcode.Cmpxchg4Acq or Opcode.Cmpxchg4Rel => (IrOpcode.CompareExchange, (byte)4),
            Opcode.Cmpxchg8Acq or Opcode.Cmpxchg8Rel => (IrOpcode.CompareExchange, (byte)8),
            Opcode.Fetchadd4Acq or Opcode.Fetchadd4Rel => (IrOpcode.FetchAdd, (byte)4),
            Opcode.Fetchadd8Acq or Opcode.Fetchadd8Rel => (IrOpcode.FetchAdd, (byte)8),
            _ => (IrOpcode.Handler, (byte)0),
        };
        ir.D = i->R1;
        ir.A = i->R3;
        ir.B = i->R2;
        return ir.Opcode != IrOpcode.Handler;
    }

    private static bool Packed(ref IrInstruction ir, Instruction* i)
    {
        // Without a short sequence: saturation of mixed signs, averages that round to odd, pshladd.
        if (i->Opcode is not ((>= Opcode.Padd1 and <= Opcode.Pshl4Immediate) or (>= Opcode.Czx1L and <= Opcode.Czx2R))
            || i->Opcode is Opcode.Padd1Uus or Opcode.Padd2Uus or Opcode.Psub1Uus or Opcode.Psub2Uus or Opcode.Pavg1 or Opcode.Pavg2
                or Opcode.Pavgsub1 or Opcode.Pavgsub2 or Opcode.Pshladd2 or Opcode.Shl or Opcode.Shr or Opcode.ShrU)
        {
            return false;
        }

        ir.Opcode = IrOpcode.Packed;
        ir.D = i->R1;
        ir.A = i->R2;
        ir.B = i->R3;
        return true;
    }
}
