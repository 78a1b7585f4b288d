using FastXen.Core.Decode;
using FastXen.Core.Interpret;

namespace FastXen.Core.Translate;

/// <summary>The branches of modulo-scheduled loops.</summary>
internal static unsafe partial class Lifter
{
    // D = A = LC: counted loops; P2: the predicate of the while loops; UsesImmediate: the branch is taken where the loop ends.
    private static bool Loop(ref IrInstruction ir, Instruction* i)
    {
        if (i->Opcode is not (Opcode.BrCtop or Opcode.BrCexit or Opcode.BrWtop or Opcode.BrWexit) || i->Qp != 0 || CodePosition.Slot(i) != 2)
            return false;
        bool counted = i->Opcode is Opcode.BrCtop or Opcode.BrCexit;
        ir = new IrInstruction
        {
            Guest = i,
            Slot = ir.Slot,
            Opcode = IrOpcode.RotatingLoop,
            Immediate = i->Immediate,
            UsesImmediate = i->Opcode is Opcode.BrCexit or Opcode.BrWexit,
            D = counted ? IrInstruction.LoopCount : (byte)0,
            A = counted ? IrInstruction.LoopCount : (byte)0,
            P2 = i->QpField,
        };
        return true;
    }
}
