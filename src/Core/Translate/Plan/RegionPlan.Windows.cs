namespace FastXen.Core.Translate;

/// <summary>Modulo-scheduled loops of one block, of instructions that can run on a window of the rotating registers (Generator.Windows.cs).</summary>
internal sealed unsafe partial class RegionPlan
{
    /// <summary>Rotating general registers of the loops on windows; -1 where the region has none.</summary>
    public int WindowRegisters { get; private set; }

    /// <summary>True for a general register that rotates, where the region has a loop on a window: it stays in memory.</summary>
    public bool IsInWindow(int guest) => guest >= 32 && guest < 32 + WindowRegisters;

    private void FindWindows()
    {
        WindowRegisters = -1;
        for (int b = 0; b < BlockCount; b++)
        {
            ref Block block = ref Blocks[b];
            if (BranchTarget(block) != b || Ir[block.EndIr - 1] is not { Opcode: IrOpcode.RotatingLoop, UsesImmediate: false } loop)
                continue;
            block.IsWindow = true;
            for (int k = block.FirstIr; k < block.EndIr - 1; k++)
                block.IsWindow &= RunsOnWindow(Ir[k]);
            if (block.IsWindow)
                WindowRegisters = loop.Length;
        }
    }

    private static bool RunsOnWindow(in IrInstruction ir) =>
        ir.Opcode is (>= IrOpcode.Constant and <= IrOpcode.Spill) or IrOpcode.UpdateBase or IrOpcode.Packed or IrOpcode.TouchedLine
            or IrOpcode.MoveToBranch or IrOpcode.MoveFromBranch or IrOpcode.Fence;
}
