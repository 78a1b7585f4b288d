using FastXen.Core.Decode;
using FastXen.Core.Emit;
using FastXen.Core.State;
using static FastXen.Core.Emit.HostRegister;

namespace FastXen.Core.Translate;

/// <summary>
/// Writes the host code of one region. Host registers: rbp the vCPU's state, rbx FrameBase, r15 the budget of slots; rax, rcx, rdx are scratch;
/// the rest holds guest registers as <see cref="RegisterAssignment"/> says.
/// </summary>
internal sealed unsafe partial class Generator
{
    private readonly Assembler asm;
    private readonly CodeArena arena;
    private readonly RegionPlan plan;
    private readonly RegisterAssignment registers;
    private RegionState* region;
    private ulong pageVa;
    private ulong context;

    // Assigned registers whose value in memory is old, at the point that is being emitted.
    private uint dirty;

    // An open run of instructions with one qualifying predicate: where it ends.
    private int openQp;
    private Label openEnd;

    // Conditions that the host's flags hold for two predicates, right behind a compare.
    private int flagsP1, flagsP2;
    private Condition flagsCondition;

    public Generator(Assembler asm, CodeArena arena, RegionPlan plan, RegisterAssignment registers)
    {
        this.asm = asm;
        this.arena = arena;
        this.plan = plan;
        this.registers = registers;
    }

    /// <summary>Emits the region; <see cref="Assembler.Overflow"/> of the assembler tells whether it fitted.</summary>
    public void Emit(RegionState* state, in FloatContext floatContext)
    {
        floats = floatContext;
        region = state;
        pageVa = state->CodeVa;
        context = state->Context;
        stubs.Clear();
        spills.Clear();
        plainResumes.Clear();
        secondPage = null;
        pendingMask = 0;
        continues = sunk = notesTags = false;
        FindFlagsField();
        for (int b = 0; b < plan.BlockCount; b++)
            plan.Blocks[b].Label = asm.NewLabel();
        asm.Align(16);
        state->Entry = asm.Here;
        EmitEntry();
        for (int k = 0; k < plan.BlockCount; k++)
        {
            // The entry block comes first, the others by address.
            int b = k == 0 ? plan.EntryBlock : k <= plan.EntryBlock ? k - 1 : k;
            int next = k + 1 == plan.BlockCount ? -1 : k + 1 <= plan.EntryBlock ? k : k + 1;
            EmitBlock(ref plan.Blocks[b], next);
        }

        EmitStubs();
    }

    private void EmitEntry()
    {
        // The region is made for one frame size (and for rotation bases 0, unless it was entered with others).
        Label other = asm.NewLabel();
        if (Rotated)
        {
            asm.Load(Rax, State(StateOffsets.Cfm), 4);
            asm.Arithmetic(Alu.And, Rax, 0x3_FFFF, 4);
            asm.Arithmetic(Alu.Cmp, Rax, (int)(region->Cfm & 0x3_FFFF), 4);
        }
        else
        {
            asm.Arithmetic(Alu.Cmp, State(StateOffsets.Cfm), (int)region->Cfm, 8);
        }

        asm.Jump(Condition.Ne, other);
        stubs.Add(new Stub { Label = other, Kind = StubKind.OtherFrame });
        CountEntry();
        EmitReload(registers.EntryLoads);
        EmitFloatEntry();
    }

    private bool Rotated => region->Cfm >> 18 != 0;

    private void EmitBlock(ref Block block, int nextEmitted)
    {
        asm.Bind(block.Label);
        CountBlock(block);
        dirty = block.DirtyIn;
        openQp = 0;
        flagsP1 = flagsP2 = 0;
        int first = block.First;
        (int predecessors, int predecessorSlot) = (block.Predecessors, block.PredecessorSlot);
        if (continues)
            (first, predecessors, predecessorSlot) = (current.First, current.Predecessors, current.PredecessorSlot);
        if (!continues)
        {
            knownPages.Clear();
            StartFloat();
        }

        deferred.Clear();
        current = block with { First = first, Predecessors = predecessors, PredecessorSlot = predecessorSlot };
        continues = false;
        for (int k = block.FirstIr; k < block.EndIr; k++)
        {
            ref IrInstruction ir = ref plan.Ir[k];
            if (ir.EndsBlock)
            {
                CloseQp();
                EmitControl(ref ir, nextEmitted);
                return;
            }

            if (CanSink(block, k))
            {
                EmitSunk(ir);
                continue;
            }

            if (ir.Opcode == IrOpcode.Float)
                Settle();
            int last = ir.Opcode == IrOpcode.Float && ir.Guest->Opcode == Opcode.Frcpa && !ir.TestsNat ? EmitDivision(block, k) : k;
            if (last == k)
                EmitOne(ref ir);
            k = last;
        }

        CloseQp();
        FallThrough(nextEmitted);
    }

