using FastXen.Core.Emit;
using static FastXen.Core.Emit.HostRegister;

namespace FastXen.Core.Translate;

/// <summary>Ways out of a region. What the hot path does not need stands behind the region's code.</summary>
internal sealed unsafe partial class Generator
{
    private enum StubKind : byte
    {
        /// <summary>The handler of an instruction.</summary>
        Handler,

        /// <summary>A branch that leaves the region.</summary>
        Leave,

        /// <summary>A branch to a block of the region.</summary>
        Edge,

        /// <summary>The budget is used up at a branch to a block of the region.</summary>
        Deadline,

        /// <summary>As <see cref="Deadline"/>, or the page that is gone to has another translation.</summary>
        Crossing,

        /// <summary>A return that was not predicted.</summary>
        Unpredicted,

        /// <summary>The frame is another.</summary>
        OtherFrame,

        /// <summary>A floating-point register is not the double that the region takes it for.</summary>
        OtherFloats,

        /// <summary>A floating-point register is to become a tagged double.</summary>
        Tag,

        /// <summary>A floating-point register is to become an 82-bit one.</summary>
        Untag,

        /// <summary>A NaN came out of an operation in place: its target gets its value back from the second scratch register.</summary>
        KeptDouble,

        /// <summary>A result of single precision is half-way between two singles.</summary>
        Tie,

        /// <summary>A flag D of FPSR may have to be set.</summary>
        RaiseFlag,

        /// <summary>A floating-point register is to hold an integer as its significand.</summary>
        Significand,

        /// <summary>Operands of a division are to be made integers.</summary>
        Integers,

        /// <summary>An entry of the ALAT is to be dropped.</summary>
        DropEntry,

        /// <summary>PSR.mfl or mfh is to be set.</summary>
        Modified,

        /// <summary>A base register is used for another page.</summary>
        Page,

        /// <summary>Flags of the host are to be collected for a status field.</summary>
        Flags,

        /// <summary>A loop on a window of the rotating registers.</summary>
        Window,

        /// <summary>As <see cref="Handler"/>, in such a loop.</summary>
        WindowHandler,
    }

    private struct Stub
    {
        public Label Label;
        public Label Resume;
        public Label Slow;
        public StubKind Kind;
        public uint Dirty;
        public ulong PendingMask, PendingValues;
        public int Target;
        public ulong Address;
        public Block Block;
        public IrInstruction Instruction;

        /// <summary>Behind a handler: what the region's code takes for granted.</summary>
        public KnownPage[]? KnownPages;

        /// <summary>Before a handler: the entries of the ALAT that it must find.</summary>
        public DeferredEntry[]? Deferred;

        /// <summary>Behind a handler: the region's code goes on with another state of the ALAT, so that it is left.</summary>
        public bool Leaves;
    }

    private readonly List<Stub> stubs = [];

    // Code that stores a set of registers and leaves with the site in eax.
    private readonly List<(uint Dirty, Label Label)> spills = [];

    private bool slowIsOpen;
    private Label slowLabel, slowResume;

    private bool CollectsInterruptions => (context & TranslationContext.Ic) != 0;

    /// <summary>Leaves for the instruction's handler where the condition holds; it starts anew there. Nothing may have been changed yet.</summary>
    private void Slow(in IrInstruction ir, Condition condition)
    {
        OpenSlow(ir);
        asm.Jump(condition, slowLabel);
    }

    private void OpenSlow(in IrInstruction ir)
    {
        if (slowIsOpen)
            return;
        slowIsOpen = true;
        slowLabel = asm.NewLabel();
        slowResume = asm.NewLabel();
        Label resume = slowResume;
        if (onWindow)
            resume = plainResumes[(nint)ir.Guest];
        else if (current.IsWindow)
            plainResumes[(nint)ir.Guest] = slowResume;
        stubs.Add(new Stub { Label = slowLabel, Resume = resume, Kind = onWindow ? StubKind.WindowHandler : StubKind.Handler, Dirty = dirty, PendingMask = pendingMask, PendingValues = pendingValues, Block = current, Instruction = ir, Deferred = DeferredNow() });
    }

    private DeferredEntry[]? DeferredNow() => deferred.Count == 0 ? null : [.. deferred];

