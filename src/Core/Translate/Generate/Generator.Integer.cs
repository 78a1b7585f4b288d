using FastXen.Core.Emit;
using static FastXen.Core.Emit.HostRegister;

namespace FastXen.Core.Translate;

/// <summary>Integer operations. Results are made in the target's host register where that destroys no source, else in rax.</summary>
internal sealed unsafe partial class Generator
{
    private void EmitInteger(in IrInstruction ir)
    {
        HostRegister to = Target(ir.D, Rax);
        switch (ir.Opcode)
        {
            case IrOpcode.Constant:
                EmitConstant(ir, ir.UsesImmediate ? BundleOf(ir.Slot) : ir.Immediate);
                return;
            case IrOpcode.Move:
                HostRegister from = IsAssigned(ir.D) ? Read(ir.A, to) : Read(ir.A, Rax);
                Write(ir.D, from);
                return;
            case IrOpcode.Add:
                EmitSum(ir, to, 0);
                return;
            case IrOpcode.AddPlusOne:
                EmitSum(ir, to, 1);
                return;
            case IrOpcode.AddImmediate:
                EmitAddImmediate(ir, to);
                return;
            case IrOpcode.Subtract:
                to = Commute(ir, to, commutes: false);
                ReadInto(to, ir.A);
                Apply(Alu.Sub, to, ir.B);
                break;
            case IrOpcode.SubtractMinusOne:
                to = Rax;
                ReadInto(to, ir.A);
                Apply(Alu.Sub, to, ir.B);
                asm.Arithmetic(Alu.Sub, to, 1);
                break;
            case IrOpcode.SubtractFrom:
                asm.MovImmediate(Rax, ir.Immediate);
                Apply(Alu.Sub, Rax, ir.A);
                to = Rax;
                break;
            case IrOpcode.And:
                EmitCommutative(ir, Alu.And, to);
                return;
            case IrOpcode.Or:
                EmitCommutative(ir, Alu.Or, to);
                return;
            case IrOpcode.Xor:
                EmitCommutative(ir, Alu.Xor, to);
                return;
            case IrOpcode.AndImmediate:
                ReadInto(to, ir.A);
                asm.Arithmetic(Alu.And, to, (int)ir.Immediate);
                break;
            case IrOpcode.OrImmediate:
                ReadInto(to, ir.A);
                asm.Arithmetic(Alu.Or, to, (int)ir.Immediate);
                break;
            case IrOpcode.XorImmediate:
                ReadInto(to, ir.A);
                asm.Arithmetic(Alu.Xor, to, (int)ir.Immediate);
                break;
            case IrOpcode.AndNot:
                asm.Andn(to, Read(ir.B, Rcx), Read(ir.A, Rdx));
                break;
            case IrOpcode.NotAndImmediate:
                ReadInto(to, ir.A);
                asm.Not(to);
                asm.Arithmetic(Alu.And, to, (int)ir.Immediate);
                break;
            case IrOpcode.ShiftAdd:
                EmitShiftAdd(ir, to);
                break;
            case IrOpcode.Pointer4:
                to = Rax;
                EmitShiftAdd(ir, to);
                EmitPointerRegion(ir.B);
                break;
            case IrOpcode.Pointer4Immediate:
                to = Rax;
                asm.Lea(to, new HostAddress(Read(ir.A, Rax), (int)ir.Immediate));
                EmitPointerRegion(ir.A);
                break;
            default:
                to = EmitBits(ir, to);
                break;
        }

        Write(ir.D, to);
    }

    private void EmitConstant(in IrInstruction ir, ulong value)
    {
        if (!IsAssigned(ir.D) && Fits(value))
        {
            asm.StoreImmediate(InMemory(ir.D), (int)value, 8);
            return;
        }

        asm.MovImmediate(Target(ir.D, Rax), value);
        Write(ir.D, Target(ir.D, Rax));
    }

