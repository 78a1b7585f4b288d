using FastXen.Core.Decode;
using FastXen.Core.Interpret;
using FastXen.Core.State;

namespace FastXen.Core.Translate;

/// <summary>
/// What a region consists of: the blocks that direct branches of one page, and the one behind it, reach from an entry, and their instructions.
/// Buffers are reused from one region to the next.
/// </summary>
internal sealed unsafe partial class RegionPlan
{
    /// <summary>Slots of a page. The slots of the page behind follow.</summary>
    public const int PageSlots = 768;

    private const int AllSlots = 2 * PageSlots;

    /// <summary>Most slots of a region.</summary>
    private const int MostSlots = 320;

    private readonly bool[] inside = new bool[AllSlots + 1];
    private readonly bool[] leads = new bool[AllSlots + 1];
    private readonly bool[] ends = new bool[AllSlots + 1];
    private readonly int[] blockAt = new int[AllSlots + 1];
    private readonly int[] waiting = new int[AllSlots + 1];
    private int waitingCount;
    private int slotCount, entry, lastSlot, limit;
    private bool isLoop;
    private CodeSource first, second;

    /// <summary>Instructions of all blocks.</summary>
    public IrInstruction[] Ir { get; } = new IrInstruction[AllSlots + 1];

    /// <summary>Blocks by address.</summary>
    public Block[] Blocks { get; } = new Block[AllSlots];

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

    /// <summary>True when blocks lie in the second page.</summary>
    public bool UsesSecond { get; private set; }

    /// <summary>A decoded slot. Those of one page lie one behind the other.</summary>
    public Instruction* SlotAt(int slot) => slot < PageSlots ? first.Slots + slot : second.Slots + (slot - PageSlots);

    /// <summary>The 16 bytes of a bundle, by its number from the first page on.</summary>
    public ulong* Bundle(int bundle) => (ulong*)(bundle < PageSlots / 3 ? first.Page + 16 * bundle : second.Page + 16 * (bundle - PageSlots / 3));

    /// <summary>True when control goes on in the next page behind a slot.</summary>
    public static bool EndsPage(int slot) => slot % PageSlots == PageSlots - 1;

    /// <summary>Block that starts at a slot, or -1.</summary>
    public int BlockAt(int slot) => slot is >= 0 and <= AllSlots ? blockAt[slot] : -1;

    /// <summary>Slot to which a direct branch goes, or -1 where that is no page of the region's.</summary>
    public int TargetSlot(in IrInstruction ir) => TargetOf(ir.Slot, ir.Immediate);

    private int TargetOf(int slot, ulong displacement)
    {
        long bundle = slot / 3 + ((long)displacement >> 4);
        return bundle >= 0 && bundle < limit / 3 ? (int)bundle * 3 : -1;
    }

