using System.Runtime.InteropServices;
using FastXen.Core.Emit;
using FastXen.Core.Float;
using static FastXen.Core.Emit.HostRegister;

namespace FastXen.Core.Translate;

/// <summary>
/// Machine code that gives the integer in the floating-point register at rax, for the sequences of <see cref="DivisionSequence"/>, in rax. Carry: it
/// holds none of the range in which a sequence gives the quotient and raises nothing but the flag I. rcx and rdx are lost.
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

    /// <summary>Writes the code for signed or unsigned integers.</summary>
    public static byte* Write(Assembler a, bool signed)
    {
        // The most negative integer has a quotient that is none.
        int largest = Bias + 64 - (signed ? 2 : 1);
        a.Align(64);
        byte* start = a.Here;
        Label failed = a.NewLabel(), done = a.NewLabel(), signedTag = a.NewLabel(), unsignedTag = a.NewLabel();
        a.Push(Rsi);
        a.Load(Rsi, new HostAddress(Rax), 8);
        a.Load(Rcx, new HostAddress(Rax, 8), 8);
        a.Mov(Rdx, Rcx);
        a.ShiftBy(Shift.Shr, Rdx, 32);
        a.Arithmetic(Alu.Cmp, Rdx, (int)TaggedFloats.Signed, 4);
        a.Jump(Condition.E, signedTag);
        a.Arithmetic(Alu.Cmp, Rdx, (int)TaggedFloats.Unsigned, 4);
        a.Jump(Condition.E, unsignedTag);
        a.Test(Rsi, Rsi);
        a.Jump(Condition.Ns, failed);
        a.Mov(Rdx, Rcx);
        if (signed)
            a.Arithmetic(Alu.And, Rdx, ~(int)FloatKind.SignBit);
        // A sign or another tag makes the distance large.
        a.Arithmetic(Alu.Sub, Rdx, Bias);
        a.Arithmetic(Alu.Cmp, Rdx, largest - Bias);
        a.Jump(Condition.A, failed);
        // rdx: the number of fraction bits, which must be zero.
        a.Negate(Rdx, 4);
        a.Arithmetic(Alu.Add, Rdx, 63, 4);
        a.TrailingZeros(Rax, Rsi);
        a.Arithmetic(Alu.Cmp, Rax, Rdx, 4);
        a.Jump(Condition.B, failed);
        a.Shrx(Rax, Rsi, Rdx);
        if (signed)
        {
            a.ShiftBy(Shift.Shl, Rcx, 63 - 17);
            a.ShiftBy(Shift.Sar, Rcx, 63);
            a.Arithmetic(Alu.Xor, Rax, Rcx);
            a.Arithmetic(Alu.Sub, Rax, Rcx);
        }

        a.Test(Rax, Rax);
        a.Bind(done);
        a.Pop(Rsi);
        a.Return();

        // The other kind's integers below 2 to the power of 63 are the same.
        a.Bind(signed ? unsignedTag : signedTag);
        a.Test(Rsi, Rsi);
        a.Jump(Condition.S, failed);
        a.Bind(signed ? signedTag : unsignedTag);
        a.Mov(Rax, Rsi);
        a.Test(Rax, Rax);
        a.Jump(done);
        a.Bind(failed);
        a.SetCarry();
        a.Jump(done);
        return start;
    }
}
