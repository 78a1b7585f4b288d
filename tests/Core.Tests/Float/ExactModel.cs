using System.Numerics;
using FastXen.Core.Float;

namespace FastXen.Core.Tests.Float;

/// <summary>
/// Multiply-add of finite operands with exact integers of any size, rounded as the manual describes it, bit by bit: a slow second
/// opinion that shares no code with the product.
/// </summary>
internal static class ExactModel
{
    public readonly record struct Result(FloatRegister Value, bool Overflow, bool Underflow, bool Inexact, bool Away);

    /// <summary>Bits of precision, exponents of the smallest and the largest normal number.</summary>
    public readonly record struct Format(int Bits, int Minimum, int Maximum);

    private const int Bias = 0xffff;

    public static Result MultiplyAdd(
        FloatRegister a, FloatRegister b, FloatRegister c, bool negateProduct, bool negateAddend, Format format, int mode, bool flush)
    {
        // Values as integers times 2^scale.
        BigInteger product = Integer(a) * Integer(b) * (negateProduct ? -1 : 1);
        int productScale = Scale(a) + Scale(b);
        BigInteger addend = Integer(c) * (negateAddend ? -1 : 1);
        int scale = Math.Min(productScale, Scale(c));
        BigInteger sum = (product << (productScale - scale)) + (addend << (Scale(c) - scale));
        if (sum.IsZero)
        {
            bool negativeProduct = a.Sign ^ b.Sign ^ negateProduct, negativeAddend = c.Sign ^ negateAddend;
            bool negative = negativeProduct == negativeAddend && product.IsZero ? negativeProduct : mode == 1;
            return new Result(Zero(negative), false, false, false, false);
        }

        return Round(sum.Sign < 0, BigInteger.Abs(sum), scale, format, mode, flush);
    }

    private static Result Round(bool negative, BigInteger magnitude, int scale, Format format, int mode, bool flush)
    {
        int top = (int)magnitude.GetBitLength() - 1 + scale;
        BigInteger unbounded = ToMultiple(magnitude, scale, top - format.Bits + 1, negative, mode, out bool inexact, out bool away);
        int roundedTop = (int)unbounded.GetBitLength() - 1 + top - format.Bits + 1;
        if (roundedTop > format.Maximum - Bias)
        {
            bool infinite = mode == 0 || mode == (negative ? 1 : 2);
            uint sign = negative ? 0x20000u : 0;
            FloatRegister value = infinite
                ? new FloatRegister(sign | 0x1ffff, 1UL << 63)
                : new FloatRegister(sign | (uint)format.Maximum, ~0UL << (64 - format.Bits));
            return new Result(value, true, false, true, infinite);
        }

        if (roundedTop >= format.Minimum - Bias)
            return new Result(Make(negative, unbounded, top - format.Bits + 1, format), false, false, inexact, away);
        if (flush)
            return new Result(Zero(negative), false, true, true, false);

        int unit = format.Minimum - Bias - format.Bits + 1;
        BigInteger denormal = ToMultiple(magnitude, scale, unit, negative, mode, out inexact, out away);
        return new Result(Make(negative, denormal, unit, format), false, inexact, inexact, away);
    }

    /// <summary>The magnitude as a multiple of 2^unit, rounded.</summary>
    private static BigInteger ToMultiple(BigInteger magnitude, int scale, int unit, bool negative, int mode, out bool inexact, out bool away)
    {
        inexact = away = false;
        if (scale >= unit)
            return magnitude << (scale - unit);

        BigInteger quotient = BigInteger.DivRem(magnitude, BigInteger.One << (unit - scale), out BigInteger rest);
        inexact = !rest.IsZero;
        int half = (rest << 1).CompareTo(BigInteger.One << (unit - scale));
        away = inexact && mode switch
        {
            0 => half > 0 || (half == 0 && !quotient.IsEven),
            1 => negative,
            2 => !negative,
            _ => false,
        };
        return away ? quotient + 1 : quotient;
    }

    private static FloatRegister Make(bool negative, BigInteger integer, int scale, Format format)
    {
        if (integer.IsZero)
            return Zero(negative);

        uint sign = negative ? 0x20000u : 0;
        int top = (int)integer.GetBitLength() - 1 + scale;
        int exponent = Math.Max(top + Bias, format.Minimum);
        ulong significand = (ulong)(integer << (scale - (exponent - Bias - 63)));
        uint field = exponent == 0xc001 && significand < 1UL << 63 ? 0 : (uint)exponent;
        return new FloatRegister(sign | field, significand);
    }

    private static FloatRegister Zero(bool negative) => new(negative ? 0x20000u : 0, 0);

    private static BigInteger Integer(FloatRegister f) => f.Sign ? -(BigInteger)f.Significand : f.Significand;

    private static int Scale(FloatRegister f) => (int)(f.Exponent == 0 ? 0xc001 : f.Exponent) - Bias - 63;
}