    private void EmitOne(ref IrInstruction ir)
    {
        if (!Prepare(ir))
            return;
        OpenQp(ir);
        int firstStub = stubs.Count;
        if (ir.TestsNat)
            EmitNatTest(ir);
        EmitInstruction(ref ir);
        if (ir.TestsNat)
            EmitNoNat(ir);
        CloseSlow();
        FollowPages(ir, firstStub);
        FollowDeferred(ir, firstStub);
        // An instruction that writes its own qualifying predicate.
        if (openQp != 0 && ((IsPredicateWriter(ir) && (ir.P1 == openQp || ir.P2 == openQp)) || ir.WritesManyPredicates))
            CloseQp();
    }

    private static bool IsPredicateWriter(in IrInstruction ir) => ir.Opcode is IrOpcode.Compare or IrOpcode.TestBit or IrOpcode.Decided or IrOpcode.FloatCompare;

    // The block that is being emitted, or the run of blocks: those that are only reached from the one before continue it.
    private Block current;
    private bool continues;

    private static HostAddress State(int displacement) => new(Rbp, displacement);

    /// <summary>Where a guest register lies in memory.</summary>
    private HostAddress InMemory(int guest) =>
        onWindow && plan.IsInWindow(guest) ? Windowed(guest)
        : guest == IrInstruction.LoopCount ? State(StateOffsets.ArOf(Ar.Lc))
        : guest < 32 ? State(StateOffsets.Gr + 8 * guest)
        : new HostAddress(Rbx, 8 * guest);

    private static HostAddress Predicate(int p) => State(StateOffsets.Predicates + p);

    private bool IsAssigned(int guest) => registers.IndexOf(guest) >= 0;

    private HostRegister HostOf(int guest) => RegisterAssignment.Hosts[registers.IndexOf(guest)];

    /// <summary>A host register that holds a guest register: its own, or <paramref name="scratch"/> after a load.</summary>
    private HostRegister Read(int guest, HostRegister scratch)
    {
        if (guest == 0)
            asm.MovImmediate(scratch, 0);
        else if (IsAssigned(guest))
            return HostOf(guest);
        else
            asm.Load(scratch, InMemory(guest), 8);
        return scratch;
    }

    /// <summary>Copies a guest register into <paramref name="to"/>.</summary>
    private void ReadInto(HostRegister to, int guest)
    {
        HostRegister from = Read(guest, to);
        if (from != to)
            asm.Mov(to, from);
    }

    /// <summary>The host register in which a result is best made.</summary>
    private HostRegister Target(int guest, HostRegister scratch) => IsAssigned(guest) ? HostOf(guest) : scratch;

    /// <summary>The result of an instruction is in <paramref name="from"/>.</summary>
    private void Write(int guest, HostRegister from)
    {
        if (IsAssigned(guest))
        {
            if (HostOf(guest) != from)
                asm.Mov(HostOf(guest), from);
            dirty |= registers.Bit(guest);
        }
        else
        {
            asm.Store(InMemory(guest), from, 8);
        }
    }

    /// <summary>op to, guest.</summary>
    private void Apply(Alu op, HostRegister to, int guest, int size = 8)
    {
        if (guest == 0)
            asm.Arithmetic(op, to, 0, size);
        else if (IsAssigned(guest))
            asm.Arithmetic(op, to, HostOf(guest), size);
        else
            asm.Arithmetic(op, to, InMemory(guest), size);
    }

    private static bool Fits(ulong immediate) => (long)immediate == (int)immediate;

    /// <summary>op to, immediate of any size; rcx may be used.</summary>
    private void Apply(Alu op, HostRegister to, ulong immediate)
    {
        if (Fits(immediate))
        {
            asm.Arithmetic(op, to, (int)immediate);
            return;
        }

        asm.MovImmediate(Rcx, immediate);
        asm.Arithmetic(op, to, Rcx);
    }

    private void OpenQp(in IrInstruction ir)
    {
        int qp = ir.Type == PredicateType.Unconditional || IsPending(ir.Qp) ? 0 : ir.Qp;
        if (qp == openQp)
            return;
        CloseQp();
        if (qp == 0)
            return;
        openQp = qp;
        openEnd = asm.NewLabel();
        JumpIf(qp, false, openEnd);
    }

    private void CloseQp()
    {
        if (openQp == 0)
            return;
        asm.Bind(openEnd);
        openQp = 0;
        flagsP1 = flagsP2 = 0;
    }

    private static Condition Inverse(Condition condition) => (Condition)((int)condition ^ 1);

    private ulong BundleOf(int slot) => pageVa + (ulong)(slot / 3) * 16;

    // Address of a slot as regions are named: bundle, low bits the slot.
    private ulong Address(int slot) => BundleOf(slot) + (uint)(slot % 3);

