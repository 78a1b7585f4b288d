using FastXen.Core.Emit;
using FastXen.Core.State;
using static FastXen.Core.Emit.HostRegister;
using static FastXen.Core.Emit.HostVector;

namespace FastXen.Core.Translate;

/// <summary>Semaphores, moves of all predicates, registers of the RSE, kernel registers.</summary>
internal sealed unsafe partial class Generator
{
    // The host's locked instructions are stronger than acquire and release.
    private void EmitSemaphore(in IrInstruction ir)
    {
        HostAddress to = EmitTranslate(ir, WriteTag);
        EmitAlatCheck(to, ir.Size);
        switch (ir.Opcode)
        {
            case IrOpcode.Exchange:
                ReadInto(Rax, ir.B);
                asm.Exchange(to, Rax, ir.Size);
                break;
            case IrOpcode.FetchAdd:
                asm.MovImmediate(Rax, ir.Immediate);
                asm.LockExchangeAdd(to, Rax, ir.Size);
                break;
            default:
                asm.Load(Rax, State(StateOffsets.ArOf(Ar.Ccv)), 8);
                if (ir.Size < 8)
                {
                    // All of CCV is compared: bits above the operand never match.
                    asm.Mov(Rcx, Rax);
                    asm.ShiftBy(Shift.Shr, Rcx, 8 * ir.Size);
                    Slow(ir, Condition.Ne);
                }

                asm.LockCompareExchange(to, Read(ir.B, Rcx), ir.Size);
                break;
        }

        if (ir.Size < 8)
            asm.ZeroExtend(Rax, Rax, ir.Size);
        Write(ir.D, Rax);
    }

    // By physical name: that is the rotated one while CFM.rrb.pr is 0. Loops end with a move of all predicates from a register: rotated in line.
    private void EmitMovePredicates(in IrInstruction ir)
    {
        bool rotates = ir.Opcode == IrOpcode.MoveToPredicates && ir.Immediate >> 16 is 0 or 0xFFFF_FFFF_FFFF;
        if (!rotates)
        {
            asm.Test(State(StateOffsets.Cfm + 4), 0x3F, 1);
            Slow(ir, Condition.Ne);
        }

        switch (ir.Opcode)
        {
            case IrOpcode.MoveFromPredicates:
                EmitPredicateMask();
                Write(ir.D, Rax);
                break;
            case IrOpcode.MoveToPredicates:
                EmitSetPredicates(ir);
                break;
            default:
                for (int p = 16; p < 64; p += 8)
                    EmitStoreConstant(Predicate(p), Spread((byte)(ir.Immediate >> p)));
                break;
        }
    }

    // rax = all predicates, a bit each. Uses rcx and xmm0.
    private void EmitPredicateMask()
    {
        for (int half = 0; half < 2; half++)
        {
            asm.VectorLoad(Xmm0, Predicate(32 * half), 32);
            asm.VectorShift(Shift.Shl, Xmm0, Xmm0, 8, 7, 32);
            asm.MoveMask(half == 0 ? Rax : Rcx, Xmm0, 32);
        }

        asm.ShiftBy(Shift.Shl, Rcx, 32);
        asm.Arithmetic(Alu.Or, Rax, Rcx);
    }

    private void EmitSetPredicates(in IrInstruction ir)
    {
        ReadInto(Rax, ir.A);
        asm.MovImmediate(Rdx, Spread(0xFF));
        for (int p = 0; p < 64; p += 8)
        {
            if (p == 16 && ir.Immediate >> 16 == 0xFFFF_FFFF_FFFF)
                EmitRotateByBase();
            var mask = (byte)(ir.Immediate >> p);
            if (mask != 0)
            {
                asm.Pdep(Rcx, Rax, Rdx);
                if (mask == 0xFF)
                {
                    asm.Store(Predicate(p), Rcx, 8);
                }
                else if (mask == 0xFE && p == 0)
                {
                    asm.Arithmetic(Alu.Or, Rcx, 1, 1);
                    asm.Store(Predicate(p), Rcx, 8);
                }
                else
                {
                    EmitStoreMasked(p, mask);
                }
            }

            if (ir.Immediate >> p >> 8 == 0)
                return;
            asm.ShiftBy(Shift.Shr, Rax, 8);
        }
    }