    /// <summary>Plans the region that begins at <paramref name="entry"/>; false where nothing can be translated.</summary>
    /// <param name="firstPage">The page of the entry.</param>
    /// <param name="secondPage">The page behind it, as its translation was at this moment; none where there was no translation.</param>
    /// <param name="entry">Slot at which the region begins.</param>
    /// <param name="cfm">CFM at the entry.</param>
    /// <param name="floatContext">What is known of floating point.</param>
    public bool Make(in CodeSource firstPage, in CodeSource secondPage, int entry, ulong cfm, in FloatContext floatContext)
    {
        (first, second) = (firstPage, secondPage);
        limit = second.Slots == null ? PageSlots : AllSlots;
        this.entry = entry;
        isLoop = first.OwnLoops.Contains(entry);
        lastSlot = isLoop ? EndOfLoop(entry) : limit - 1;
        Floats = floatContext;
        Array.Clear(inside);
        Array.Clear(leads);
        Array.Clear(ends);
        Array.Fill(blockAt, -1);
        waitingCount = slotCount = 0;
        UsesSecond = false;
        if (!Decode(entry) || SlotAt(entry)->Opcode == Opcode.LongSecondSlot)
            return false;
        bool isEntry = true;
        Lead(entry);
        while (waitingCount > 0)
        {
            Follow(waiting[--waitingCount], isEntry);
            isEntry = false;
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
    private int EndOfLoop(int begin)
    {
        int last = limit - 1;
        for (int slot = begin; slot < Math.Min(begin + MostSlots, limit) && Decode(slot); slot++)
        {
            if (SlotAt(slot)->Opcode is Opcode.BrCond or Opcode.BrCloop && TargetOf(slot, SlotAt(slot)->Immediate) == begin)
                last = slot;
        }

        return last;
    }

    // The slot belongs to a loop that is a region of its own, or lies behind the one that this region is.
    private bool IsElsewhere(int slot) => slot != entry && (slot > lastSlot || (slot < entry && isLoop) || IsOwnLoop(slot));

    private bool IsOwnLoop(int slot) => slot < PageSlots ? first.OwnLoops.Contains(slot) : second.OwnLoops.Contains(slot - PageSlots);

    private void Lead(int slot)
    {
        if (leads[slot] || IsElsewhere(slot))
            return;
        leads[slot] = true;
        waiting[waitingCount++] = slot;
    }

    private bool Decode(int slot)
    {
        ref readonly CodeSource source = ref slot < PageSlots ? ref first : ref second;
        CodePage.Decode(source.Slots, source.Page, slot % PageSlots / 3);
        return SlotAt(slot)->Opcode != Opcode.Illegal;
    }

    // Takes slots from a leader on until control cannot go further.
    private void Follow(int slot, bool isEntry)
    {
        for (; slot < limit && !inside[slot]; slot++)
        {
            // The second slot of a long instruction is no place to go on from.
            if (IsElsewhere(slot) || !Decode(slot) || (slotCount >= MostSlots && SlotAt(slot)->Opcode != Opcode.LongSecondSlot))
                return;
            Instruction* i = SlotAt(slot);
            // A frame that changes in mid-region would make what is known of it differ from block to block.
            if (i->Opcode == Opcode.Alloc && !isEntry)
                return;
            inside[slot] = true;
            UsesSecond |= slot >= PageSlots;
            slotCount++;
            if (!IsControl(i))
                continue;
            ends[slot] = true;
            isEntry = false;
            if (i->Opcode is Opcode.BrCond or Opcode.Brl or Opcode.BrCloop or Opcode.BrCtop or Opcode.BrCexit or Opcode.BrWtop or Opcode.BrWexit)
            {
                int target = TargetOf(slot, i->Immediate);
                if (target >= 0)
                    Lead(target);
            }

            if (NeverFallsThrough(i, Floats.Context))
                return;
            if (slot + 1 < limit)
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
        for (int slot = entry; slot < limit && inside[slot] && !ends[slot] && (slot == entry || !leads[slot]); slot++)
        {
            Instruction* i = SlotAt(slot);
            if (i->Opcode == Opcode.Alloc)
                Cfm = FrameMarker.Of(i->Position, i->Length, i->Selector);
        }

        for (int slot = 0; slot < limit;)
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

    private int CutBlock(int begin, ulong cfm)
    {
        ref Block block = ref Blocks[BlockCount];
        block = new Block { First = begin, FirstIr = IrCount, FallsThrough = true };
        blockAt[begin] = BlockCount++;
        int slot = begin;
        uint highest = 31 + (uint)FrameMarker.Sof(cfm);
        do
        {
            Instruction* i = SlotAt(slot);
            if (slot == PageSlots && slot != begin)
                Ir[IrCount++] = new IrInstruction { Opcode = IrOpcode.PageEnd, Guest = SlotAt(slot - 1), Slot = (short)(slot - 1) };
            IrInstruction ir = Lifter.Lift(i, slot, highest, Floats);
            if (i->Opcode == Opcode.Alloc)
                highest = 31u + i->Position;
            // No alloc follows a branch: it is the region's frame that rotates.
            if (ir.Opcode == IrOpcode.RotatingLoop)
                ir.Length = (byte)((Cfm >> 14 & 0xF) << 3);
            if (slot == begin)
                block.StartsWithExit = ir.MayLeave;
            if (ends[slot] && NeverFallsThrough(i, Floats.Context))
                block.FallsThrough = false;
            if (ir.Opcode != IrOpcode.Nop)
                Ir[IrCount++] = ir;
        }
        while (!ends[slot++] && slot < limit && inside[slot] && !leads[slot]);
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
