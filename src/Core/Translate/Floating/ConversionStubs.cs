using System.Numerics;
using FastXen.Core.Emit;
using FastXen.Core.Float;
using static FastXen.Core.Emit.HostRegister;

namespace FastXen.Core.Translate;

/// <summary>Writes the machine code of conversions between integers, doubles and 82-bit registers.</summary>
internal static class ConversionStubs
{
    // Register exponents of the normal doubles, and what a double's exponent field is less than them.
    private const int DoubleMinimum = 0xfc01, DoubleMaximum = 0x103fe, DoubleOffset = 0xfc00;
    private const int DroppedByDouble = 11;

    /// <summary>fcvt.xf of the significand of [rsi].</summary>
    public static void WriteFromInteger(Assembler a)
    {
        Label notOrdinary = a.NewLabel();
        a.Arithmetic(Alu.Cmp, new HostAddress(Rsi, 12), 0, 4);
        a.Jump(Condition.Ne, notOrdinary);
        a.Arithmetic(Alu.Cmp, new HostAddress(Rsi, 8), (int)FloatRegister.IntegerExponent, 4);
        // Any other exponent may be NaTVal's.
        a.Jump(Condition.Ne, notOrdinary);
        a.Load(Rax, new HostAddress(Rsi), 8);
        WriteFromIntegerInRax(a);
        a.Bind(notOrdinary);
        Fail(a);
    }

    /// <summary>setf.sig and fcvt.xf of rax; always succeeds.</summary>
    public static void WriteFromIntegerInRax(Assembler a)
    {
        a.Mov(Rdx, Rax);
        a.ShiftBy(Shift.Sar, Rdx, 63);
        a.Arithmetic(Alu.Xor, Rax, Rdx);
        a.Arithmetic(Alu.Sub, Rax, Rdx);
        a.LeadingZeros(Rsi, Rax);
        a.MovImmediate(Rcx, FloatRegister.IntegerExponent);
        // Carry: the integer is zero, and so is the exponent; shifts of zero are harmless.
        a.MoveIf(Condition.B, Rcx, Rax, 4);
        a.MoveIf(Condition.B, Rsi, Rax, 4);
        a.Shlx(Rax, Rax, Rsi);
        a.Arithmetic(Alu.Sub, Rcx, Rsi, 4);
        a.Arithmetic(Alu.And, Rdx, (int)FloatKind.SignBit, 4);
        a.Arithmetic(Alu.Or, Rcx, Rdx, 4);
        a.Store(new HostAddress(R8), Rax, 8);
        a.Store(new HostAddress(R8, 8), Rcx, 8);
        // The or left the carry clear.
        a.Return();
    }

    /// <summary>fcvt.fx.trunc or fcvt.fxu.trunc of [rsi], where the result fits; rax = the flag I of an inexact one.</summary>
    public static void WriteToInteger(Assembler a, bool signed)
    {
        Label notOrdinary = a.NewLabel(), notNormal = a.NewLabel(), store = a.NewLabel(), small = a.NewLabel();
        a.Load(Rdx, new HostAddress(Rsi), 8);
        a.Load(Rcx, new HostAddress(Rsi, 8), 8);
        a.Test(Rdx, Rdx);
        a.Jump(Condition.Ns, notNormal);
        // The tag in the upper half would make the distance huge, and the sign of a signed one is cut off here.
        a.Mov(Rax, Rcx);
        if (signed)
            a.Arithmetic(Alu.And, Rax, ~(int)FloatKind.SignBit);
        // edi = the number of fraction bits; a signed integer needs one at least.
        a.MovImmediate(Rdi, FloatRegister.IntegerExponent);
        a.Arithmetic(Alu.Sub, Rdi, Rax);
        a.Arithmetic(Alu.Cmp, Rdi, signed ? 1 : 0);
        a.Jump(Condition.L, notOrdinary);
        a.Arithmetic(Alu.Cmp, Rdi, 64);
        a.Jump(Condition.Ge, small);
        a.Shrx(Rsi, Rdx, Rdi);
        a.Shlx(Rax, Rsi, Rdi);
        a.Arithmetic(Alu.Cmp, Rax, Rdx);
        a.MovImmediate(Rax, 0);
        a.SetCondition(Condition.Ne, Rax);
        a.ShiftBy(Shift.Shl, Rax, BitOperations.Log2(FloatFlags.Inexact), 4);
        a.Bind(store);
        if (signed)
        {
            a.ShiftBy(Shift.Shl, Rcx, 63 - 17);
            a.ShiftBy(Shift.Sar, Rcx, 63);
            a.Arithmetic(Alu.Xor, Rsi, Rcx);
            a.Arithmetic(Alu.Sub, Rsi, Rcx);
        }

        a.MovImmediate(Rcx, FloatRegister.IntegerExponent);
        a.Store(new HostAddress(R8), Rsi, 8);
        a.Store(new HostAddress(R8, 8), Rcx, 8);
        // The subtraction of a negative number's mask carries: say success.
        a.Test(Rax, Rax, 4);
        a.Return();

        // Below one: nothing is left. An exponent of zero is that of a denormal operand.
        a.Bind(small);
        a.Test(Rax, Rax);
        a.Jump(Condition.E, notOrdinary);
        a.MovImmediate(Rsi, 0);
        a.MovImmediate(Rax, FloatFlags.Inexact);
        a.Jump(store);

        // Zero of either sign, or not ordinary.
        a.Bind(notNormal);
        a.Mov(Rax, Rcx);
        a.Arithmetic(Alu.And, Rax, ~(int)FloatKind.SignBit);
        a.Arithmetic(Alu.Or, Rax, Rdx);
        a.MovImmediate(Rsi, 0);
        a.Jump(Condition.E, store);
        a.Bind(notOrdinary);
        Fail(a);
    }