    // rax = 48 rotating predicates by physical name: by rotated name, CFM.rrb.pr places further down. What is above them does not count.
    private void EmitRotateByBase()
    {
        asm.Mov(Rdx, Rax);
        asm.ShiftBy(Shift.Shr, Rdx, 16);
        asm.Mov(Rcx, Rax);
        asm.ShiftBy(Shift.Shl, Rcx, 48);
        asm.Arithmetic(Alu.Or, Rax, Rcx);
        asm.Load(Rcx, State(StateOffsets.Cfm + 4), 1);
        asm.Arithmetic(Alu.And, Rcx, 0x3F, 4);
        asm.ShiftDoubleRightCl(Rax, Rdx);
        asm.MovImmediate(Rdx, Spread(0xFF));
    }

    // Bytes of rcx, one by one; bit 0 is p0.
    private void EmitStoreMasked(int p, byte mask)
    {
        for (int k = 0; k < 8; k++, mask >>= 1)
        {
            if ((mask & 1) != 0 && p + k != 0)
                asm.Store(Predicate(p + k), Rcx, 1);
            asm.ShiftBy(Shift.Shr, Rcx, 8);
        }
    }

    private void EmitStoreConstant(in HostAddress to, ulong value)
    {
        if (Fits(value))
        {
            asm.StoreImmediate(to, (int)value, 8);
            return;
        }

        asm.MovImmediate(Rax, value);
        asm.Store(to, Rax, 8);
    }

    // A byte for each bit.
    private static ulong Spread(byte bits)
    {
        ulong bytes = 0;
        for (int k = 0; k < 8; k++)
            bytes |= (ulong)(bits >> k & 1) << (8 * k);
        return bytes;
    }

    private void EmitStackRegister(in IrInstruction ir)
    {
        switch (ir.Opcode)
        {
            case IrOpcode.BackingStorePointer:
                EmitBackingStorePointer();
                Write(ir.D, Rax);
                break;
            case IrOpcode.MoveFromStack:
                EmitNeedsLazyMode(ir);
                asm.Load(Rax, State(ir.P1 == Ar.Rnat ? StateOffsets.Rnat : StateOffsets.BspStore), 8);
                Write(ir.D, Rax);
                break;
            case IrOpcode.MoveToStack:
                EmitNeedsLazyMode(ir);
                ReadInto(Rax, ir.A);
                if (ir.P1 == Ar.Rnat)
                    asm.BitTestReset(Rax, 63);
                else
                    asm.Arithmetic(Alu.And, Rax, -8);
                asm.Store(State(ir.P1 == Ar.Rnat ? StateOffsets.Rnat : StateOffsets.BspStore), Rax, 8);
                break;
            default:
                if ((context & TranslationContext.CplMask) != 0)
                    EmitHandler(ir);
                else
                    asm.Store(State(StateOffsets.ArOf(ir.P1)), Read(ir.A, Rax), 8);
                break;
        }
    }

    // Illegal Operation unless RSC.mode is 0.
    private void EmitNeedsLazyMode(in IrInstruction ir)
    {
        asm.Test(State(StateOffsets.ArOf(Ar.Rsc)), 3, 1);
        Slow(ir, Condition.Ne);
    }

    // rax = BSPSTORE and the dirty registers above it (0 to 96), with a NaT collection behind each 63 of them.
    private void EmitBackingStorePointer()
    {
        asm.Load(Rax, State(StateOffsets.BspStore), 8);
        asm.Load(Rcx, State(StateOffsets.Dirty), 4);
        asm.Mov(Rdx, Rax, 4);
        asm.ShiftBy(Shift.Shr, Rdx, 3, 4);
        asm.Arithmetic(Alu.And, Rdx, 63, 4);
        asm.Arithmetic(Alu.Add, Rdx, Rcx, 4);
        asm.Lea(Rax, new HostAddress(Rax, Rcx, 8));
        foreach (int collection in (ReadOnlySpan<int>)[63, 126])
        {
            Label below = asm.NewLabel();
            asm.Arithmetic(Alu.Cmp, Rdx, collection, 4);
            asm.Jump(Condition.L, below);
            asm.Arithmetic(Alu.Add, Rax, 8);
            asm.Bind(below);
        }
    }
}