    private void EmitAddImmediate(in IrInstruction ir, HostRegister to)
    {
        if (ir.D == ir.A && !IsAssigned(ir.D))
        {
            asm.Arithmetic(Alu.Add, InMemory(ir.D), (int)ir.Immediate, 8);
            return;
        }

        HostRegister from = Read(ir.A, to);
        if (from == to)
            asm.Arithmetic(Alu.Add, to, (int)ir.Immediate);
        else
            asm.Lea(to, new HostAddress(from, (int)ir.Immediate));
        Write(ir.D, to);
    }

    private void EmitSum(in IrInstruction ir, HostRegister to, int more)
    {
        if (IsAssigned(ir.A) && IsAssigned(ir.B))
        {
            if (more == 0 && ir.D == ir.A)
                asm.Arithmetic(Alu.Add, to, HostOf(ir.B));
            else if (more == 0 && ir.D == ir.B)
                asm.Arithmetic(Alu.Add, to, HostOf(ir.A));
            else
                asm.Lea(to, new HostAddress(HostOf(ir.A), HostOf(ir.B), 1, more));
        }
        else
        {
            EmitInOrder(ir, Alu.Add, to, out to);
            if (more != 0)
                asm.Arithmetic(Alu.Add, to, more);
        }

        Write(ir.D, to);
    }

    private void EmitCommutative(in IrInstruction ir, Alu op, HostRegister to)
    {
        EmitInOrder(ir, op, to, out to);
        Write(ir.D, to);
    }

    // to = A op B for an op that commutes, in the order that needs no copy of a source.
    private void EmitInOrder(in IrInstruction ir, Alu op, HostRegister to, out HostRegister result)
    {
        result = to;
        if (ir.D == ir.B && IsAssigned(ir.B))
        {
            Apply(op, to, ir.A);
            return;
        }

        ReadInto(to, ir.A);
        Apply(op, to, ir.B);
    }

    // A target that is the right operand cannot be written first.
    private HostRegister Commute(in IrInstruction ir, HostRegister to, bool commutes) => !commutes && ir.D == ir.B && ir.B != ir.A ? Rax : to;

    private void EmitShiftAdd(in IrInstruction ir, HostRegister to)
    {
        int count = ir.Position;
        if (count == 4)
        {
            asm.Mov(Rcx, Read(ir.A, Rcx));
            asm.ShiftBy(Shift.Shl, Rcx, 4);
            if (ir.B == 0)
                asm.Mov(to, Rcx);
            else
                asm.Lea(to, new HostAddress(Read(ir.B, Rdx), Rcx, 1));
            return;
        }

        asm.Lea(to, new HostAddress(Read(ir.B, Rdx), Read(ir.A, Rcx), 1 << count));
    }

    // The sum is in rax: its low word, and bits 31:30 of the base as bits 62:61.
    private void EmitPointerRegion(int @base)
    {
        asm.Mov(Rax, Rax, 4);
        if (@base == 0)
            return;
        asm.Mov(Rcx, Read(@base, Rcx), 4);
        asm.ShiftBy(Shift.Shr, Rcx, 30, 4);
        asm.ShiftBy(Shift.Shl, Rcx, 61);
        asm.Arithmetic(Alu.Or, Rax, Rcx);
    }