    /// <summary>[rsi], which must be a normal double or a zero, into xmm0 and rax. A tagged register holds the double itself.</summary>
    public static void WriteToDouble(Assembler a)
    {
        Label notOrdinary = a.NewLabel(), notNormal = a.NewLabel(), tagged = a.NewLabel(), done = a.NewLabel(), give = a.NewLabel();
        a.Load(Rax, new HostAddress(Rsi), 8);
        a.Arithmetic(Alu.Cmp, new HostAddress(Rsi, 12), 0, 4);
        a.Jump(Condition.Ne, tagged);
        a.Load(Rcx, new HostAddress(Rsi, 8), 4);
        a.Mov(Rdx, Rcx, 4);
        a.Arithmetic(Alu.And, Rdx, ~(int)FloatKind.SignBit, 4);
        a.ShiftBy(Shift.Shr, Rcx, 17, 4);
        a.ShiftBy(Shift.Shl, Rcx, 63);
        a.Test(Rax, Rax);
        a.Jump(Condition.Ns, notNormal);
        a.Test(Rax, (1 << DroppedByDouble) - 1, 4);
        a.Jump(Condition.Ne, notOrdinary);
        a.Arithmetic(Alu.Sub, Rdx, DoubleMinimum, 4);
        a.Arithmetic(Alu.Cmp, Rdx, DoubleMaximum - DoubleMinimum, 4);
        a.Jump(Condition.A, notOrdinary);
        // The integer bit adds one to the exponent field.
        a.ShiftBy(Shift.Shr, Rax, DroppedByDouble);
        a.ShiftBy(Shift.Shl, Rdx, 52);
        a.Arithmetic(Alu.Add, Rax, Rdx);
        a.Bind(done);
        a.Arithmetic(Alu.Or, Rax, Rcx);
        a.Bind(give);
        a.MoveToVector(HostVector.Xmm0, Rax);
        a.Test(Rax, Rax);
        a.Return();

        // Only tag 1 is a double's.
        a.Bind(tagged);
        a.Arithmetic(Alu.Cmp, new HostAddress(Rsi, 12), 1, 4);
        a.Jump(Condition.E, give);
        Fail(a);

        a.Bind(notNormal);
        a.Arithmetic(Alu.Or, Rdx, Rax);
        a.Jump(Condition.E, done);
        a.Bind(notOrdinary);
        Fail(a);
    }

    /// <summary>xmm0, which must be normal or a zero, into the register at [r8].</summary>
    public static void WriteFromDouble(Assembler a)
    {
        Label notNormal = a.NewLabel(), store = a.NewLabel(), notOrdinary = a.NewLabel();
        a.MoveFromVector(Rax, HostVector.Xmm0);
        a.Mov(Rdx, Rax);
        a.ShiftBy(Shift.Shr, Rdx, 63);
        a.ShiftBy(Shift.Shl, Rdx, 17, 4);
        a.Mov(Rcx, Rax);
        a.ShiftBy(Shift.Shr, Rcx, 52);
        a.Arithmetic(Alu.And, Rcx, 0x7ff, 4);
        a.ShiftBy(Shift.Shl, Rax, DroppedByDouble);
        a.Lea(Rsi, new HostAddress(Rcx, -1), 4);
        a.Arithmetic(Alu.Cmp, Rsi, DoubleMaximum - DoubleMinimum, 4);
        a.Jump(Condition.A, notNormal);
        a.BitTestSet(Rax, 63);
        a.Arithmetic(Alu.Add, Rcx, DoubleOffset, 4);
        a.Bind(store);
        a.Arithmetic(Alu.Or, Rcx, Rdx, 4);
        a.Store(new HostAddress(R8), Rax, 8);
        a.Store(new HostAddress(R8, 8), Rcx, 8);
        a.Return();

        // The exponent field of a zero is zero, and so is what was shifted (its top bit is the exponent's lowest).
        a.Bind(notNormal);
        a.Mov(Rsi, Rax);
        a.Arithmetic(Alu.Or, Rsi, Rcx);
        a.Jump(Condition.E, store);
        a.Bind(notOrdinary);
        Fail(a);
    }

    /// <summary>Carry set: nothing was written.</summary>
    public static void Fail(Assembler a)
    {
        a.SetCarry();
        a.Return();
    }
}
