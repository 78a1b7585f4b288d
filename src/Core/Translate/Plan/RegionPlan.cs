using FastXen.Core.Decode;
using FastXen.Core.Interpret;
using FastXen.Core.State;

namespace FastXen.Core.Translate;

/// <summary>
/// What a region consists of: the blocks that direct branches of one page reach from an entry, and their instructions. Buffers are reused
/// from one region to the next.
/// </summary>
internal sealed unsafe partial class RegionPlan
{
    /// <summary>Slots of a page.</summary>
    public const int PageSlots = 768;

    /// <summary>Most slots of a region.</summary>
    private const int MostSlots = 320;

    private readonly bool[] inside = new bool[PageSlots + 1];
    private readonly bool[] leads = new bool[PageSlots + 1];
    private readonly bool[] ends = new bool[PageSlots + 1];
    private readonly int[] blockAt = new int[PageSlots + 1];
    private readonly int[] waiting = new int[PageSlots + 1];
    private int waitingCount;
    private int slotCount, entry, lastSlot;
    private HashSet<int> ownLoops = new HashSet<int>();

    /// <summary>Instructions of all blocks.</summary>
    public IrInstruction[] Ir { get; } = new IrInstruction[PageSlots];

    /// <summary>Blocks by address.</summary>
    public Block[] Blocks { get; } = new Block[PageSlots];

    /// <summary>Blocks in use.</summary>
    public int BlockCount { get; private set; }

    /// <summary>Instructions in use.</summary>
    public int IrCount { get; private set; }

    /// <summary>Slots of all blocks.</summary>
    public int SlotCount => slotCount;

    /// <summary>The block that is entered.</summary>
    public int EntryBlock { get; private set; }

    /// <summary>CFM in all blocks but the entry before its alloc.</summary>
    public ulong Cfm { get; private set; }

    /// <summary>What is known of floating point.</summary>
    public FloatContext Floats { get; private set; }

    /// <summary>The page's slots.</summary>
    public Instruction* Slots { get; private set; }

    /// <summary>Block that starts at a slot, or -1.</summary>
    public int BlockAt(int slot) => slot is >= 0 and <= PageSlots ? blockAt[slot] : -1;

    /// <summary>Slot to which a direct branch goes, or -1 where that is another page.</summary>
    public static int TargetSlot(in IrInstruction ir)
    {
        long bundle = ir.Slot / 3 + ((long)ir.Immediate >> 4);
        return bundle is >= 0 and < PageSlots / 3 ? (int)bundle * 3 : -1;
    }

    /// <summary>Plans the region that begins at <paramref name="entry"/>; false where nothing can be translated.</summary>
    /// <param name="slots">The decoded page.</param>
    /// <param name="page">The page in host memory.</param>
    /// <param name="entry">Slot at which the region begins.</param>
    /// <param name="cfm">CFM at the entry.</param>
    /// <param name="floatContext">What is known of floating point.</param>
    /// <param name="loops">Slots of this page that begin loops which are regions of their own.</param>
    public bool Make(Instruction* slots, byte* page, int entry, ulong cfm, in FloatContext floatContext, HashSet<int> loops)
    {
        ownLoops = loops;
        this.entry = entry;
        lastSlot = loops.Contains(entry) ? EndOfLoop(slots, page, entry) : PageSlots - 1;
        Floats = floatContext;
        Slots = slots;
        Array.Clear(inside);
        Array.Clear(leads);
        Array.Clear(ends);
        Array.Fill(blockAt, -1);
        waitingCount = slotCount = 0;
        if (!Decode(page, entry) || slots[entry].Opcode == Opcode.LongSecondSlot)
            return false;
        bool first = true;
        Lead(entry);
        while (waitingCount > 0)
        {
            Follow(page, waiting[--waitingCount], first);
            first = false;
        }

        if (slotCount == 0)
            return false;
        Cut(entry, cfm);
        // Only the region's entry may go to code before an alloc that makes another frame.
        if (Cfm != cfm)
            blockAt[entry] = -1;
        FindLoops();
        FindPredecessors();
        FindWindows();
        return true;
    }

    // The last branch, in a straight scan, that goes back to the loop's begin.
    private int EndOfLoop(Instruction* slots, byte* page, int first)
    {
        Slots = slots;
        int last = PageSlots - 1;
        for (int slot = first; slot < Math.Min(first + MostSlots, PageSlots) && Decode(page, slot); slot++)
        {
            if (slots[slot].Opcode is Opcode.BrCond or Opcode.BrCloop && (slot / 3 + ((long)slots[slot].Immediate >> 4)) * 3 == first)
                last = slot;
        }

        return last;
    }

    // The slot belongs to a loop that is a region of its own, or lies behind the one that this region is.
    private bool IsElsewhere(int slot) => slot != entry && (slot > lastSlot || slot < entry && lastSlot != PageSlots - 1 || ownLoops.Contains(slot));

    private void Lead(int slot)
    {
        if (leads[slot] || IsElsewhere(slot))
            return;
        leads[slot] = true;
        waiting[waitingCount++] = slot;
    }

    private bool Decode(byte* page, int slot)
    {
        CodePage.Decode(Slots, page, slot / 3);
        return Slots[slot].Opcode != Opcode.Illegal;
    }

