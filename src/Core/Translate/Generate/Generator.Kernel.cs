using FastXen.Core.Decode;
using FastXen.Core.Emit;
using FastXen.Core.Interpret;
using FastXen.Core.State;
using static FastXen.Core.Emit.HostRegister;
using static FastXen.Core.Emit.HostVector;

namespace FastXen.Core.Translate;

/// <summary>What kernels execute at each entry and exit: status masks, control registers, cover, bsw.</summary>
internal sealed unsafe partial class Generator
{
    private const int FirstBanked = 16, EndBanked = 32;

    private void EmitKernel(in IrInstruction ir)
    {
        switch (ir.Opcode)
        {
            case IrOpcode.SwitchBank:
                EmitSwitchBank(ir);
                break;
            case IrOpcode.MoveFromControl:
                asm.Load(Target(ir.D, Rax), State(StateOffsets.CrOf(ir.P1)), 8);
                Write(ir.D, Target(ir.D, Rax));
                break;
            default:
                EmitMoveToControl(ir);
                break;
        }
    }

    private void EmitMoveToControl(in IrInstruction ir)
    {
        HostRegister value = Read(ir.A, Rax);
        ulong reserved = ControlRegisters.ReservedBits(ir.P1);
        if (reserved != 0)
        {
            asm.MovImmediate(Rcx, reserved);
            asm.Test(value, Rcx);
            Slow(ir, Condition.Ne);
        }

        asm.Store(State(StateOffsets.CrOf(ir.P1)), value, 8);
    }

    // r16-r31 change places with the other bank's. The switch to the bank that is selected, and what the ALAT knows of a bank, are the handler's.
    private void EmitSwitchBank(in IrInstruction ir)
    {
        asm.Arithmetic(Alu.Cmp, State(StateOffsets.AlatValid), 0, 4);
        Slow(ir, Condition.Ne);
        asm.Load(Rax, State(StateOffsets.Psr), 8);
        asm.Test(Rax, (int)Psr.I, 4);
        Slow(ir, Condition.Ne);
        asm.BitTest(Rax, BankBit);
        Slow(ir, ir.Guest->Opcode == Opcode.Bsw1 ? Condition.B : Condition.Ae);
        asm.BitTestComplement(Rax, BankBit);
        asm.Store(State(StateOffsets.Psr), Rax, 8);
        uint banked = 0;
        for (int r = FirstBanked; r < EndBanked; r++)
            banked |= registers.Bit(r);
        EmitSpill(dirty & banked);
        for (int r = 0; r < EndBanked - FirstBanked; r += 4)
        {
            HostAddress one = InMemory(FirstBanked + r), other = State(StateOffsets.OtherBank + 8 * r);
            asm.VectorLoad(Xmm0, one, 32);
            asm.VectorLoad(Xmm1, other, 32);
            asm.VectorStore(one, Xmm1, 32);
            asm.VectorStore(other, Xmm0, 32);
        }

        for (int k = 0; k < registers.Count; k++)
        {
            if ((banked >> k & 1) != 0)
                asm.Load(RegisterAssignment.Hosts[k], InMemory(registers.Guest(k)), 8);
        }
    }

    private const int BankBit = 44;

    // ssm, rsm. A change ends the run of slots: what is due is looked at, as the interpreter does.
    private void EmitSystemMask(in IrInstruction ir, int nextEmitted)
    {
        bool set = ir.Guest->Opcode == Opcode.Ssm;
        int mask = (int)ir.Immediate;
        bool changesCollection = Lifter.ChangesCollection(ir.Guest, (uint)context);
        Label not = asm.NewLabel();
        if (ir.Qp != 0)
            JumpIf(ir.Qp, false, not);
        uint before = dirty;
        if (changesCollection)
        {
            EmitSpill(dirty);
            dirty = 0;
        }
        else
        {
            asm.Load(Rax, State(StateOffsets.Psr), 4);
            asm.Mov(Rcx, Rax, 4);
            asm.Arithmetic(set ? Alu.Or : Alu.And, Rcx, set ? mask : ~mask, 4);
            asm.Arithmetic(Alu.Cmp, Rcx, Rax, 4);
            asm.Jump(Condition.E, not);
        }

        if (set || (mask & (int)Psr.I) == 0)
        {
            // Interrupts may be let in.
            asm.Load(Rax, State(StateOffsets.Irr), 8);
            for (int word = 1; word < 4; word++)
                asm.Arithmetic(Alu.Or, Rax, State(StateOffsets.Irr + 8 * word));
            Slow(ir, Condition.Ne);
        }

        asm.Arithmetic(set ? Alu.Or : Alu.And, State(StateOffsets.Psr), set ? mask : ~mask, 8);
        int next = plan.BlockAt(current.End);
        if (changesCollection)
        {
            asm.StoreImmediate(State(StateOffsets.IcInFlight), 1, 4);
            EmitLastIp(BundleOf(ir.Slot));
            asm.Call(arena.ToggleCollection);
            asm.Arithmetic(Alu.Sub, R15, SlotsOfBlock);
            EmitJumpAfterLook(Address(current.End), ExitSite.KeepLastIp, TranslationContext.Ic);
        }
        else if (next >= 0)
        {
            EmitTakenEdge(ir, next, -1);
        }
        else
        {
            EmitLeave(ir, Address(current.End));
        }

        CloseSlow();
        dirty = before;
        asm.Bind(not);
        FallThrough(nextEmitted, isOnlyWay: false);
    }

    // The whole frame becomes dirty; the region ends, since it is made for its frame.
    private void EmitCover(in IrInstruction ir)
    {
        ulong cfm = plan.Cfm & 0x3_FFFF;
        int sof = FrameMarker.Sof(cfm);
        EmitSpill(dirty);
        dirty = 0;
        asm.Arithmetic(Alu.Cmp, State(StateOffsets.Cfm), (int)cfm, 8);
        Slow(ir, Condition.Ne);
        asm.Arithmetic(Alu.Cmp, State(StateOffsets.AlatRenamed), 0, 4);
        Slow(ir, Condition.Ne);
        asm.Arithmetic(Alu.Cmp, Rbx, State(StateOffsets.HighestFrame));
        Slow(ir, Condition.A);
        if (!CollectsInterruptions)
        {
            asm.MovImmediate(Rax, cfm | 1UL << 63);
            asm.Store(State(StateOffsets.CrOf(Cr.Ifs)), Rax, 8);
        }

        if (sof != 0)
        {
            asm.Arithmetic(Alu.Add, Rbx, 8 * sof);
            asm.Store(State(StateOffsets.FrameBase), Rbx, 8);
            asm.Arithmetic(Alu.Add, State(StateOffsets.FrameNat), sof, 8);
            asm.Arithmetic(Alu.Add, State(StateOffsets.Dirty), sof, 4);
        }

        asm.StoreImmediate(State(StateOffsets.Cfm), 0, 8);
        asm.StoreImmediate(State(StateOffsets.GrLimit), 31, 4);
        CloseSlow();
        asm.Lea(R15, new HostAddress(R15, -SlotsOfBlock));
        LeaveBehind();
    }
}
