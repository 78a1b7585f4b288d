using System.Numerics;
using System.Runtime.CompilerServices;

namespace FastXen.Core.Float;

/// <summary>fma, fms, fnma and all that is written with them (fmpy, fadd, fsub, fnorm): manual volume 3, fma.</summary>
public static class MultiplyAdd
{
    /// <summary>
    /// The ordinary case of <see cref="Compute"/>: normal multiplicands, a normal or zero addend, a result in range. False when it
    /// is none, and then nothing has been decided. <paramref name="mode"/> is the rounding mode.
    /// </summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static bool TryOrdinary(
        in FloatRegister a, in FloatRegister b, in FloatRegister c, uint productSign, uint addendSign, FloatFormat format, uint mode,
        out ulong significand, out uint signExponent, out bool inexact)
    {
        significand = 0;
        signExponent = 0;
        inexact = false;
        if (!FloatKind.IsNormal(a) || !FloatKind.IsNormal(b))
            return false;

        ulong high = Multiply(a.Significand, b.Significand, out ulong low, out int shift);
        int exponent = (int)a.Exponent + (int)b.Exponent - 0xfffe - shift;
        uint sign = (a.SignExponent ^ b.SignExponent ^ productSign) & FloatKind.SignBit;
        if ((c.Significand | c.Exponent) != 0)
        {
            if (!FloatKind.IsNormal(c))
                return false;

            uint signOfAddend = (c.SignExponent ^ addendSign) & FloatKind.SignBit;
            if (!Add(ref sign, ref exponent, ref high, ref low, signOfAddend, (int)c.Exponent, c.Significand))
            {
                signExponent = SignOfExactZero(mode);
                return true;
            }
        }

        significand = FloatRounding.Unbounded(sign, high, low, format, mode, out int carry, out inexact, out _);
        exponent += carry;
        signExponent = sign | (uint)exponent;
        return format.Holds(exponent);
    }

    /// <summary>The normalized product of two normalized significands.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static ulong Multiply(ulong a, ulong b, out ulong low, out int shift)
    {
        ulong high = Math.BigMul(a, b, out ulong l);
        shift = (int)(~high >> 63);
        high = (high << shift) | ((l >> 63) & (ulong)shift);
        low = l << shift;
        return high;
    }

    /// <summary>
    /// Adds a normalized 64-bit addend to a normalized 128-bit product; the sum is normalized, its lowest bit sticky.
    /// False when the sum is exactly zero.
    /// </summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static bool Add(
        ref uint sign, ref int exponent, ref ulong high, ref ulong low, uint addendSign, int addendExponent, ulong addend)
    {
        // x is the larger in magnitude, y is aligned to it.
        ulong xHigh = high, xLow = low, yHigh = addend, yLow = 0;
        bool subtract = sign != addendSign;
        int distance = exponent - addendExponent;
        if (distance < 0 || (distance == 0 && high < addend))
        {
            xHigh = addend;
            xLow = 0;
            yHigh = high;
            yLow = low;
            sign = addendSign;
            exponent = addendExponent;
            distance = -distance;
        }

        WideSignificand.ShiftRight(ref yHigh, ref yLow, out ulong lost, distance);
        if (!subtract)
        {
            low = xLow + yLow;
            ulong carry = low < xLow ? 1UL : 0;
            high = xHigh + yHigh;
            bool overflow = high < xHigh;
            high += carry;
            overflow |= high < carry;
            low |= lost != 0 ? 1UL : 0;
            if (overflow)
            {
                low = (low >> 1) | (low & 1) | (high << 63);
                high = (high >> 1) | FloatKind.IntegerBit;
                exponent++;
            }

            return true;
        }

        // The lost word takes part: with a distance of 1 it may become significant after cancellation.
        ulong borrow = lost != 0 ? 1UL : 0;
        ulong rest = 0 - lost;
        low = xLow - yLow;
        ulong borrowHigh = xLow < yLow ? 1UL : 0;
        borrowHigh += low < borrow ? 1UL : 0;
        low -= borrow;
        high = xHigh - yHigh - borrowHigh;
        if ((long)high >= 0)
        {
            if (high == 0)
            {
                if ((low | rest) == 0)
                    return false;

                high = low;
                low = rest;
                rest = 0;
                exponent -= 64;
                if (high == 0)
                {
                    high = low;
                    low = 0;
                    exponent -= 64;
                }
            }

            int shift = BitOperations.LeadingZeroCount(high);
            exponent -= shift;
            high = (high << shift) | (low >> 1 >> (63 - shift));
            low = (low << shift) | (rest >> 1 >> (63 - shift));
            rest <<= shift;
        }

        low |= rest != 0 ? 1UL : 0;
        return true;
    }

    private static uint SignOfExactZero(uint mode) => mode == 1 ? FloatKind.SignBit : 0;

    /// <summary>
    /// a * b + c, rounded once, for all operands. <paramref name="productSign"/> and <paramref name="addendSign"/> are 0 or
    /// <see cref="FloatKind.SignBit"/> and negate the product (fnma) or the addend (fms).
    /// <paramref name="multiplyOnly"/>: the addend is register f0 and takes no part, so that the sign of a zero product stays.
    /// </summary>
    [MethodImpl(MethodImplOptions.NoInlining)]
    public static FloatRegister Compute(
        in FloatRegister a, in FloatRegister b, in FloatRegister c,
        uint productSign, uint addendSign, bool multiplyOnly, FloatFormat format, ref FloatStatus status)
    {
        uint sign = (a.SignExponent ^ b.SignExponent ^ productSign) & FloatKind.SignBit;
        uint signOfAddend = (c.SignExponent ^ addendSign) & FloatKind.SignBit;
        if (!(FloatKind.IsNormalOrZero(a) && FloatKind.IsNormalOrZero(b) && FloatKind.IsNormalOrZero(c))
            && IsSpecial(a, b, c, sign, signOfAddend, out FloatRegister special, ref status))
            return special;

        if (FloatKind.IsZero(a) || FloatKind.IsZero(b))
            return multiplyOnly ? new FloatRegister(sign, 0) : ZeroPlus(sign, c, signOfAddend, format, ref status);

        ulong high = Multiply(FloatKind.Normalize(a, out int exponentA), FloatKind.Normalize(b, out int exponentB), out ulong low, out int shift);
        int exponent = exponentA + exponentB - 0xfffe - shift;
        if (!FloatKind.IsZero(c))
        {
            ulong addend = FloatKind.Normalize(c, out int exponentC);
            if (!Add(ref sign, ref exponent, ref high, ref low, signOfAddend, exponentC, addend))
                return new FloatRegister(SignOfExactZero(status.RoundingMode), 0);
        }

        return FloatRounding.Round(sign, exponent, high, low, format, ref status);
    }

    /// <summary>True when an operand, or a fault, decides the result. Else all operands are finite, and D has been raised.</summary>
    private static bool IsSpecial(
        in FloatRegister a, in FloatRegister b, in FloatRegister c, uint sign, uint signOfAddend,
        out FloatRegister result, ref FloatStatus status)
    {
        result = FloatRegister.NatVal;
        if (a.IsNatVal || b.IsNatVal || c.IsNatVal)
            return true;

        result = FloatKind.QuietNanIndefinite;
        if (FloatKind.IsUnsupported(a) || FloatKind.IsUnsupported(b) || FloatKind.IsUnsupported(c))
        {
            status.Raise(FloatFlags.Invalid);
            return true;
        }

        if (FloatKind.IsNan(a) || FloatKind.IsNan(b) || FloatKind.IsNan(c))
        {
            if (FloatKind.IsSignaling(a) || FloatKind.IsSignaling(b) || FloatKind.IsSignaling(c))
                status.Raise(FloatFlags.Invalid);

            // Of several NaNs the second multiplicand wins, then the addend, then the first multiplicand.
            result = FloatKind.Quieted(FloatKind.IsNan(b) ? b : FloatKind.IsNan(c) ? c : a);
            return true;
        }

        bool infiniteProduct = FloatKind.IsInfinity(a) || FloatKind.IsInfinity(b);
        bool infiniteAddend = FloatKind.IsInfinity(c);
        if (infiniteProduct && (FloatKind.IsZero(a) || FloatKind.IsZero(b) || (infiniteAddend && sign != signOfAddend)))
        {
            status.Raise(FloatFlags.Invalid);
            return true;
        }

        result = FloatKind.Infinity(infiniteProduct ? sign : signOfAddend);
        bool unnormal = FloatKind.IsUnnormal(a) || FloatKind.IsUnnormal(b) || FloatKind.IsUnnormal(c);
        return (unnormal && status.Raise(FloatFlags.Denormal)) || infiniteProduct || infiniteAddend;
    }

    /// <summary>A zero product plus an addend that may be zero, too.</summary>
    private static FloatRegister ZeroPlus(uint productSign, in FloatRegister c, uint addendSign, FloatFormat format, ref FloatStatus status)
    {
        if (!FloatKind.IsZero(c))
        {
            ulong addend = FloatKind.Normalize(c, out int exponent);
            return FloatRounding.Round(addendSign, exponent, addend, 0, format, ref status);
        }

        return new FloatRegister(productSign == addendSign ? productSign : SignOfExactZero(status.RoundingMode), 0);
    }
}
