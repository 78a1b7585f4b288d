using FastXen.Core.Emit;
using FastXen.Core.State;
using static FastXen.Core.Emit.HostRegister;

namespace FastXen.Core.Translate;

/// <summary>Branches, calls and returns.</summary>
internal sealed unsafe partial class Generator
{
    private void EmitControl(ref IrInstruction ir, int nextEmitted)
    {
        if (ir.Opcode != IrOpcode.Branch)
            Settle();
        switch (ir.Opcode)
        {
            case IrOpcode.Branch:
                EmitBranch(ir, nextEmitted);
                break;
            case IrOpcode.CountedLoop:
                EmitCountedLoop(ir, nextEmitted);
                break;
            case IrOpcode.RotatingLoop:
                EmitRotatingLoop(ir, nextEmitted);
                break;
            case IrOpcode.SystemMask:
                EmitSystemMask(ir, nextEmitted);
                break;
            case IrOpcode.Cover:
                EmitCover(ir);
                break;
            case IrOpcode.Break:
                EmitBreak(ir, nextEmitted);
                break;
            default:
                EmitFarBranch(ir, nextEmitted);
                break;
        }
    }

    // Jumps where the branch's predicate has the given value.
    private void JumpIf(int qp, bool value, Label to)
    {
        if (qp == flagsP1 || qp == flagsP2)
        {
            asm.Jump((qp == flagsP1) == value ? flagsCondition : Inverse(flagsCondition), to);
            return;
        }

        if (IsBit(qp))
        {
            Condition set = EmitTestBit(qp);
            asm.Jump(value ? set : Inverse(set), to);
            return;
        }

        asm.Arithmetic(Alu.Cmp, Predicate(qp), 0, 1);
        asm.Jump(value ? Condition.Ne : Condition.E, to);
    }

    private void EmitBranch(in IrInstruction ir, int nextEmitted)
    {
        int slot = plan.TargetSlot(ir);
        int target = plan.BlockAt(slot);
        ulong address = BundleOf(ir.Slot) + ir.Immediate;
        bool isSunk = sunk;
        sunk = false;
        bool isKnown = !isSunk && IsPending(ir.Qp);
        if (isKnown && !PendingValue(ir.Qp))
        {
            FallThrough(nextEmitted);
            return;
        }

        if (ir.Qp == 0 || isKnown)
        {
            Settle();
            if (target >= 0)
                EmitTakenEdge(ir, target, nextEmitted);
            else
                EmitLeave(ir, address);
            return;
        }

        (int p1, int p2, ulong mask, ulong values) = (flagsP1, flagsP2, pendingMask, pendingValues);
        if (target >= 0 && slot <= ir.Slot)
        {
            // Backward, mostly taken: in line.
            Label not = asm.NewLabel();
            JumpIf(ir.Qp, false, not);
            if (isSunk)
                Know(p1, p2, ir.Qp, taken: true);
            Settle();
            EmitTakenEdge(ir, target, -1);
            asm.Bind(not);
            (pendingMask, pendingValues) = (mask, values);
        }
        else
        {
            Label taken = asm.NewLabel();
            if (isSunk)
                Know(p1, p2, ir.Qp, taken: true);
            stubs.Add(new Stub
            {
                Label = taken,
                Kind = target >= 0 ? StubKind.Edge : StubKind.Leave,
                Dirty = dirty,
                PendingMask = pendingMask,
                PendingValues = pendingValues,
                Target = target,
                Address = address,
                Block = current,
                Instruction = ir,
            });
            (pendingMask, pendingValues) = (mask, values);
            JumpIf(ir.Qp, true, taken);
        }

        if (isSunk)
            Know(p1, p2, ir.Qp, taken: false);
        FallThrough(nextEmitted);
    }

    private void EmitCountedLoop(in IrInstruction ir, int nextEmitted)
    {
        Label not = asm.NewLabel();
        if (IsAssigned(IrInstruction.LoopCount))
        {
            HostRegister count = HostOf(IrInstruction.LoopCount);
            asm.Test(count, count);
            asm.Jump(Condition.E, not);
            asm.Arithmetic(Alu.Sub, count, 1);
            dirty |= registers.Bit(IrInstruction.LoopCount);
        }
        else
        {
            asm.Arithmetic(Alu.Cmp, InMemory(IrInstruction.LoopCount), 0, 8);
            asm.Jump(Condition.E, not);
            asm.Arithmetic(Alu.Sub, InMemory(IrInstruction.LoopCount), 1, 8);
        }

        int target = plan.BlockAt(plan.TargetSlot(ir));
        if (target >= 0)
            EmitTakenEdge(ir, target, -1);
        else
            EmitLeave(ir, BundleOf(ir.Slot) + ir.Immediate);
        asm.Bind(not);
        FallThrough(nextEmitted);
    }

