using FastXen.Core.Emit;
using static FastXen.Core.Emit.HostRegister;

namespace FastXen.Core.Translate;

/// <summary>
/// Base registers whose page has been looked at in this block, and that have not changed since: the next access through them needs no look. Where a
/// handler did an instruction in between, the page may be gone: its way back looks again, and leaves the region if so.
/// </summary>
internal sealed unsafe partial class Generator
{
    /// <summary>What is known of a base register's entry in <see cref="CodeState.Pages"/>: the largest aligned access for which it was looked at; 0 for none.</summary>
    private record struct KnownPage(byte Base, byte ReadSize, byte WriteSize);

    private readonly List<KnownPage> knownPages = [];

    private static int PageOf(int guest) => StateOffsets.Pages + sizeof(Mmu.FastEntry) * (guest % CodeState.PageEntries);

    private bool IsKnownPage(in IrInstruction ir, int tag)
    {
        foreach (KnownPage page in knownPages)
        {
            // What may be written may be read (FastTlb).
            if (page.Base == ir.A)
                return page.WriteSize >= ir.Size || (tag == ReadTag && page.ReadSize >= ir.Size);
        }

        return false;
    }

    private bool MayLearn(in IrInstruction ir) =>
        openQp == 0 && !current.IsWindow && ir.Opcode != IrOpcode.CheckLoad && !(ir.Opcode == IrOpcode.FloatLoad && ir.P1 >= (byte)FloatLoadForm.CheckClear);

    // A store of no less through the same base is sure to follow a load: the load looks for both whether the page may be written.
    private bool LooksForStore(in IrInstruction load)
    {
        if (!MayLearn(load) || load.WritesBase || load.D == load.A)
            return false;
        for (int k = current.FirstIr; k < current.EndIr; k++)
        {
            ref IrInstruction ir = ref plan.Ir[k];
            if (ir.Slot <= load.Slot)
                continue;
            if (ir.Opcode is IrOpcode.Store or IrOpcode.FloatStore && ir.A == load.A)
                return ir.Qp == 0 && ir.Size <= load.Size;
            if (!KeepsPages(ir.Opcode) || RegionPlan.EndsPage(ir.Slot) || ir.D == load.A || (ir.WritesBase && ir.A == load.A))
                return false;
        }

        return false;
    }

    // The page of an access is looked at by its base register's entry.
    private void LearnPage(in IrInstruction ir, int tag)
    {
        byte address = ir.A;
        // Registers that share the entry displace one another.
        knownPages.RemoveAll(page => page.Base != address && page.Base % CodeState.PageEntries == address % CodeState.PageEntries);
        if (!MayLearn(ir))
            return;
        int at = knownPages.FindIndex(page => page.Base == address);
        KnownPage before = at < 0 ? new KnownPage(address, 0, 0) : knownPages[at];
        KnownPage after = tag == ReadTag
            ? before with { ReadSize = Math.Max(before.ReadSize, ir.Size) }
            : before with { WriteSize = Math.Max(before.WriteSize, ir.Size) };
        if (at < 0)
            knownPages.Add(after);
        else
            knownPages[at] = after;
    }

    // An instruction was emitted, with the stubs from one on: what is still known behind it, and behind its handler.
    private void FollowPages(in IrInstruction ir, int firstStub)
    {
        if (knownPages.Count == 0)
            return;
        (byte written, byte updated) = (ir.D, ir.WritesBase ? ir.A : (byte)0);
        if (!KeepsPages(ir.Opcode) || ir.Slot + 1 >= current.End || RegionPlan.EndsPage(ir.Slot))
            knownPages.Clear();
        else
            knownPages.RemoveAll(page => page.Base == written || page.Base == updated);
        if (knownPages.Count == 0)
            return;
        KnownPage[] known = [.. knownPages];
        for (int n = firstStub; n < stubs.Count; n++)
        {
            if (stubs[n].Kind == StubKind.Handler)
                stubs[n] = stubs[n] with { KnownPages = known };
        }
    }

    // What writes no general register but D and the base, and changes nothing of address translation.
    private static bool KeepsPages(IrOpcode opcode) =>
        opcode is (> IrOpcode.Handler and <= IrOpcode.Packed) or (>= IrOpcode.Float and <= IrOpcode.FloatStore) or IrOpcode.MoveToBranch or IrOpcode.MoveFromBranch
            or IrOpcode.MoveFromApplication or IrOpcode.MoveToApplication;

    // The handler did the instruction, all registers are as in memory.
    private void EmitWayBack(in Stub stub)
    {
        Label lost = asm.NewLabel();
        if (!stub.Leaves)
            EmitLookAgain(stub, lost);
        asm.Bind(lost);
        int slot = stub.Instruction.Slot;
        asm.Lea(R15, new HostAddress(R15, -(slot + 1 - stub.Block.First)));
        asm.MovImmediate(Rax, (uint)NewSite(ExitKind.Continue, Address(slot + 1), BundleOf(slot)));
        asm.Jump(arena.Exit);
    }

    private void EmitLookAgain(in Stub stub, Label lost)
    {
        foreach (KnownPage page in stub.KnownPages!)
        {
            HostRegister address = Read(page.Base, Rdx);
            foreach ((int tag, int size) in (ReadOnlySpan<(int, int)>)[(ReadTag, page.ReadSize), (WriteTag, page.WriteSize)])
            {
                if (size == 0)
                    continue;
                asm.MovImmediate(Rax, ~0xFFFUL | (uint)(size - 1));
                asm.Arithmetic(Alu.And, Rax, address);
                asm.Arithmetic(Alu.Cmp, Rax, State(PageOf(page.Base) + tag));
                asm.Jump(Condition.Ne, lost);
            }
        }

        asm.Jump(stub.Resume);
    }
}