    /// <summary>The instruction is done: here the handler comes back to.</summary>
    private void CloseSlow()
    {
        if (!slowIsOpen)
            return;
        asm.Bind(slowResume);
        slowIsOpen = false;
        // The handler's way put the flags away, those of a compare too.
        floatField = -1;
        flagsP1 = flagsP2 = 0;
    }

    private void EmitHandler(in IrInstruction ir)
    {
        OpenSlow(ir);
        asm.Jump(slowLabel);
    }

    private void EmitStubs()
    {
        knownPages.Clear();
        deferred.Clear();
        for (int k = 0; k < stubs.Count; k++)
        {
            Stub stub = stubs[k];
            asm.Bind(stub.Label);
            dirty = stub.Dirty;
            current = stub.Block;
            (pendingMask, pendingValues) = (stub.PendingMask, stub.PendingValues);
            StorePending();
            switch (stub.Kind)
            {
                case StubKind.WindowHandler:
                    EmitLeaveWindow(plan.WindowRegisters, SlotsOfBlock);
                    EmitHandlerStub(stub);
                    break;
                case StubKind.Handler:
                    EmitHandlerStub(stub);
                    break;
                case StubKind.Window:
                    EmitWindow(stub);
                    break;
                case StubKind.Leave:
                    EmitLeave(stub.Instruction, stub.Address);
                    break;
                case StubKind.Edge:
                    EmitTakenEdge(stub.Instruction, stub.Target, -1);
                    break;
                case StubKind.Deadline:
                    EmitSpillAndExit(NewSite(ExitKind.Look, stub.Address, BundleOf(stub.Instruction.Slot)));
                    break;
                case StubKind.Crossing:
                    EmitCrossingStub(stub);
                    break;
                case StubKind.Tag or StubKind.Untag:
                    EmitChangeOfForm(stub);
                    break;
                case StubKind.RaiseFlag:
                    EmitRaiseFlag(stub);
                    break;
                case StubKind.Significand:
                    EmitSignificandStub(stub);
                    break;
                case StubKind.Integers:
                    EmitIntegersStub(stub);
                    break;
                case StubKind.DropEntry:
                    EmitDropEntry(stub);
                    break;
                case StubKind.Modified:
                    asm.Arithmetic(Alu.Or, State(StateOffsets.Psr), stub.Target, 4);
                    asm.Jump(stub.Resume);
                    break;
                case StubKind.KeptDouble:
                    asm.VectorMove((HostVector)stub.Target, HostVector.Xmm2);
                    asm.Jump(stub.Slow);
                    break;
                case StubKind.Tie:
                    EmitTie(stub);
                    break;
                case StubKind.OtherFloats:
                    region->OtherFloats = EmitOtherForm(ExitKind.OtherFloats);
                    break;
                case StubKind.Page:
                    EmitPageStub(stub);
                    break;
                case StubKind.Flags:
                    EmitFlagsStub(stub);
                    break;
                case StubKind.Unpredicted:
                    EmitUnpredicted(stub);
                    break;
                default:
                    region->OtherFrame = EmitOtherForm(ExitKind.OtherFrame);
                    break;
            }
        }

        EmitAlatStubs();
        foreach ((uint mask, Label label) in spills)
        {
            asm.Bind(label);
            EmitSpill(mask);
            asm.Jump(arena.Exit);
        }

        region->Reload = asm.Here;
        EmitReload(uint.MaxValue);
        EmitFloatReload();
        if (notesTags)
            asm.StoreImmediate(State(StateOffsets.FloatsTagged), 1, 1);
        asm.Jump(State(StateOffsets.Resume));
    }

