using FastXen.Core.Decode;
using FastXen.Core.Emit;
using static FastXen.Core.Emit.HostRegister;
using static FastXen.Core.Emit.HostVector;

namespace FastXen.Core.Translate;

/// <summary>
/// Single precision. Its zeros, normal numbers and infinities are doubles (tagged, or in vector registers) like all others, whatever their format; what a register holds
/// in another form (denormals of single format) is the handlers'.
/// </summary>
internal sealed unsafe partial class Generator
{
    private const int DroppedOfDouble = 0x1FFF_FFFF, HalfOfDropped = 0x1000_0000;

    // A double's exponents of normal singles: the first, and how many.
    private const int FirstExponent = 0x381, Exponents = 0xFE;

    // The operation in doubles, rounded once more. The second rounding gives what one would have given, whatever the operands, unless the double is half-way between
    // two singles: on no other double can the exact value lie on the other side of such a point than the double that is nearest to it. The flags are those of both
    // steps together: inexact if either was, overflow and its infinity from the second or, where the double overflows, from the handler, which sets them again.
    private void EmitHostSingle(in IrInstruction ir, uint a, uint b, uint c)
    {
        Instruction* i = ir.Guest;
        bool negative = i->Opcode == Opcode.Fnma;
        HostVector first = Double(a, Xmm0);
        if (c == 0 && !negative)
        {
            asm.Float(FloatOperation.Multiply, Xmm2, first, Double(b, Xmm1), 8);
        }
        else if (b == 1 && !negative)
        {
            asm.Float(i->Opcode == Opcode.Fma ? FloatOperation.Add : FloatOperation.Subtract, Xmm2, first, Double(c, Xmm1), 8);
        }
        else
        {
            HostVector second = Double(b, Xmm1);
            if (c == 0)
                asm.VectorLoad(Xmm2, State(StateOffsets.MinusZero), 8);
            else
                asm.VectorMove(Xmm2, Double(c, Xmm2));
            asm.Fused(Fusion(i), 231, Xmm2, first, second, 8);
        }

        asm.MoveFromVector(Rax, Xmm2);
        asm.Mov(Rcx, Rax, 4);
        asm.Arithmetic(Alu.And, Rcx, DroppedOfDouble, 4);
        asm.Arithmetic(Alu.Cmp, Rcx, HalfOfDropped, 4);
        OpenSlow(ir);
        Label tie = asm.NewLabel(), decided = asm.NewLabel();
        asm.Jump(Condition.E, tie);
        asm.Bind(decided);
        stubs.Add(new Stub { Label = tie, Resume = decided, Kind = StubKind.Tie, Slow = slowLabel, Block = current, Instruction = ir });
        SlowUnlessInRange(ir);
        asm.ConvertToSingle(Xmm2, Xmm2);
        HostVector target = TargetDouble(i->R1, Xmm2);
        asm.ConvertToDouble(target, Xmm2);
        WriteDouble(i->R1, target);
    }