    private HostRegister EmitBits(in IrInstruction ir, HostRegister to)
    {
        int position = ir.Position, length = ir.Length;
        switch (ir.Opcode)
        {
            case IrOpcode.ZeroExtend:
                asm.ZeroExtend(to, Read(ir.A, to), ir.Size);
                return to;
            case IrOpcode.SignExtend:
                asm.SignExtend(to, Read(ir.A, to), ir.Size);
                return to;
            case IrOpcode.PopulationCount:
                asm.PopulationCount(to, Read(ir.A, Rcx));
                return to;
            case IrOpcode.LeadingZeros:
                asm.LeadingZeros(to, Read(ir.A, Rcx));
                return to;
            case IrOpcode.Extract:
                EmitExtract(ir, to);
                return to;
            case IrOpcode.ExtractSigned:
                ReadInto(to, ir.A);
                if (position + length < 64)
                    asm.ShiftBy(Shift.Shl, to, 64 - position - length);
                if (length < 64)
                    asm.ShiftBy(Shift.Sar, to, 64 - length);
                return to;
            case IrOpcode.DepositZero:
                ReadInto(to, ir.A);
                if (position + length == 64)
                {
                    if (position != 0)
                        asm.ShiftBy(Shift.Shl, to, position);
                }
                else if (length < 32)
                {
                    asm.Arithmetic(Alu.And, to, (int)((1u << length) - 1), 4);
                    if (position != 0)
                        asm.ShiftBy(Shift.Shl, to, position);
                }
                else
                {
                    asm.ShiftBy(Shift.Shl, to, 64 - length);
                    if (length + position < 64)
                        asm.ShiftBy(Shift.Shr, to, 64 - length - position);
                }

                return to;
            case IrOpcode.Deposit:
                // rdx = the field of A in place, rax = B without it.
                asm.Mov(Rdx, Read(ir.A, Rdx));
                if (length < 64)
                    asm.ShiftBy(Shift.Shl, Rdx, 64 - length);
                if (64 - length - position > 0)
                    asm.ShiftBy(Shift.Shr, Rdx, 64 - length - position);
                EmitWithoutField(ir.B, position, length);
                asm.Arithmetic(Alu.Or, Rax, Rdx);
                return Rax;
            case IrOpcode.DepositImmediate:
                EmitWithoutField(ir.A, position, length);
                ulong field = (ir.Immediate & Lifter.Ones(length)) << position;
                if (field != 0)
                    Apply(Alu.Or, Rax, field);
                return Rax;
            case IrOpcode.ShiftPair:
                ReadInto(Rax, ir.B);
                if (position != 0)
                    asm.ShiftDoubleRight(Rax, Read(ir.A, Rcx), position);
                return Rax;
            default:
                return EmitVariableShift(ir);
        }
    }

    private void EmitWithoutField(int guest, int position, int length)
    {
        ReadInto(Rax, guest);
        Apply(Alu.And, Rax, ~(Lifter.Ones(length) << position));
    }

    private void EmitExtract(in IrInstruction ir, HostRegister to)
    {
        int position = ir.Position, length = ir.Length;
        if (position + length == 64)
        {
            ReadInto(to, ir.A);
            if (position != 0)
                asm.ShiftBy(Shift.Shr, to, position);
        }
        else if (position + length <= 32)
        {
            HostRegister from = Read(ir.A, to);
            asm.Mov(to, from, 4);
            if (position != 0)
                asm.ShiftBy(Shift.Shr, to, position, 4);
            if (position + length < 32)
                asm.Arithmetic(Alu.And, to, (int)Lifter.Ones(length), 4);
        }
        else if (length < 32)
        {
            ReadInto(to, ir.A);
            asm.ShiftBy(Shift.Shr, to, position);
            asm.Arithmetic(Alu.And, to, (int)Lifter.Ones(length), 4);
        }
        else
        {
            ReadInto(to, ir.A);
            asm.ShiftBy(Shift.Shl, to, 64 - position - length);
            asm.ShiftBy(Shift.Shr, to, 64 - length);
        }
    }

    // Counts above 63 shift everything out; the host takes them modulo 64.
    private HostRegister EmitVariableShift(in IrInstruction ir)
    {
        HostRegister value = Read(ir.A, Rax), count = Read(ir.B, Rcx);
        if (ir.Opcode == IrOpcode.ShiftRight)
        {
            asm.MovImmediate(Rdx, 63);
            asm.Arithmetic(Alu.Cmp, count, Rdx);
            asm.MoveIf(Condition.B, Rdx, count);
            asm.Sarx(Rax, value, Rdx);
            return Rax;
        }

        if (ir.Opcode == IrOpcode.ShiftLeft)
            asm.Shlx(Rax, value, count);
        else
            asm.Shrx(Rax, value, count);
        asm.MovImmediate(Rdx, 0);
        asm.Arithmetic(Alu.Cmp, count, 63);
        asm.MoveIf(Condition.A, Rax, Rdx);
        return Rax;
    }
}
