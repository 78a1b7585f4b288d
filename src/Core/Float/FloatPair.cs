using System.Runtime.CompilerServices;
using FastXen.Core.State;

namespace FastXen.Core.Float;

/// <summary>One half of a parallel operation on two operands; an implementation is a type argument, so that each is compiled in place.</summary>
public interface IParallelOperation
{
    /// <summary>The single (or integer) that the halves <paramref name="a"/> and <paramref name="b"/> give.</summary>
    static abstract uint Apply(uint a, uint b, ref FloatStatus status);
}

/// <summary>Pairs of singles in the two halves of a significand (manual volume 1, 5.1.2).</summary>
public static class FloatPair
{
    private const int HighTrapShift = 11, LowTrapShift = 7;

    /// <summary>Applies an operation to both halves.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static FloatRegister Apply<T>(in FloatRegister a, in FloatRegister b, ref FloatStatus high, ref FloatStatus low)
        where T : struct, IParallelOperation => Pair(
            T.Apply((uint)(a.Significand >> 32), (uint)(b.Significand >> 32), ref high),
            T.Apply((uint)a.Significand, (uint)b.Significand, ref low));

    /// <summary>A register with two halves.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static FloatRegister Pair(uint high, uint low) => MemoryFormat.FromInteger(((ulong)high << 32) | low);

    /// <summary>fpma, fpms, fpnma: as the scalar operation, in single range whatever wre says.</summary>
    public static FloatRegister MultiplyAdd(
        in FloatRegister a, in FloatRegister b, in FloatRegister c,
        uint productSign, uint addendSign, bool multiplyOnly, ref FloatStatus high, ref FloatStatus low) => Pair(
            MultiplyAdd((uint)(a.Significand >> 32), (uint)(b.Significand >> 32), (uint)(c.Significand >> 32), productSign, addendSign, multiplyOnly, ref high),
            MultiplyAdd((uint)a.Significand, (uint)b.Significand, (uint)c.Significand, productSign, addendSign, multiplyOnly, ref low));

    /// <summary>ISR.code of a fault: the high half's conditions in bits 3:0, the low half's in bits 7:4.</summary>
    public static uint IsrFaultCode(in FloatStatus high, in FloatStatus low) => high.Fault | (low.Fault << 4);

    /// <summary>ISR.code of a trap, 0 for none: O, U, I, FPA of the high half (or of a scalar) in bits 14:11, of the low half in bits 10:7.</summary>
    public static uint IsrTrapCode(in FloatStatus high, in FloatStatus low) => (high.Trap | low.Trap) == 0
        ? 0
        : (high.TrapNibble << HighTrapShift) | (low.TrapNibble << LowTrapShift) | (uint)TrapCode.Fp;

    /// <summary>ISR.code of a scalar operation's trap.</summary>
    public static uint IsrTrapCode(in FloatStatus status) => (status.TrapNibble << HighTrapShift) | (uint)TrapCode.Fp;

    private static uint MultiplyAdd(uint a, uint b, uint c, uint productSign, uint addendSign, bool multiplyOnly, ref FloatStatus status)
    {
        FloatRegister result = Float.MultiplyAdd.Compute(
            MemoryFormat.FromSingle(a), MemoryFormat.FromSingle(b), MemoryFormat.FromSingle(multiplyOnly ? 0 : c),
            productSign, addendSign, multiplyOnly, FloatFormat.Of(FloatFormat.Parallel, status.Control), ref status);
        if ((status.Trap & (FloatFlags.Overflow | FloatFlags.Underflow)) != 0)
        {
            // The handler gets the result of unbounded range, its exponent cut to 8 bits.
            const uint singleBias = 0xff80;
            uint exponent = singleBias + ((result.Exponent - singleBias) & 0xff);
            result = new FloatRegister(FloatKind.SignOf(result) | exponent, result.Significand);
        }

        return MemoryFormat.ToSingle(result);
    }
}