    // The double in xmm2 (bits in rax) is half-way between two singles. Where the operation was exact, as the sum of two singles often is, the second rounding is the only
    // one. The product's error is one multiply-add, the sum's is Knuth's TwoSum (The Art of Computer Programming 2, 4.2.2); where they are not zero, or not
    // representable, the handler decides. All flags but that of the second rounding are as they were.
    private void EmitTie(in Stub stub)
    {
        Instruction* i = stub.Instruction.Guest;
        (uint a, uint b, uint c) = (i->R3, i->R4, i->R2);
        if (a == 1)
            (a, b) = (b, a);
        bool negative = i->Opcode == Opcode.Fnma;
        Label inexact = asm.NewLabel();
        var control = new HostAddress(Rbp, StateOffsets.HostFlags);
        asm.StoreControl(control);
        HostVector product = Xmm3;
        asm.VectorMove(product, Double(a, Xmm0));
        if (b != 1)
        {
            HostVector second = Double(b, Xmm1);
            asm.VectorMove(Xmm0, product);
            asm.Float(FloatOperation.Multiply, product, Xmm0, second, 8);
            asm.Fused(FusedOperation.MultiplySubtract, 213, Xmm0, second, product, 8);
            JumpOnZero(Condition.Ne, Xmm0, inexact);
            // It may be zero because it is too small for a double; other errors that are too small for one belong to products that make the sum's error.
            JumpOnZero(Condition.E, product, inexact);
        }

        if (c != 0)
        {
            // x + y = sum, exactly where (x - (sum - (sum - x))) + (y - (sum - x)) is 0. Of two terms y is the one that is subtracted.
            HostVector x = negative ? Xmm1 : product, y = negative ? product : Xmm1;
            asm.VectorMove(Xmm1, Double(c, Xmm1));
            asm.Float(FloatOperation.Subtract, Xmm0, Xmm2, x, 8);
            asm.Float(FloatOperation.Subtract, Xmm2, Xmm2, Xmm0, 8);
            asm.Float(FloatOperation.Subtract, x, x, Xmm2, 8);
            bool subtracts = i->Opcode != Opcode.Fma;
            asm.Float(subtracts ? FloatOperation.Add : FloatOperation.Subtract, y, y, Xmm0, 8);
            asm.Float(subtracts ? FloatOperation.Subtract : FloatOperation.Add, x, x, y, 8);
            asm.MoveToVector(Xmm2, Rax);
            JumpOnZero(Condition.Ne, x, inexact);
        }

        asm.LoadControl(control);
        asm.Jump(stub.Resume);
        asm.Bind(inexact);
        asm.LoadControl(control);
        asm.Jump(stub.Slow);
    }

    private void JumpOnZero(Condition condition, HostVector value, Label target)
    {
        asm.MoveFromVector(Rcx, value);
        asm.Arithmetic(Alu.Add, Rcx, Rcx);
        asm.Jump(condition, target);
    }

    // rax: a double's bits, which are lost. Zero, or a magnitude with the exponent of a normal single.
    private void SlowUnlessInRange(in IrInstruction ir)
    {
        Label zero = asm.NewLabel();
        asm.Arithmetic(Alu.Add, Rax, Rax);
        asm.Jump(Condition.E, zero);
        asm.ShiftBy(Shift.Shr, Rax, 53);
        asm.Arithmetic(Alu.Sub, Rax, FirstExponent, 4);
        asm.Arithmetic(Alu.Cmp, Rax, Exponents, 4);
        Slow(ir, Condition.Ae);
        asm.Bind(zero);
    }

    // The double of a register as a single in xmm1, where it is one exactly, and normal or zero: it has the same sign, exponent and 23 bits of fraction.
    private void EmitToSingle(in IrInstruction ir, uint f)
    {
        HostVector value = Double(f, Xmm1);
        asm.MoveFromVector(Rax, value);
        asm.Test(Rax, DroppedOfDouble, 4);
        Slow(ir, Condition.Ne);
        SlowUnlessInRange(ir);
        asm.ConvertToSingle(Xmm1, value);
    }

    // The single in xmm0. Zeros and normal numbers are doubles; the others have forms of their own in a register.
    private void EmitFromSingle(in IrInstruction ir)
    {
        Label zero = asm.NewLabel();
        asm.MoveFromVector(Rax, Xmm0, 4);
        asm.Arithmetic(Alu.Add, Rax, Rax, 4);
        asm.Jump(Condition.E, zero);
        asm.Arithmetic(Alu.Sub, Rax, 0x0100_0000, 4);
        asm.Arithmetic(Alu.Cmp, Rax, unchecked((int)0xFE00_0000), 4);
        Slow(ir, Condition.Ae);
        asm.Bind(zero);
        asm.ConvertToDouble(Xmm0, Xmm0);
        WriteDouble(ir.Guest->R1, Xmm0);
    }
}
