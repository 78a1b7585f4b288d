using FastXen.Core.Decode;

namespace FastXen.Core.Translate;

/// <summary>Which base registers are likely to point into the same page again: not those that are loaded, nor those that an index is added to.</summary>
internal sealed partial class RegisterAssignment
{
    private readonly bool[] wanders = new bool[IrInstruction.Registers];

    /// <summary>True when a memory access is worth a look at the page that its base register was last used for.</summary>
    public bool StaysInPage(in IrInstruction ir) =>
        !wanders[ir.A] || ((ir.Update & Completers.UpdateImmediate) != 0 && Math.Abs((long)ir.Immediate) <= LargestStep);

    // A base that moves on by as much stays in its page for a while.
    private const int LargestStep = 256;

    // In loops of a depth nothing writes the register, or it moves on in small steps.
    private static bool IsSteady(RegionPlan plan, int guest, int depth)
    {
        for (int b = 0; b < plan.BlockCount; b++)
        {
            ref Block block = ref plan.Blocks[b];
            for (int k = block.Depth < depth ? block.EndIr : block.FirstIr; k < block.EndIr; k++)
            {
                ref IrInstruction ir = ref plan.Ir[k];
                bool steps = (ir.WritesBase && ir.A == guest) || (ir.D == guest && ir.A == guest && ir.Opcode == IrOpcode.AddImmediate);
                if (steps ? (ir.Update & Completers.UpdateRegister) != 0 || Math.Abs((long)ir.Immediate) > LargestStep : ir.D == guest)
                    return false;
            }
        }

        return true;
    }

    private void FindWanderers(RegionPlan plan)
    {
        Array.Clear(wanders);
        for (int b = 0; b < plan.BlockCount; b++)
        {
            ref Block block = ref plan.Blocks[b];
            for (int k = block.FirstIr; k < block.EndIr; k++)
            {
                ref IrInstruction ir = ref plan.Ir[k];
                bool far = ir.Opcode is IrOpcode.Load or IrOpcode.Fill or IrOpcode.AdvancedLoad or IrOpcode.CheckLoad or IrOpcode.ShiftAdd or IrOpcode.Pointer4
                    || (ir.Opcode == IrOpcode.Add && block.Depth > 0 && !(IsSteady(plan, ir.A, block.Depth) && IsSteady(plan, ir.B, block.Depth)))
                    || (ir.Opcode == IrOpcode.AddImmediate && block.Depth > 0 && ir.A == ir.D && Math.Abs((long)ir.Immediate) > LargestStep);
                if (far && ir.D != 0)
                    wanders[ir.D] = true;
            }
        }
    }
}
