using System.Numerics;
using System.Runtime.CompilerServices;

namespace FastXen.Core.Float;

/// <summary>fma, fms, fnma and all that is written with them (fmpy, fadd, fsub, fnorm): manual volume 3, fma.</summary>
public static class MultiplyAdd
{
    /// <summary>
    /// a * b + c, rounded once. <paramref name="productSign"/> and <paramref name="addendSign"/> are 0 or
    /// <see cref="FloatKind.SignBit"/> and negate the product (fnma) or the addend (fms).
    /// <paramref name="multiplyOnly"/>: the addend is register f0 and takes no part, so that the sign of a zero product stays.
    /// </summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static FloatRegister Compute(
        in FloatRegister a, in FloatRegister b, in FloatRegister c,
        uint productSign, uint addendSign, bool multiplyOnly, FloatFormat format, ref FloatStatus status)
    {
        if (!FloatKind.IsNormal(a) || !FloatKind.IsNormal(b) || !(multiplyOnly || FloatKind.IsNormal(c)))
            return Unusual(a, b, c, productSign, addendSign, multiplyOnly, format, ref status);

        ulong high = Multiply(a.Significand, b.Significand, out ulong low, out int shift);
        int exponent = (int)a.Exponent + (int)b.Exponent - 0xfffe - shift;
        uint sign = (a.SignExponent ^ b.SignExponent ^ productSign) & FloatKind.SignBit;
        return multiplyOnly
            ? FloatRounding.Round(sign, exponent, high, low, format, ref status)
            : Sum(sign, exponent, high, low, (c.SignExponent ^ addendSign) & FloatKind.SignBit, (int)c.Exponent, c.Significand, format, ref status);
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

    /// <summary>Adds a normalized 64-bit addend to a normalized 128-bit product and rounds.</summary>
    private static FloatRegister Sum(
        uint sign, int exponent, ulong high, ulong low, uint addendSign, int addendExponent, ulong addend,
        FloatFormat format, ref FloatStatus status)
    {
        // x is the larger in magnitude, y is aligned to it.
        ulong xHigh = high, xLow = low, yHigh = addend, yLow = 0;
        bool subtract = sign != addendSign;
        int distance = exponent - addendExponent;
        if (distance < 0 || (distance == 0 && high < addend))
        {
            (xHigh, xLow, yHigh, yLow) = (addend, 0, high, low);
            (sign, exponent, distance) = (addendSign, addendExponent, -distance);
        }

        WideSignificand.ShiftRight(ref yHigh, ref yLow, out ulong lost, distance);
        if (!subtract)
        {
            ulong sumLow = xLow + yLow;
            ulong carry = sumLow < xLow ? 1UL : 0;
            ulong sumHigh = xHigh + yHigh;
            bool overflow = sumHigh < xHigh;
            sumHigh += carry;
            overflow |= sumHigh < carry;
            sumLow |= lost != 0 ? 1UL : 0;
            if (overflow)
            {
                sumLow = (sumLow >> 1) | (sumLow & 1) | (sumHigh << 63);
                sumHigh = (sumHigh >> 1) | FloatKind.IntegerBit;
                exponent++;
            }

            return FloatRounding.Round(sign, exponent, sumHigh, sumLow, format, ref status);
        }

        // The lost word takes part: with a distance of 1 it may become significant after cancellation.
        ulong borrow = lost != 0 ? 1UL : 0;
        ulong rest = 0 - lost;
        ulong differenceLow = xLow - yLow;
        ulong borrowHigh = xLow < yLow ? 1UL : 0;
        borrowHigh += differenceLow < borrow ? 1UL : 0;
        differenceLow -= borrow;
        ulong differenceHigh = xHigh - yHigh - borrowHigh;
        if ((long)differenceHigh >= 0)
        {
            if (differenceHigh == 0)
            {
                if ((differenceLow | rest) == 0)
                    return new FloatRegister(status.RoundingMode == 1 ? FloatKind.SignBit : 0, 0);

                (differenceHigh, differenceLow, rest) = (differenceLow, rest, 0);
                exponent -= 64;
                if (differenceHigh == 0)
                {
                    (differenceHigh, differenceLow) = (differenceLow, 0);
                    exponent -= 64;
                }
            }

            int shift = BitOperations.LeadingZeroCount(differenceHigh);
            exponent -= shift;
            differenceHigh = (differenceHigh << shift) | (differenceLow >> 1 >> (63 - shift));
            differenceLow = (differenceLow << shift) | (rest >> 1 >> (63 - shift));
            rest <<= shift;
        }

        differenceLow |= rest != 0 ? 1UL : 0;
        return FloatRounding.Round(sign, exponent, differenceHigh, differenceLow, format, ref status);
    }

    /// <summary>Some operand is not a normal number.</summary>
    [MethodImpl(MethodImplOptions.NoInlining)]
    private static FloatRegister Unusual(
        in FloatRegister a, in FloatRegister b, in FloatRegister c,
        uint productSign, uint addendSign, bool multiplyOnly, FloatFormat format, ref FloatStatus status)
    {
        if (a.IsNatVal || b.IsNatVal || c.IsNatVal)
            return FloatRegister.NatVal;
        if (FloatKind.IsUnsupported(a) || FloatKind.IsUnsupported(b) || FloatKind.IsUnsupported(c))
            return Invalid(ref status);
        if (FloatKind.IsNan(a) || FloatKind.IsNan(b) || FloatKind.IsNan(c))
        {
            if ((FloatKind.IsSignaling(a) || FloatKind.IsSignaling(b) || FloatKind.IsSignaling(c)) && status.Raise(FloatFlags.Invalid))
                return default;

            // Of several NaNs the second multiplicand wins, then the addend, then the first multiplicand.
            return FloatKind.Quieted(FloatKind.IsNan(b) ? b : FloatKind.IsNan(c) ? c : a);
        }

        uint sign = (a.SignExponent ^ b.SignExponent ^ productSign) & FloatKind.SignBit;
        uint signOfAddend = (c.SignExponent ^ addendSign) & FloatKind.SignBit;
        bool infiniteProduct = FloatKind.IsInfinity(a) || FloatKind.IsInfinity(b);
        bool zeroProduct = FloatKind.IsZero(a) || FloatKind.IsZero(b);
        bool infiniteAddend = FloatKind.IsInfinity(c);
        if (infiniteProduct && (zeroProduct || (infiniteAddend && sign != signOfAddend)))
            return Invalid(ref status);

        bool unnormal = FloatKind.IsUnnormal(a) || FloatKind.IsUnnormal(b) || (!multiplyOnly && FloatKind.IsUnnormal(c));
        if (unnormal && status.Raise(FloatFlags.Denormal))
            return default;
        if (infiniteProduct)
            return FloatKind.Infinity(sign);
        if (infiniteAddend)
            return FloatKind.Infinity(signOfAddend);

        if (zeroProduct)
            return multiplyOnly ? new FloatRegister(sign, 0) : ZeroPlus(sign, c, signOfAddend, format, ref status);

        ulong high = Multiply(FloatKind.Normalize(a, out int exponentA), FloatKind.Normalize(b, out int exponentB), out ulong low, out int shift);
        int exponent = exponentA + exponentB - 0xfffe - shift;
        if (multiplyOnly || FloatKind.IsZero(c))
            return FloatRounding.Round(sign, exponent, high, low, format, ref status);

        ulong addend = FloatKind.Normalize(c, out int exponentC);
        return Sum(sign, exponent, high, low, signOfAddend, exponentC, addend, format, ref status);
    }

    /// <summary>A zero product plus an addend that may be zero, too.</summary>
    private static FloatRegister ZeroPlus(uint productSign, in FloatRegister c, uint addendSign, FloatFormat format, ref FloatStatus status)
    {
        if (!FloatKind.IsZero(c))
        {
            ulong addend = FloatKind.Normalize(c, out int exponent);
            return FloatRounding.Round(addendSign, exponent, addend, 0, format, ref status);
        }

        uint sign = productSign == addendSign ? productSign : status.RoundingMode == 1 ? FloatKind.SignBit : 0;
        return new FloatRegister(sign, 0);
    }

    private static FloatRegister Invalid(ref FloatStatus status)
    {
        status.Raise(FloatFlags.Invalid);
        return FloatKind.QuietNanIndefinite;
    }
}
