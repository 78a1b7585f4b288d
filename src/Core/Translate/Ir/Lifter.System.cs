using FastXen.Core.Decode;
using FastXen.Core.State;

namespace FastXen.Core.Translate;

/// <summary>What kernels execute at each entry and exit. The privilege level and PSR.ic are those of the context, so that checks of them are made here.</summary>
internal static unsafe partial class Lifter
{
    // Changes of these bits need nothing but a look at interrupts. PSR.ic chooses another context: of the rest none does.
    private const ulong PlainMask = Psr.Up | Psr.Ac | Psr.Mfl | Psr.Mfh | Psr.Ic | Psr.I | Psr.Sp | Psr.Pp | Psr.Di | Psr.Si;

    /// <summary>True when an instruction changes PSR.ic for certain.</summary>
    public static bool ChangesCollection(Instruction* i, uint context) =>
        i->Opcode is Opcode.Ssm or Opcode.Rsm && (i->Immediate & Psr.Ic) != 0
        && (i->Opcode == Opcode.Ssm) == ((context & TranslationContext.Ic) == 0);

    private static bool System(ref IrInstruction ir, Instruction* i, uint limit, uint context)
    {
        ir = new IrInstruction { Guest = i, Slot = ir.Slot, Qp = i->Qp, Opcode = IrOpcode.Handler, Immediate = i->Immediate };
        switch (i->Opcode)
        {
            case Opcode.Cover:
                ir.Opcode = IrOpcode.Cover;
                return true;
            case Opcode.BreakM or Opcode.BreakI or Opcode.BreakF or Opcode.BreakX
                when (context & (TranslationContext.Hypervised | TranslationContext.Nat)) == TranslationContext.Hypervised:
                ir.Opcode = IrOpcode.Break;
                return true;
            default:
                return (context & TranslationContext.CplMask) == 0 && Privileged(ref ir, i, limit, context);
        }
    }

    private static bool Privileged(ref IrInstruction ir, Instruction* i, uint limit, uint context)
    {
        // Control registers that describe an interruption are accessible while PSR.ic is 0.
        bool described = (int)i->R3 is (>= Cr.Ipsr and <= Cr.Isr) or (>= Cr.Iip and <= Cr.Iha);
        bool accessible = (context & TranslationContext.Ic) == 0;
        switch (i->Opcode)
        {
            case Opcode.Ssm or Opcode.Rsm when (i->Immediate & ~PlainMask) == 0:
                ir.Opcode = IrOpcode.SystemMask;
                return true;
            case Opcode.Bsw0 or Opcode.Bsw1:
                ir.Opcode = IrOpcode.SwitchBank;
                return true;
            case Opcode.MovFromCr when IsTarget(i->R1, limit) && ((described && accessible) || (int)i->R3 is Cr.Dcr or Cr.Itm or Cr.Iva or Cr.Tpr):
                ir.Opcode = IrOpcode.MoveFromControl;
                ir.D = i->R1;
                ir.P1 = i->R3;
                return true;
            case Opcode.MovToCr when described && accessible:
                ir.Opcode = IrOpcode.MoveToControl;
                ir.A = i->R2;
                ir.P1 = i->R3;
                return true;
            default:
                return false;
        }
    }
}