    // Takes slots from a leader on until control cannot go further.
    private void Follow(byte* page, int slot, bool first)
    {
        for (; slot < PageSlots && !inside[slot]; slot++)
        {
            // The second slot of a long instruction is no place to go on from.
            if (IsElsewhere(slot) || !Decode(page, slot) || (slotCount >= MostSlots && Slots[slot].Opcode != Opcode.LongSecondSlot))
                return;
            Instruction* i = Slots + slot;
            // A frame that changes in mid-region would make what is known of it differ from block to block.
            if (i->Opcode == Opcode.Alloc && !first)
                return;
            inside[slot] = true;
            slotCount++;
            if (!IsControl(i))
                continue;
            ends[slot] = true;
            first = false;
            if (i->Opcode is Opcode.BrCond or Opcode.Brl or Opcode.BrCloop or Opcode.BrCtop or Opcode.BrCexit or Opcode.BrWtop or Opcode.BrWexit)
            {
                long target = slot / 3 + ((long)i->Immediate >> 4);
                if (target is >= 0 and < PageSlots / 3)
                    Lead((int)target * 3);
            }

            if (NeverFallsThrough(i, Floats.Context))
                return;
            if (slot + 1 < PageSlots)
                leads[slot + 1] = true;
        }
    }

    private static bool IsControl(Instruction* i) =>
        i->Opcode is (>= Opcode.BrCond and <= Opcode.BrCallIndirect) or Opcode.Brl or Opcode.BrlCall or Opcode.Rfi or Opcode.BreakB or Opcode.BreakI
            or Opcode.BreakM or Opcode.BreakF or Opcode.BreakX or Opcode.Epc or Opcode.Ssm or Opcode.Cover
        || (i->Opcode == Opcode.Rsm && i->Immediate != Psr.I);

    private static bool NeverFallsThrough(Instruction* i, uint context) =>
        i->Qp == 0 && i->Opcode is not (Opcode.BrCloop or Opcode.BrCtop or Opcode.BrCexit or Opcode.BrWtop or Opcode.BrWexit or Opcode.Epc)
        && (i->Opcode is not (Opcode.Ssm or Opcode.Rsm) || Lifter.ChangesCollection(i, context));

    private void Cut(int entry, ulong cfm)
    {
        BlockCount = IrCount = 0;
        Cfm = cfm;
        // The entry's alloc holds for all blocks; find it first.
        for (int slot = entry; slot < PageSlots && inside[slot] && !ends[slot] && (slot == entry || !leads[slot]); slot++)
        {
            Instruction* i = Slots + slot;
            if (i->Opcode == Opcode.Alloc)
                Cfm = FrameMarker.Of(i->Position, i->Length, i->Selector);
        }

        for (int slot = 0; slot < PageSlots;)
        {
            if (!inside[slot])
            {
                slot++;
                continue;
            }

            slot = CutBlock(slot, slot == entry ? cfm : Cfm);
            if (Blocks[BlockCount - 1].First == entry)
                EntryBlock = BlockCount - 1;
        }
    }

    private int CutBlock(int first, ulong cfm)
    {
        ref Block block = ref Blocks[BlockCount];
        block = new Block { First = first, FirstIr = IrCount, FallsThrough = true };
        blockAt[first] = BlockCount++;
        int slot = first;
        uint limit = 31 + (uint)FrameMarker.Sof(cfm);
        do
        {
            Instruction* i = Slots + slot;
            IrInstruction ir = Lifter.Lift(i, slot, limit, Floats);
            if (i->Opcode == Opcode.Alloc)
                limit = 31u + i->Position;
            // No alloc follows a branch: it is the region's frame that rotates.
            if (ir.Opcode == IrOpcode.RotatingLoop)
                ir.Length = (byte)((Cfm >> 14 & 0xF) << 3);
            if (slot == first)
                block.StartsWithExit = ir.MayLeave;
            if (ends[slot] && NeverFallsThrough(i, Floats.Context))
                block.FallsThrough = false;
            if (ir.Opcode != IrOpcode.Nop)
                Ir[IrCount++] = ir;
        }
        while (!ends[slot++] && slot < PageSlots && inside[slot] && !leads[slot]);
        block.End = slot;
        block.EndIr = IrCount;
        return slot;
    }

    /// <summary>The block to which the branch at a block's end leads, or -1.</summary>
    public int BranchTarget(in Block block) =>
        block.EndIr > block.FirstIr && Ir[block.EndIr - 1].Opcode is IrOpcode.Branch or IrOpcode.CountedLoop or IrOpcode.RotatingLoop
            ? BlockAt(TargetSlot(Ir[block.EndIr - 1]))
            : -1;

    private void FindPredecessors()
    {
        Blocks[EntryBlock].Predecessors = 2;
        for (int b = 0; b < BlockCount; b++)
        {
            ref Block block = ref Blocks[b];
            if (block.FallsThrough)
                Precede(BlockAt(block.End), block.End - 1);
            if (BranchTarget(block) is var target and >= 0)
                Precede(target, Ir[block.EndIr - 1].Slot);
        }
    }

    private void Precede(int block, int slot)
    {
        if (block < 0)
            return;
        Blocks[block].Predecessors++;
        Blocks[block].PredecessorSlot = slot;
    }

    /// <summary>First slot of the innermost loop around a block, or -1.</summary>
    public int LoopAround(int block)
    {
        int best = -1;
        for (int b = block; b < BlockCount; b++)
        {
            if (Blocks[b].EndIr == Blocks[b].FirstIr || Ir[Blocks[b].EndIr - 1].Opcode is not (IrOpcode.Branch or IrOpcode.CountedLoop))
                continue;
            int target = TargetSlot(Ir[Blocks[b].EndIr - 1]);
            if (target > best && target <= Blocks[block].First && BlockAt(target) >= 0)
                best = target;
        }

        return best;
    }

    // Code between a branch and its target above it is in a loop.
    private void FindLoops()
    {
        for (int b = 0; b < BlockCount; b++)
        {
            int target = BranchTarget(Blocks[b]);
            if (target < 0)
                continue;
            for (int inner = target; inner <= b; inner++)
                Blocks[inner].Depth++;
        }
    }
}