    private void EmitHandlerStub(in Stub stub)
    {
        // The only way to the block is known: what came before its first slot need not be recorded.
        bool known = stub.Instruction.Slot == stub.Block.First && stub.Block.Predecessors == 1;
        int number = NewSite(ExitKind.Handler, 0, known ? BundleOf(stub.Block.PredecessorSlot) : ExitSite.KeepLastIp);
        ExitSite* site = arena.Site(number);
        site->Guest = stub.Instruction.Guest;
        site->Opcode = stub.Instruction.Guest->Opcode;
        site->Region = PageState(stub.Instruction.Slot);
        // For the distance between the two only: nothing is read there.
        site->RunStart = plan.SlotAt(stub.Instruction.Slot) - (stub.Instruction.Slot - stub.Block.First);
        bool isDirect = stub is { KnownPages: null, Leaves: false };
        Label resume = isDirect ? stub.Resume : asm.NewLabel();
        if (stub.Deferred != null)
        {
            EmitSpill(dirty);
            dirty = 0;
            EmitDeferred(stub.Deferred);
        }

        site->UsesPredicates = TranslationContext.UsesPredicates(stub.Instruction.Guest->Opcode)
            && !(stub.Instruction.Opcode == IrOpcode.Break && arena.Breaks!.KeepsPredicates(stub.Instruction.Guest->Immediate, Level));
        EmitSpillAndExit(number);
        if (!isDirect)
        {
            asm.Bind(resume);
            EmitWayBack(stub);
        }

        site->Resume = asm.AddressOf(resume);
    }

    // To the region's other form, once there is one.
    private int* EmitOtherForm(ExitKind kind)
    {
        int number = NewSite(kind, region->Ip, 0);
        int* link = Link(asm.JumpPatchable(asm.Here));
        *link = 0;
        asm.MovImmediate(Rax, (uint)number);
        asm.Jump(arena.Exit);
        return link;
    }

    private int* Link(int offset) => (int*)asm.WritableAt(offset);

    private int NewSite(ExitKind kind, ulong target, ulong lastIp)
    {
        int number = arena.NewSite();
        ExitSite* site = arena.Site(number);
        *site = new ExitSite { Region = region, Context = (uint)context, Kind = kind, Target = target, LastIp = lastIp };
        return number;
    }

    private void EmitSpillAndExit(int site)
    {
        asm.MovImmediate(Rax, (uint)site);
        if (dirty == 0)
        {
            asm.Jump(arena.Exit);
            return;
        }

        for (int k = 0; k < spills.Count; k++)
        {
            if (spills[k].Dirty == dirty)
            {
                asm.Jump(spills[k].Label);
                return;
            }
        }

        Label label = asm.NewLabel();
        spills.Add((dirty, label));
        asm.Jump(label);
    }

    // Loads the assigned general registers of a set.
    private void EmitReload(uint mask)
    {
        for (int k = 0; k < registers.Count; k++)
        {
            if ((mask >> k & 1) != 0 && registers.Guest(k) != 0)
                asm.Load(RegisterAssignment.Hosts[k], InMemory(registers.Guest(k)), 8);
        }
    }

    // Stores the assigned registers of a set.
    private void EmitSpill(uint mask)
    {
        for (int k = 0; k < registers.Count; k++)
        {
            if ((mask >> k & 1) != 0)
                asm.Store(InMemory(registers.Guest(k)), RegisterAssignment.Hosts[k], 8);
        }

        if (mask >> RegisterAssignment.FloatShift != 0)
            EmitFloatSpill(mask >> RegisterAssignment.FloatShift);
    }

    // IIPA's source, where interruptions are collected.
    private void EmitLastIp(ulong bundle)
    {
        if (!CollectsInterruptions)
            return;
        if (Fits(bundle))
        {
            asm.StoreImmediate(State(StateOffsets.LastIp), (int)bundle, 8);
            return;
        }

        asm.MovImmediate(Rax, bundle);
        asm.Store(State(StateOffsets.LastIp), Rax, 8);
    }

    private int SlotsOfBlock => current.End - current.First;

    /// <summary>A taken branch to a block of the region, or to another form of it.</summary>
    private void EmitTakenEdge(in IrInstruction ir, int target, int nextEmitted, Label? form = null)
    {
        ref Block block = ref plan.Blocks[target];
        if (block.NeedsLastIp)
            EmitLastIp(BundleOf(ir.Slot));
        asm.Arithmetic(Alu.Sub, R15, SlotsOfBlock);
        Label deadline = asm.NewLabel();
        bool crosses = IsCrossing(ir.Slot, block.First);
        stubs.Add(new Stub
        {
            Label = deadline,
            Kind = crosses ? StubKind.Crossing : StubKind.Deadline,
            Dirty = dirty,
            Address = Address(block.First),
            Block = current,
            Instruction = ir,
        });
        if (crosses)
        {
            asm.Jump(Condition.Le, deadline);
            EmitCrossing(deadline);
            if (target != nextEmitted)
                asm.Jump(form ?? block.Label);
            return;
        }

        if (target == nextEmitted)
        {
            asm.Jump(Condition.Le, deadline);
            return;
        }

        asm.Jump(Condition.G, form ?? block.Label);
        asm.Jump(deadline);
    }

