using FastXen.Core.Emit;
using static FastXen.Core.Emit.HostRegister;

namespace FastXen.Core.Translate;

/// <summary>Code for state with NaTs: an instruction of which a source holds one is its handler's.</summary>
internal sealed unsafe partial class Generator
{
    private void EmitNatTest(in IrInstruction ir)
    {
        EmitNatTest(ir, ir.A);
        if (ir.B != ir.A)
            EmitNatTest(ir, ir.B);
    }

    private void EmitNatTest(in IrInstruction ir, int guest)
    {
        if (guest is 0 or IrInstruction.LoopCount)
            return;
        flagsP1 = flagsP2 = 0;
        asm.Arithmetic(Alu.Cmp, NatOf(guest), 0, 1);
        Slow(ir, Condition.Ne);
    }

    private void EmitNoNat(in IrInstruction ir)
    {
        if (ir.D is not (0 or IrInstruction.LoopCount))
            asm.StoreImmediate(NatOf(ir.D), 0, 1);
    }

    // The NaT byte of a register; rax may be used.
    private HostAddress NatOf(int guest)
    {
        if (guest < 32)
            return State(StateOffsets.GrNat + guest);
        asm.Load(Rax, State(StateOffsets.FrameNat), 8);
        return new HostAddress(Rax, guest);
    }
}
