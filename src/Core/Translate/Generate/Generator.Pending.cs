namespace FastXen.Core.Translate;

/// <summary>
/// Predicates whose values follow from the way that control took: behind a branch on one of a compare's two targets, both are known. They are stored
/// only where control leaves the straight way (in stubs, as dirty registers are) or something reads them in memory; most are overwritten before.
/// </summary>
internal sealed unsafe partial class Generator
{
    // Predicates that are not in memory but known, and their values.
    private ulong pendingMask, pendingValues;

    // The compare before the branch has set the flags (flagsP1, flagsP2), and stored nothing.
    private bool sunk;

    private bool IsPending(int p) => (pendingMask >> p & 1) != 0;

    private bool PendingValue(int p) => (pendingValues >> p & 1) != 0;

    private static ulong Bits(in IrInstruction ir) => (1UL << ir.P1 | 1UL << ir.P2) & ~1UL;

    // A compare right before the branch that is its only reader for now.
    private bool CanSink(in Block block, int k)
    {
        ref IrInstruction ir = ref plan.Ir[k];
        if (k + 2 != block.EndIr || ir.Opcode is not (IrOpcode.Compare or IrOpcode.TestBit) || ir.Type != PredicateType.Plain || ir.Qp != 0 || ir.TestsNat)
            return false;
        ref IrInstruction branch = ref plan.Ir[k + 1];
        return branch.Opcode == IrOpcode.Branch && branch.Qp != 0 && (branch.Qp == ir.P1 || branch.Qp == ir.P2);
    }

    private void EmitSunk(in IrInstruction ir)
    {
        CloseQp();
        pendingMask &= ~Bits(ir);
        (flagsP1, flagsP2, flagsCondition) = (ir.P1, ir.P2, EmitTest(ir));
        sunk = true;
    }

    // The targets of the sunk compare on one side of the branch on one of them.
    private void Know(int p1, int p2, int qp, bool taken)
    {
        foreach (int p in (ReadOnlySpan<int>)[p1, p2])
        {
            if (p == 0)
                continue;
            pendingMask |= 1UL << p;
            pendingValues &= ~(1UL << p);
            if (taken == (p == qp))
                pendingValues |= 1UL << p;
        }
    }

    // Makes ready for an instruction; false where its predicate is known to be 0, and it does nothing.
    private bool Prepare(in IrInstruction ir)
    {
        if (pendingMask == 0)
            return true;
        bool known = ir.Qp != 0 && IsPending(ir.Qp);
        if (ir.Opcode is IrOpcode.Compare or IrOpcode.TestBit or IrOpcode.Decided)
        {
            if (ir.Type != PredicateType.Unconditional && known && !PendingValue(ir.Qp))
                return false;
            if (ir.Type == PredicateType.Plain && (ir.Qp == 0 || (known && ir.Qp != ir.P1 && ir.Qp != ir.P2)))
                pendingMask &= ~Bits(ir);
            else if ((pendingMask & (Bits(ir) | 1UL << ir.Qp)) != 0)
                Settle();
            return true;
        }

        if (IsIndifferent(ir))
            return !known || PendingValue(ir.Qp);
        Settle();
        return true;
    }

    // Neither it nor its handler looks at predicates, but at its own.
    private static bool IsIndifferent(in IrInstruction ir) =>
        ir.Opcode is (>= IrOpcode.Constant and <= IrOpcode.LeadingZeros) or (>= IrOpcode.Load and <= IrOpcode.CheckLoad) or IrOpcode.UpdateBase
            or IrOpcode.Packed or IrOpcode.FloatLoad or IrOpcode.FloatStore or IrOpcode.MoveToBranch or IrOpcode.MoveFromBranch;

    // All that is known goes to memory. Changes no flags, and no registers.
    private void Settle()
    {
        if (pendingMask == 0)
            return;
        CloseQp();
        StorePending();
    }

    private void StorePending()
    {
        for (int p = 1; p < 64; p++)
        {
            if (!IsPending(p))
                continue;
            int value = PendingValue(p) ? 1 : 0;
            if (p < 63 && IsPending(p + 1))
            {
                asm.StoreImmediate(Predicate(p), value | (PendingValue(p + 1) ? 0x100 : 0), 2);
                p++;
            }
            else
            {
                asm.StoreImmediate(Predicate(p), value, 1);
            }
        }

        pendingMask = 0;
    }
}