    /// <summary>A taken branch, or the page's end, out of the region.</summary>
    private void EmitLeave(in IrInstruction ir, ulong target)
    {
        EmitSpill(dirty);
        EmitLastIp(BundleOf(ir.Slot));
        asm.Arithmetic(Alu.Sub, R15, SlotsOfBlock);
        EmitJumpAfterLook(target, BundleOf(ir.Slot));
    }

    // The flags tell whether budget is left. All registers are stored.
    private void EmitJumpAfterLook(ulong target, ulong lastIp, uint toggledContext = 0)
    {
        Label look = asm.NewLabel();
        asm.Jump(Condition.Le, look);
        int number = NewSite(ExitKind.Look, target, lastIp);
        arena.Site(number)->Context ^= toggledContext;
        if ((target & ~0xFFFUL) == LeavingPage)
        {
            int link = asm.JumpPatchable(asm.Here);
            arena.Site(number)->Link = Link(link);
            *Link(link) = 0;
        }
        else
        {
            EmitJumpToPage(target);
        }

        asm.Bind(look);
        asm.MovImmediate(Rax, (uint)number);
        asm.Jump(arena.Exit);
    }

    // To an address in another page, by its entry of the jump cache: arena.Jump, with what is known now computed now, and a jump of its own for the host's predictor.
    private void EmitJumpToPage(ulong target)
    {
        int entry = (int)(target >> 4 & (JumpEntry.Count - 1)) * sizeof(JumpEntry);
        asm.Load(Rax, State(StateOffsets.Jumps), 8);
        asm.MovImmediate(Rdx, target);
        asm.Load(Rcx, State(StateOffsets.Spaces + 8 * (int)(target >> 61)), 8);
        asm.Arithmetic(Alu.Cmp, Rdx, new HostAddress(Rax, entry));
        asm.Jump(Condition.Ne, arena.Miss);
        asm.Arithmetic(Alu.Cmp, Rcx, new HostAddress(Rax, entry + JumpEntry.SpaceOffset));
        asm.Jump(Condition.Ne, arena.Miss);
        asm.Jump(new HostAddress(Rax, entry + JumpEntry.CodeOffset));
    }

    /// <summary>Control goes from the block to the slot behind it. Its slots have not been counted.</summary>
    private void FallThrough(int nextEmitted, bool isOnlyWay = true)
    {
        int end = current.End;
        ulong last = BundleOf(end - 1);
        int next = current.FallsThrough ? plan.BlockAt(end) : -1;
        if (next >= 0 && IsCrossing(end - 1, end))
        {
            FallIntoPage(next, nextEmitted);
            return;
        }

        if (isOnlyWay && next >= 0 && next == nextEmitted && plan.Blocks[next].Predecessors == 1)
        {
            continues = true;
            return;
        }

        StorePending();
        asm.Lea(R15, new HostAddress(R15, -SlotsOfBlock));
        if (next >= 0)
        {
            if (plan.Blocks[next].NeedsLastIp)
                EmitLastIp(last);
            if (next != nextEmitted)
                asm.Jump(plan.Blocks[next].Label);
            return;
        }

        LeaveBehind();
    }

    /// <summary>Leaves the region for the slot behind the block. Its slots have been counted.</summary>
    private void LeaveBehind()
    {
        int end = current.End;
        ulong last = BundleOf(end - 1);
        EmitSpill(dirty);
        EmitLastIp(last);
        if (RegionPlan.EndsPage(end - 1))
        {
            // The next page is looked up anew, and what is due is looked at.
            asm.Test(R15, R15);
            EmitJumpAfterLook(BundleOf(end), last);
            return;
        }

        int number = NewSite(ExitKind.Continue, Address(end), last);
        int link = asm.JumpPatchable(asm.Here);
        arena.Site(number)->Link = Link(link);
        *Link(link) = 0;
        asm.MovImmediate(Rax, (uint)number);
        asm.Jump(arena.Exit);
    }
}
