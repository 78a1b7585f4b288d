using System.Runtime.InteropServices;
using FastXen.Core.Emit;
using FastXen.Core.Float;
using static FastXen.Core.Emit.HostRegister;

namespace FastXen.Core.Translate;

/// <summary>
/// Machine code that divides integers in 82-bit registers, for the sequences of <see cref="DivisionSequence"/>: the dividend at rax, the
/// divisor at rdx, the <see cref="DivisionSite"/> at rcx, which gets the quotient and the operands. Carry: nothing was done, because an operand is no
/// integer of the range in which the sequence gives the quotient and raises nothing but the flag I. rax, rcx and rdx are lost.
/// </summary>
internal static unsafe class DivisionStubs
{
    private const int Bias = 0xffff;

    // A site of which only addresses are computed.
    private static readonly DivisionSite* Origin = (DivisionSite*)NativeMemory.AllocZeroed((nuint)sizeof(DivisionSite));

    public static readonly int Dividend = Of(&Origin->Dividend);
    public static readonly int Divisor = Of(&Origin->Divisor);
    public static readonly int LateDividend = Of(&Origin->LateDividend);
    public static readonly int LateDivisor = Of(&Origin->LateDivisor);
    public static readonly int Quotient = Of(&Origin->Quotient);

    private static int Of(void* field) => (int)((byte*)field - (byte*)Origin);

    /// <summary>Writes the code for integers of 64 or 32 bits.</summary>
    public static byte* Write(Assembler a, DivisionKind kind)
    {
        a.Align(64);
        byte* start = a.Here;
        Label failed = a.NewLabel(), done = a.NewLabel(), narrow = a.NewLabel(), divided = a.NewLabel();
        bool signed = kind is DivisionKind.Signed64 or DivisionKind.Signed32;
        int bits = kind is DivisionKind.Signed64 or DivisionKind.Unsigned64 ? 64 : 32;
        // The most negative integer has a quotient that is none.
        int largest = Bias + bits - (signed ? 2 : 1);
        ReadOnlySpan<HostRegister> saved = [Rsi, Rdi, R8, R9, R10];
        foreach (HostRegister register in saved)
            a.Push(register);
        a.Load(Rsi, new HostAddress(Rax), 8);
        a.Load(Rdi, new HostAddress(Rax, 8), 8);
        a.Load(R8, new HostAddress(Rdx), 8);
        a.Load(R9, new HostAddress(Rdx, 8), 8);
        ToInteger(a, Rax, Rsi, Rdi, signed, largest, failed);
        a.Mov(R10, Rax);
        ToInteger(a, Rax, R8, R9, signed, largest, failed);
        a.Store(new HostAddress(Rcx, Dividend), Rsi, 8);
        a.Store(new HostAddress(Rcx, Dividend + 8), Rdi, 8);
        a.Store(new HostAddress(Rcx, LateDividend), Rsi, 8);
        a.Store(new HostAddress(Rcx, LateDividend + 8), Rdi, 8);
        a.Store(new HostAddress(Rcx, Divisor), R8, 8);
        a.Store(new HostAddress(Rcx, Divisor + 8), R9, 8);
        a.Store(new HostAddress(Rcx, LateDivisor), R8, 8);
        a.Store(new HostAddress(Rcx, LateDivisor + 8), R9, 8);

        // r10 / rax; hosts divide 32 bits faster.
        a.Mov(R8, Rax);
        a.Arithmetic(Alu.Or, Rax, R10);
        a.ShiftBy(Shift.Shr, Rax, 32);
        a.Mov(Rax, R10);
        a.MovImmediate(Rdx, 0);
        a.Jump(Condition.E, narrow);
        a.DivideWide(R8);
        a.Bind(divided);
        if (signed)
        {
            a.Arithmetic(Alu.Xor, Rdi, R9, 4);
            a.ShiftBy(Shift.Shl, Rdi, 63 - 17);
            a.ShiftBy(Shift.Sar, Rdi, 63);
            a.Arithmetic(Alu.Xor, Rax, Rdi);
            a.Arithmetic(Alu.Sub, Rax, Rdi);
        }

        a.Store(new HostAddress(Rcx, Quotient), Rax, 8);
        a.Test(Rax, Rax);
        a.Bind(done);
        for (int k = saved.Length; k-- > 0;)
            a.Pop(saved[k]);
        a.Return();

        a.Bind(narrow);
        a.DivideWide(R8, 4);
        a.Jump(divided);
        a.Bind(failed);
        a.SetCarry();
        a.Jump(done);
        return start;
    }

    // The magnitude of the integer with a significand, sign, exponent and tag. Uses rdx.
    private static void ToInteger(Assembler a, HostRegister to, HostRegister significand, HostRegister signExponent, bool signed, int largest, Label failed)
    {
        a.Test(significand, significand);
        a.Jump(Condition.Ns, failed);
        a.Mov(Rdx, signExponent);
        if (signed)
            a.Arithmetic(Alu.And, Rdx, ~(int)FloatKind.SignBit);
        // A sign or a tag makes the distance large.
        a.Arithmetic(Alu.Sub, Rdx, Bias);
        a.Arithmetic(Alu.Cmp, Rdx, largest - Bias);
        a.Jump(Condition.A, failed);
        // rdx: the number of fraction bits, which must be zero.
        a.Negate(Rdx, 4);
        a.Arithmetic(Alu.Add, Rdx, 63, 4);
        a.TrailingZeros(to, significand);
        a.Arithmetic(Alu.Cmp, to, Rdx, 4);
        a.Jump(Condition.B, failed);
        a.Shrx(to, significand, Rdx);
    }
}
