using FastXen.Core.Emit;
using FastXen.Core.Float;
using static FastXen.Core.Emit.HostRegister;

namespace FastXen.Core.Translate;

/// <summary>Writes the machine code of frcpa and frsqrta where they set their predicate, and the tables it reads.</summary>
internal static unsafe class ApproximationStubs
{
    private const int Bias = 0xffff, ExponentMask = 0x1ffff;

    /// <summary>Entries of each table: 11-bit significands.</summary>
    public const int TableEntries = 256;

    /// <summary>The table of reciprocals; the index is bits 62:55 of the significand.</summary>
    public static void FillReciprocals(ushort* table)
    {
        for (uint index = 0; index < TableEntries; index++)
            table[index] = (ushort)(FloatApproximation.ReciprocalSeed(FloatKind.IntegerBit | ((ulong)index << 55)) >> 53);
    }

    /// <summary>The table of reciprocal square roots; the index is the lowest bit of the exponent, then bits 62:56 of the significand.</summary>
    public static void FillRoots(ushort* table)
    {
        for (int index = 0; index < TableEntries; index++)
        {
            ulong significand = FloatKind.IntegerBit | ((ulong)(index & 0x7f) << 56);
            table[index] = (ushort)(FloatApproximation.RootSeed(Bias - 1 + (index >> 7), significand).Significand >> 53);
        }
    }

    /// <summary>frcpa of [rsi] / [rdi] into [r8].</summary>
    public static void WriteReciprocal(Assembler a, ushort* table)
    {
        Label notOrdinary = a.NewLabel();
        a.Load(Rdx, new HostAddress(Rdi), 8);
        a.Load(Rax, new HostAddress(Rsi), 8);
        a.Arithmetic(Alu.And, Rax, Rdx);
        a.Jump(Condition.Ns, notOrdinary);
        a.Load(Rax, new HostAddress(Rsi, 12), 4);
        a.Arithmetic(Alu.Or, Rax, new HostAddress(Rdi, 12), 4);
        a.Jump(Condition.Ne, notOrdinary);
        a.Load(Rax, new HostAddress(Rsi, 8), 4);
        a.Load(R9, new HostAddress(Rdi, 8), 4);
        a.Arithmetic(Alu.And, Rax, ExponentMask, 4);
        a.Mov(Rcx, R9, 4);
        a.Arithmetic(Alu.And, Rcx, ExponentMask, 4);
        // The conditions of FloatApproximation.Reciprocal, as ranges: a not special nor small, b in range, the quotient in range.
        Within(a, Rax, 65, FloatRegister.SpecialExponent - 1, notOrdinary);
        Within(a, Rcx, 1, (2 * Bias) - 3, notOrdinary);
        a.Arithmetic(Alu.Sub, Rax, Rcx, 4);
        Within(a, Rax, 3 - Bias, Bias - 1, notOrdinary);
        a.ShiftBy(Shift.Shr, Rdx, 55);
        a.ZeroExtend(Rdx, Rdx, 1);
        a.MovImmediate(Rax, (ulong)table);
        a.Load(Rdx, new HostAddress(Rax, Rdx, 2), 2);
        a.ShiftBy(Shift.Shl, Rdx, 53);
        a.MovImmediate(Rax, (2 * Bias) - 1);
        a.Arithmetic(Alu.Sub, Rax, Rcx, 4);
        a.Arithmetic(Alu.And, R9, (int)FloatKind.SignBit, 4);
        Store(a, notOrdinary);
    }

    /// <summary>frsqrta of [rsi] into [r8].</summary>
    public static void WriteReciprocalSquareRoot(Assembler a, ushort* table)
    {
        Label notOrdinary = a.NewLabel();
        a.Load(Rdx, new HostAddress(Rsi), 8);
        a.Load(Rax, new HostAddress(Rsi, 8), 4);
        a.Arithmetic(Alu.Cmp, new HostAddress(Rsi, 12), 0, 4);
        a.Jump(Condition.Ne, notOrdinary);
        a.Test(Rdx, Rdx);
        a.Jump(Condition.Ns, notOrdinary);
        // A sign makes the exponent too large.
        Within(a, Rax, 65, FloatRegister.SpecialExponent - 1, notOrdinary);
        a.ShiftBy(Shift.Shr, Rdx, 56);
        a.Arithmetic(Alu.And, Rdx, 0x7f, 4);
        a.Mov(Rcx, Rax, 4);
        a.ShiftBy(Shift.Shl, Rcx, 7, 4);
        a.Arithmetic(Alu.And, Rcx, 0x80, 4);
        a.Arithmetic(Alu.Or, Rdx, Rcx, 4);
        a.MovImmediate(Rcx, (ulong)table);
        a.Load(Rdx, new HostAddress(Rcx, Rdx, 2), 2);
        a.ShiftBy(Shift.Shl, Rdx, 53);
        // bias - 1 - ((exponent - bias) >> 1)
        a.Lea(Rcx, new HostAddress(Rax, -Bias), 4);
        a.ShiftBy(Shift.Sar, Rcx, 1, 4);
        a.MovImmediate(Rax, Bias - 1);
        a.Arithmetic(Alu.Sub, Rax, Rcx, 4);
        a.Arithmetic(Alu.Xor, R9, R9, 4);
        Store(a, notOrdinary);
    }

    /// <summary>Leaves unless minimum &lt;= register &lt;= maximum (32 bits).</summary>
    private static void Within(Assembler a, HostRegister register, int minimum, uint maximum, Label notOrdinary)
    {
        a.Lea(R10, new HostAddress(register, -minimum), 4);
        a.Arithmetic(Alu.Cmp, R10, (int)maximum - minimum, 4);
        a.Jump(Condition.A, notOrdinary);
    }

    /// <summary>rdx is the significand, eax the exponent, r9d the sign.</summary>
    private static void Store(Assembler a, Label notOrdinary)
    {
        a.Store(new HostAddress(R8), Rdx, 8);
        a.Arithmetic(Alu.Or, Rax, R9, 4);
        a.Store(new HostAddress(R8, 8), Rax, 8);
        a.Return();
        a.Bind(notOrdinary);
        ConversionStubs.Fail(a);
    }
}
