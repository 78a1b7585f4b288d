using FastXen.Core.Emit;
using static FastXen.Core.Emit.HostRegister;

namespace FastXen.Core.Translate;

/// <summary>
/// Ways from a region's first page to its second. Control looks there at what is due, as the interpreter does at a page's end, and at whether the
/// vCPU has found the second page under the translation for which the region was made, and nothing was purged since (<see cref="CodeState.Crossings"/>);
/// otherwise it leaves, and the page is fetched. The way back needs no look: what purges ends the region.
/// </summary>
internal sealed unsafe partial class Generator
{
    // What the exits from the second page have in common.
    private RegionState* secondPage;

    /// <summary>What the exits from the second page have in common, to be filled; null where there are none.</summary>
    public RegionState* SecondPage => secondPage;

    private static bool IsCrossing(int from, int to) => from < RegionPlan.PageSlots && to >= RegionPlan.PageSlots;

    // The page of the slot at which control leaves the block.
    private ulong LeavingPage => BundleOf(current.End - 1) & ~0xFFFUL;

    private RegionState* PageState(int slot)
    {
        if (slot < RegionPlan.PageSlots)
            return region;
        if (secondPage == null)
            secondPage = arena.NewPart();
        return secondPage;
    }

    // In mid-block: the budget counts what came before, and the run of slots begins anew.
    private void EmitPageEnd(in IrInstruction ir)
    {
        Label leave = asm.NewLabel();
        stubs.Add(CrossingStub(leave));
        PassPage(ir);
        asm.Jump(Condition.Le, leave);
        EmitCrossing(leave);
    }

    // The flags tell whether budget is left.
    private void PassPage(in IrInstruction ir)
    {
        asm.Arithmetic(Alu.Sub, R15, RegionPlan.PageSlots - current.First);
        current = current with { First = RegionPlan.PageSlots, Predecessors = 1, PredecessorSlot = ir.Slot };
    }

    // Where control would leave at the page's end, if it were there already.
    private void EmitPageLook(Label leaves)
    {
        asm.Arithmetic(Alu.Cmp, R15, RegionPlan.PageSlots - current.First);
        asm.Jump(Condition.Le, leaves);
        EmitCrossing(leaves);
    }

    private Stub CrossingStub(Label leave) => new()
    {
        Label = leave,
        Kind = StubKind.Crossing,
        Dirty = dirty,
        Address = Address(RegionPlan.PageSlots),
        Block = current,
        Instruction = new IrInstruction { Slot = RegionPlan.PageSlots - 1 },
    };

    // From the last slot of the first page to a block that begins the second one.
    private void FallIntoPage(int next, int nextEmitted)
    {
        StorePending();
        if (plan.Blocks[next].NeedsLastIp)
            EmitLastIp(BundleOf(RegionPlan.PageSlots - 1));
        Label leave = asm.NewLabel();
        stubs.Add(CrossingStub(leave));
        asm.Arithmetic(Alu.Sub, R15, SlotsOfBlock);
        asm.Jump(Condition.Le, leave);
        EmitCrossing(leave);
        if (next != nextEmitted)
            asm.Jump(plan.Blocks[next].Label);
    }

    // Leaves where the second page is not known to be what it was. Uses rax.
    private void EmitCrossing(Label leave)
    {
        ulong page = pageVa + 4096;
        int entry = StateOffsets.Crossings + sizeof(CodeCrossing) * CodeCrossing.Index(page);
        asm.Load(Rax, State(StateOffsets.Spaces + 8 * (int)(page >> 61)), 8);
        asm.Arithmetic(Alu.Cmp, Rax, State(entry + CodeCrossing.SpaceOffset));
        asm.Jump(Condition.Ne, leave);
        asm.MovImmediate(Rax, page);
        asm.Arithmetic(Alu.Cmp, Rax, State(entry));
        asm.Jump(Condition.Ne, leave);
        asm.MovImmediate(Rax, region->SecondPa);
        asm.Arithmetic(Alu.Cmp, Rax, State(entry + CodeCrossing.PhysicalOffset));
        asm.Jump(Condition.Ne, leave);
    }

    private void EmitCrossingStub(in Stub stub)
    {
        int number = NewSite(ExitKind.Look, stub.Address, BundleOf(stub.Instruction.Slot));
        arena.Site(number)->Crosses = true;
        EmitSpillAndExit(number);
    }
}