    private void EmitFarBranch(in IrInstruction ir, int nextEmitted)
    {
        Label not = asm.NewLabel();
        if (ir.Qp != 0)
            JumpIf(ir.Qp, false, not);
        EmitSpill(dirty);
        uint before = dirty;
        dirty = 0;
        switch (ir.Opcode)
        {
            case IrOpcode.BranchIndirect:
                LoadBranchTarget(ir.P2);
                EmitLeaveIndirect(ir);
                break;
            case IrOpcode.Return:
                EmitReturn(ir);
                break;
            default:
                EmitCall(ir);
                break;
        }

        CloseSlow();
        dirty = before;
        if (ir.Qp == 0)
            return;
        asm.Bind(not);
        FallThrough(nextEmitted);
    }

    private void LoadBranchTarget(int branch)
    {
        asm.Load(Rdx, State(StateOffsets.Br + 8 * branch), 8);
        asm.Arithmetic(Alu.And, Rdx, -16);
    }

    // To the address in rdx.
    private void EmitLeaveIndirect(in IrInstruction ir)
    {
        EmitLastIp(BundleOf(ir.Slot));
        asm.Arithmetic(Alu.Sub, R15, SlotsOfBlock);
        asm.Jump(Condition.G, arena.Jump);
        asm.Jump(arena.Miss);
    }

    // The frame moves up by the locals; AR.PFS and the branch register get what the return needs (SDM vol 3, br.call).
    private void EmitCall(in IrInstruction ir)
    {
        ulong cfm = plan.Cfm & 0x3_FFFF;
        int sof = FrameMarker.Sof(cfm), sol = FrameMarker.Sol(cfm);
        ulong next = BundleOf(ir.Slot) + 16;
        // Rotation, entries of the ALAT for stacked registers, the end of the buffer: the handler's.
        asm.Arithmetic(Alu.Cmp, State(StateOffsets.Cfm), (int)cfm, 8);
        Slow(ir, Condition.Ne);
        asm.Arithmetic(Alu.Cmp, State(StateOffsets.AlatRenamed), 0, 4);
        Slow(ir, Condition.Ne);
        asm.Arithmetic(Alu.Cmp, Rbx, State(StateOffsets.HighestFrame));
        Slow(ir, Condition.A);
        if (ir.Opcode == IrOpcode.CallIndirect)
            LoadBranchTarget(ir.P2);
        asm.MovImmediate(Rax, next);
        asm.Store(State(StateOffsets.Br + 8 * ir.P1), Rax, 8);
        asm.Load(Rsi, State(StateOffsets.ArOf(Ar.Ec)), 8);
        asm.ShiftBy(Shift.Shl, Rsi, 52);
        asm.MovImmediate(Rcx, cfm | (context & TranslationContext.CplMask) >> TranslationContext.CplShift << 62);
        asm.Arithmetic(Alu.Or, Rsi, Rcx);
        asm.Store(State(StateOffsets.ArOf(Ar.Pfs)), Rsi, 8);
        // What the return will be predicted with.
        asm.Load(Rcx, State(StateOffsets.ShadowTop), 4);
        asm.Arithmetic(Alu.Add, Rcx, sizeof(ShadowEntry), 4);
        asm.Arithmetic(Alu.And, Rcx, sizeof(ShadowEntry) * (CodeState.ShadowEntries - 1), 4);
        asm.Store(State(StateOffsets.ShadowTop), Rcx, 4);
        asm.Load(R8, State(StateOffsets.Spaces + 8 * (int)(next >> 61)), 8);
        CallSite* site = arena.NewCallSite();
        *site = new CallSite { Cfm = cfm, Locals = (ulong)sol, DirtyLimit = Interpret.Rse.PhysicalRegisters - sof, GrLimit = 31 + (uint)sof };
        asm.MovImmediate(R9, (ulong)site);
        asm.Store(Shadow(0), Rax, 8);
        asm.Store(Shadow(8), Rsi, 8);
        asm.Store(Shadow(16), R8, 8);
        asm.Store(Shadow(24), R9, 8);
        if (sol != 0)
        {
            asm.Arithmetic(Alu.Add, Rbx, 8 * sol);
            asm.Store(State(StateOffsets.FrameBase), Rbx, 8);
            asm.Arithmetic(Alu.Add, State(StateOffsets.FrameNat), sol, 8);
            asm.Arithmetic(Alu.Add, State(StateOffsets.Dirty), sol, 4);
        }

        asm.StoreImmediate(State(StateOffsets.Cfm), sof - sol, 8);
        asm.StoreImmediate(State(StateOffsets.GrLimit), 31 + sof - sol, 4);
        if (ir.Opcode == IrOpcode.CallIndirect)
            EmitLeaveIndirect(ir);
        else
            EmitLeave(ir, BundleOf(ir.Slot) + ir.Immediate);
        // The landing of the return: to the code behind the call, once there is some.
        site->Code = asm.Here;
        int number = NewSite(ExitKind.Look, next, BundleOf(ir.Slot));
        if ((next & ~0xFFFUL) == LeavingPage)
        {
            int link = asm.JumpPatchable(asm.Here);
            arena.Site(number)->Link = Link(link);
            *Link(link) = 0;
            // The look was before; LastIp is the return's.
            arena.Site(number)->LastIp = ExitSite.KeepLastIp;
            asm.MovImmediate(Rax, (uint)number);
            asm.Jump(arena.Exit);
        }
        else
        {
            EmitJumpToPage(next);
        }
    }