    private void EmitInstruction(ref IrInstruction ir)
    {
        bool compares = ir.Opcode is IrOpcode.Compare or IrOpcode.TestBit;
        if (!compares)
            flagsP1 = flagsP2 = 0;
        switch (ir.Opcode)
        {
            case IrOpcode.Handler:
                EmitHandler(ir);
                modifiedBits = 0;
                break;
            case IrOpcode.Compare or IrOpcode.TestBit or IrOpcode.Decided:
                EmitPredicates(ir);
                break;
            case IrOpcode.Load or IrOpcode.Store or IrOpcode.Fill or IrOpcode.Spill or IrOpcode.UpdateBase or IrOpcode.AdvancedLoad or IrOpcode.CheckLoad:
                EmitMemory(ir);
                break;
            case IrOpcode.Packed:
                EmitPacked(ir);
                break;
            case IrOpcode.Exchange or IrOpcode.CompareExchange or IrOpcode.FetchAdd:
                EmitSemaphore(ir);
                break;
            case IrOpcode.MoveFromPredicates or IrOpcode.MoveToPredicates or IrOpcode.SetRotatingPredicates:
                EmitMovePredicates(ir);
                break;
            case IrOpcode.TouchedLine:
                EmitTranslate(ir, ReadTag);
                EmitUpdate(ir);
                break;
            case IrOpcode.Serialize or IrOpcode.MoveFromPsr or IrOpcode.DisableInterrupts or IrOpcode.MoveToRsc or IrOpcode.MoveToEc:
                EmitSystem(ir);
                break;
            case IrOpcode.BackingStorePointer or IrOpcode.MoveFromStack or IrOpcode.MoveToStack or IrOpcode.MoveToKernel:
                EmitStackRegister(ir);
                break;
            case IrOpcode.CheckAdvanced or IrOpcode.DropAdvanced or IrOpcode.DropAllAdvanced:
                EmitAlatInstruction(ir);
                break;
            case IrOpcode.SwitchBank or IrOpcode.MoveFromControl or IrOpcode.MoveToControl:
                EmitKernel(ir);
                break;
            case IrOpcode.Float:
                EmitFloat(ir);
                break;
            case IrOpcode.FloatCompare:
                EmitFloatCompare(ir);
                break;
            case IrOpcode.FloatLoad:
                EmitFloatLoad(ir);
                break;
            case IrOpcode.FloatStore:
                EmitFloatStore(ir);
                break;
            case IrOpcode.MoveToBranch:
                asm.Store(State(StateOffsets.Br + 8 * ir.P1), Read(ir.A, Rax), 8);
                break;
            case IrOpcode.MoveFromBranch:
                asm.Load(Target(ir.D, Rax), State(StateOffsets.Br + 8 * ir.P1), 8);
                Write(ir.D, Target(ir.D, Rax));
                break;
            case IrOpcode.MoveFromApplication:
                asm.Load(Target(ir.D, Rax), State(StateOffsets.ArOf(ir.P1)), 8);
                Write(ir.D, Target(ir.D, Rax));
                break;
            case IrOpcode.MoveToApplication:
                EmitMoveToApplication(ir);
                break;
            case IrOpcode.Alloc:
                EmitAlloc(ir);
                break;
            case IrOpcode.Fence:
                asm.Fence();
                break;
            case IrOpcode.CheckSpeculation:
                break;
            case IrOpcode.PageEnd:
                EmitPageEnd(ir);
                break;
            default:
                EmitInteger(ir);
                break;
        }
    }

    private void EmitMoveToApplication(in IrInstruction ir)
    {
        HostRegister value = Read(ir.A, Rax);
        if (ir.P1 == Ar.Pfs)
        {
            // Reserved fields fault: the handler's.
            asm.MovImmediate(Rcx, 0x3C0F_FFC0_0000_0000);
            asm.Test(value, Rcx);
            Slow(ir, Condition.Ne);
        }

        asm.Store(State(StateOffsets.ArOf(ir.P1)), value, 8);
    }

    private void EmitAlloc(in IrInstruction ir)
    {
        Instruction* i = ir.Guest;
        int sof = i->Position;
        ulong cfm = FrameMarker.Of(i->Position, i->Length, i->Selector);
        // Rotation is the handler's.
        asm.Arithmetic(Alu.Cmp, State(StateOffsets.Cfm), 0x3_FFFF, 8);
        Slow(ir, Condition.A);
        asm.Arithmetic(Alu.Cmp, State(StateOffsets.Dirty), Interpret.Rse.PhysicalRegisters - sof, 4);
        Slow(ir, Condition.G);
        asm.Arithmetic(Alu.Cmp, State(StateOffsets.AlatRenamed), 0, 4);
        Slow(ir, Condition.Ne);
        asm.StoreImmediate(State(StateOffsets.Cfm), (int)cfm, 8);
        asm.StoreImmediate(State(StateOffsets.GrLimit), 31 + sof, 4);
        asm.Load(Rax, State(StateOffsets.ArOf(Ar.Pfs)), 8);
        Write(ir.D, Rax);
    }
}
