using FastXen.Core.Emit;
using static FastXen.Core.Emit.HostRegister;

namespace FastXen.Core.Translate;

/// <summary>Breaks for which a hypervisor has host code: hyperprivops, system calls of its guest.</summary>
internal sealed unsafe partial class Generator
{
    private int Level => (int)(context & TranslationContext.CplMask) >> TranslationContext.CplShift;

    private void EmitBreak(in IrInstruction ir, int nextEmitted)
    {
        Label not = asm.NewLabel();
        if (ir.Qp != 0)
            JumpIf(ir.Qp, false, not);
        EmitSpill(dirty);
        uint before = dirty;
        dirty = 0;
        if (arena.Breaks!.TryFind(ir.Guest->Immediate, Level, out FastBreak found))
            EmitFastBreak(ir, found);
        else
            EmitHandler(ir);
        CloseSlow();
        asm.Lea(R15, new HostAddress(R15, -SlotsOfBlock));
        LeaveBehind();
        dirty = before;
        if (ir.Qp == 0)
            return;
        asm.Bind(not);
        FallThrough(nextEmitted, isOnlyWay: false);
    }

    private void EmitFastBreak(in IrInstruction ir, FastBreak found)
    {
        // What is due behind it is looked at on the handler's way.
        asm.Arithmetic(Alu.Cmp, R15, SlotsOfBlock);
        Slow(ir, Condition.Le);
        asm.MovImmediate(Rdx, Address(ir.Slot));
        if (found.Outcome == BreakOutcome.Interrupted)
        {
            asm.MovImmediate(Rdi, ir.Guest->Immediate);
            EmitBundleBefore(ir);
        }

        asm.Call((byte*)found.Code);
        asm.Test(Rax, Rax, 4);
        Slow(ir, Condition.E);
        if (found.Outcome == BreakOutcome.Behind)
            return;
        asm.Arithmetic(Alu.Sub, R15, found.Outcome == BreakOutcome.Interrupted ? SlotsOfBlock - 1 : SlotsOfBlock);
        asm.Jump(arena.JumpAnywhere);
    }

    // rsi = the bundle of the instruction that was executed last.
    private void EmitBundleBefore(in IrInstruction ir)
    {
        if (ir.Slot > current.First)
            asm.MovImmediate(Rsi, BundleOf(ir.Slot - 1));
        else if (current.Predecessors == 1)
            asm.MovImmediate(Rsi, BundleOf(current.PredecessorSlot));
        else
            asm.Load(Rsi, State(StateOffsets.LastIp), 8);
    }
}
