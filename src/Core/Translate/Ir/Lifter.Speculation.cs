using FastXen.Core.Decode;

namespace FastXen.Core.Translate;

/// <summary>Checks and drops of the ALAT's entries.</summary>
internal static unsafe partial class Lifter
{
    private static bool Advanced(ref IrInstruction ir, Instruction* i)
    {
        IrOpcode opcode = i->Opcode switch
        {
            Opcode.ChkANcInteger or Opcode.ChkAClrInteger or Opcode.ChkANcFloat or Opcode.ChkAClrFloat => IrOpcode.CheckAdvanced,
            Opcode.InvalaGr or Opcode.InvalaFr => IrOpcode.DropAdvanced,
            Opcode.Invala => IrOpcode.DropAllAdvanced,
            _ => IrOpcode.Handler,
        };
        if (opcode == IrOpcode.Handler)
            return false;
        ir = new IrInstruction
        {
            Guest = i,
            Slot = ir.Slot,
            Qp = i->Qp,
            Opcode = opcode,
            P1 = i->R1,
            P2 = i->Opcode is Opcode.ChkANcFloat or Opcode.ChkAClrFloat or Opcode.InvalaFr ? (byte)1 : (byte)0,
            UsesImmediate = i->Opcode is Opcode.ChkAClrInteger or Opcode.ChkAClrFloat,
        };
        return true;
    }
}
