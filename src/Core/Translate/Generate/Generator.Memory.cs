using FastXen.Core.Decode;
using FastXen.Core.Emit;
using FastXen.Core.State;
using static FastXen.Core.Emit.HostRegister;

namespace FastXen.Core.Translate;

/// <summary>Loads and stores: the fast TLB in line; what it does not have is the handler's.</summary>
internal sealed unsafe partial class Generator
{
    // Fields of Mmu.FastEntry, 32 bytes each, 1024 in a table.
    private const int ReadTag = 0, WriteTag = 8, Addend = 16;

    private void EmitMemory(in IrInstruction ir)
    {
        switch (ir.Opcode)
        {
            case IrOpcode.Load:
                EmitLoad(ir);
                break;
            case IrOpcode.Fill:
                EmitFill(ir);
                break;
            case IrOpcode.UpdateBase:
                EmitUpdate(ir);
                break;
            case IrOpcode.AdvancedLoad:
                EmitAdvancedLoad(ir);
                break;
            case IrOpcode.CheckLoad:
                EmitCheckLoad(ir);
                break;
            default:
                EmitStore(ir);
                break;
        }
    }

    /// <summary>The host address of a guest access; rax, rcx and rdx are used, and rdx is part of it.</summary>
    private HostAddress EmitTranslate(in IrInstruction ir, int tag)
    {
        HostRegister address = Read(ir.A, Rdx);
        if (IsKnownPage(ir, tag))
        {
            if (tag == WriteTag)
                OpenSlow(ir);
            return EmitHostAddress(address, State(PageOf(ir.A) + Addend));
        }

        if (!registers.StaysInPage(ir))
        {
            EmitFastTlb(ir, tag, address);
            Slow(ir, Condition.Ne);
            return EmitHostAddress(address, new HostAddress(Rcx, Addend));
        }

        // The page for which the base register was used last; else the TLB, out of line.
        OpenSlow(ir);
        if (tag == ReadTag && LooksForStore(ir))
            tag = WriteTag;
        LearnPage(ir, tag);
        int page = PageOf(ir.A);
        Label look = asm.NewLabel(), found = asm.NewLabel();
        asm.MovImmediate(Rax, ~0xFFFUL | (uint)(ir.Size - 1));
        asm.Arithmetic(Alu.And, Rax, address);
        asm.Arithmetic(Alu.Cmp, Rax, State(page + tag));
        asm.Jump(Condition.Ne, look);
        asm.Bind(found);
        stubs.Add(new Stub { Label = look, Resume = found, Kind = StubKind.Page, Slow = slowLabel, Target = tag, Block = current, Instruction = ir });
        return EmitHostAddress(address, State(page + Addend));
    }

    private HostAddress EmitHostAddress(HostRegister address, in HostAddress addend)
    {
        if (address == Rdx)
        {
            asm.Arithmetic(Alu.Add, Rdx, addend);
            return new HostAddress(Rdx);
        }

        asm.Load(Rdx, addend, 8);
        return new HostAddress(Rdx, address, 1);
    }

    private void EmitPageStub(in Stub stub)
    {
        IrInstruction ir = stub.Instruction;
        int page = PageOf(ir.A);
        EmitFastTlb(ir, stub.Target, IsAssigned(ir.A) ? HostOf(ir.A) : Rdx);
        asm.Jump(Condition.Ne, stub.Slow);
        asm.VectorLoad(HostVector.Xmm0, new HostAddress(Rcx), 16);
        asm.VectorStore(State(page), HostVector.Xmm0, 16);
        asm.Load(Rax, new HostAddress(Rcx, Addend), 8);
        asm.Store(State(page + Addend), Rax, 8);
        asm.Jump(stub.Resume);
    }

    // rcx = the entry of the fast TLB for an address; the flags tell whether it is the page's. Uses rax.
    private void EmitFastTlb(in IrInstruction ir, int tag, HostRegister address)
    {
        asm.Mov(Rax, address);
        asm.ShiftBy(Shift.Shr, Rax, 61);
        asm.Load(Rcx, new HostAddress(Rbp, Rax, 8, StateOffsets.Tables), 8);
        asm.Mov(Rax, address, 4);
        asm.ShiftBy(Shift.Shr, Rax, 7, 4);
        asm.Arithmetic(Alu.And, Rax, 0x7FE0, 4);
        asm.Arithmetic(Alu.Add, Rcx, Rax);
        // A misaligned address keeps a low bit, which no tag has.
        asm.MovImmediate(Rax, ~0xFFFUL | (uint)(ir.Size - 1));
        asm.Arithmetic(Alu.And, Rax, address);
        asm.Arithmetic(Alu.Cmp, Rax, new HostAddress(Rcx, tag));
    }

    private void EmitLoad(in IrInstruction ir) => EmitLoadAndUpdate(ir, EmitTranslate(ir, ReadTag));

    private void EmitLoadAndUpdate(in IrInstruction ir, HostAddress from)
    {
        if ((ir.Update & Completers.UpdateRegister) != 0)
        {
            // The increment may be the target: the base comes first.
            if (IsAssigned(ir.A))
                asm.Arithmetic(Alu.Add, Rdx, HostOf(ir.A));
            EmitUpdate(ir);
            from = new HostAddress(Rdx);
        }

        HostRegister to = Target(ir.D, Rax);
        asm.Load(to, from, ir.Size);
        Write(ir.D, to);
        if ((ir.Update & Completers.UpdateImmediate) != 0)
            EmitUpdate(ir);
    }

    private void EmitFill(in IrInstruction ir)
    {
        HostAddress from = EmitTranslate(ir, ReadTag);
        EmitUnatBit(ir);
        asm.BitTest(Rcx, Rax);
        Slow(ir, Condition.B);
        EmitLoadAndUpdate(ir, from);
    }

    // rcx = AR.UNAT, rax = the bit's number (modulo 64) for the address in A.
    private void EmitUnatBit(in IrInstruction ir)
    {
        ReadInto(Rax, ir.A);
        asm.ShiftBy(Shift.Shr, Rax, 3);
        asm.Load(Rcx, State(StateOffsets.ArOf(Ar.Unat)), 8);
    }

    private void EmitStore(in IrInstruction ir)
    {
        HostAddress to = EmitTranslate(ir, WriteTag);
        EmitAlatCheck(to, ir.Size);
        if (ir.B == 0)
            asm.StoreImmediate(to, 0, ir.Size);
        else
            asm.Store(to, Read(ir.B, Rax), ir.Size);
        if (ir.Opcode == IrOpcode.Spill)
        {
            EmitUnatBit(ir);
            asm.BitTestReset(Rcx, Rax);
            asm.Store(State(StateOffsets.ArOf(Ar.Unat)), Rcx, 8);
        }

        EmitUpdate(ir);
    }

    private void EmitUpdate(in IrInstruction ir)
    {
        if (ir.Update == Completers.None)
            return;
        if ((ir.Update & Completers.UpdateImmediate) != 0)
        {
            if (IsAssigned(ir.A))
                asm.Arithmetic(Alu.Add, HostOf(ir.A), (int)ir.Immediate);
            else
                asm.Arithmetic(Alu.Add, InMemory(ir.A), (int)ir.Immediate, 8);
        }
        else if (IsAssigned(ir.A))
        {
            Apply(Alu.Add, HostOf(ir.A), ir.B);
        }
        else
        {
            asm.Arithmetic(Alu.Add, InMemory(ir.A), Read(ir.B, Rax), 8);
        }

        dirty |= registers.Bit(ir.A);
    }
}