    private static HostAddress Shadow(int field) => new(Rbp, Rcx, 1, StateOffsets.Shadow + field);

    // The return that the newest call predicts; all else is the handler's.
    private void EmitReturn(in IrInstruction ir)
    {
        asm.Load(Rcx, State(StateOffsets.ShadowTop), 4);
        asm.Load(Rdx, State(StateOffsets.Br + 8 * ir.P2), 8);
        // Another place, or another frame.
        Label unpredicted = asm.NewLabel();
        stubs.Add(new Stub { Label = unpredicted, Kind = StubKind.Unpredicted, Block = current, Instruction = ir });
        OpenSlow(ir);
        stubs[^2] = stubs[^2] with { Slow = slowLabel };
        asm.Arithmetic(Alu.Cmp, Rdx, Shadow(0));
        asm.Jump(Condition.Ne, unpredicted);
        asm.Load(Rsi, State(StateOffsets.ArOf(Ar.Pfs)), 8);
        asm.Arithmetic(Alu.Cmp, Rsi, Shadow(8));
        asm.Jump(Condition.Ne, unpredicted);
        asm.Mov(Rax, Rdx);
        asm.ShiftBy(Shift.Shr, Rax, 61);
        asm.Load(Rax, new HostAddress(Rbp, Rax, 8, StateOffsets.Spaces), 8);
        asm.Arithmetic(Alu.Cmp, Rax, Shadow(16));
        asm.Jump(Condition.Ne, unpredicted);
        asm.Load(Rdi, Shadow(24), 8);
        // Rotation.
        asm.Arithmetic(Alu.Cmp, State(StateOffsets.Cfm), 0x3_FFFF, 8);
        Slow(ir, Condition.A);
        asm.Arithmetic(Alu.Cmp, State(StateOffsets.AlatRenamed), 0, 4);
        Slow(ir, Condition.Ne);
        asm.Load(R8, new HostAddress(Rdi, 16), 8);
        asm.Load(R9, State(StateOffsets.Dirty), 4);
        asm.Arithmetic(Alu.Sub, R9, R8, 4);
        Slow(ir, Condition.S);
        asm.Arithmetic(Alu.Cmp, R9, new HostAddress(Rdi, 24), 4);
        Slow(ir, Condition.G);
        asm.Mov(R10, R8);
        asm.ShiftBy(Shift.Shl, R10, 3);
        asm.Mov(R11, Rbx);
        asm.Arithmetic(Alu.Sub, R11, R10);
        asm.Arithmetic(Alu.Cmp, R11, State(StateOffsets.LowestFrame));
        Slow(ir, Condition.B);
        asm.Store(State(StateOffsets.Dirty), R9, 4);
        asm.Mov(Rbx, R11);
        asm.Store(State(StateOffsets.FrameBase), Rbx, 8);
        asm.Arithmetic(Alu.Sub, State(StateOffsets.FrameNat), R8, 8);
        asm.Load(Rax, new HostAddress(Rdi, 8), 8);
        asm.Store(State(StateOffsets.Cfm), Rax, 8);
        asm.Load(Rax, new HostAddress(Rdi, 28), 4);
        asm.Store(State(StateOffsets.GrLimit), Rax, 4);
        asm.ShiftBy(Shift.Shr, Rsi, 52);
        asm.Arithmetic(Alu.And, Rsi, 0x3F, 4);
        asm.Store(State(StateOffsets.ArOf(Ar.Ec)), Rsi, 8);
        asm.Arithmetic(Alu.Sub, Rcx, sizeof(ShadowEntry), 4);
        asm.Arithmetic(Alu.And, Rcx, sizeof(ShadowEntry) * (CodeState.ShadowEntries - 1), 4);
        asm.Store(State(StateOffsets.ShadowTop), Rcx, 4);
        EmitLastIp(BundleOf(ir.Slot));
        asm.Arithmetic(Alu.Sub, R15, SlotsOfBlock);
        asm.Jump(Condition.Le, arena.Miss);
        asm.Jump(new HostAddress(Rdi));
    }

    // A return that the newest call does not predict.
    private void EmitUnpredicted(in Stub stub)
    {
        asm.Call(arena.Unpredicted);
        asm.Test(Rax, Rax, 4);
        asm.Jump(Condition.Ne, stub.Slow);
        EmitLeaveIndirect(stub.Instruction);
    }
}
