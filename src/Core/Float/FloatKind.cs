using System.Numerics;
using System.Runtime.CompilerServices;

namespace FastXen.Core.Float;

/// <summary>What a register value is (manual volume 1, table 5-2).</summary>
public static class FloatKind
{
    /// <summary>The integer bit of a significand.</summary>
    public const ulong IntegerBit = 1UL << 63;

    /// <summary>Sign bit of <see cref="FloatRegister.SignExponent"/>.</summary>
    public const uint SignBit = 0x20000;

    private const ulong QuietBit = 1UL << 62;

    /// <summary>The NaN that invalid operations give.</summary>
    public static FloatRegister QuietNanIndefinite => new(SignBit | FloatRegister.SpecialExponent, IntegerBit | QuietBit);

    /// <summary>Infinity with the sign bit <paramref name="sign"/>.</summary>
    public static FloatRegister Infinity(uint sign) => new(sign | FloatRegister.SpecialExponent, IntegerBit);

    /// <summary>Sign of <paramref name="f"/> as <see cref="SignBit"/> or 0.</summary>
    public static uint SignOf(in FloatRegister f) => f.SignExponent & SignBit;

    /// <summary>Normal number: no operation needs to look at it twice.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static bool IsNormal(in FloatRegister f) => (long)f.Significand < 0 && ((f.SignExponent & 0x1ffff) - 1) < 0x1fffe;

    /// <summary>Normal number or zero, but no pseudo-zero.</summary>
    public static bool IsNormalOrZero(in FloatRegister f) => IsNormal(f) || (f.Significand | f.Exponent) == 0;

    /// <summary>NaN, infinity or an unsupported encoding.</summary>
    public static bool IsSpecial(in FloatRegister f) => f.Exponent == FloatRegister.SpecialExponent;

    /// <summary>Pseudo-NaN or pseudo-infinity: the special exponent without integer bit.</summary>
    public static bool IsUnsupported(in FloatRegister f) => IsSpecial(f) && (f.Significand & IntegerBit) == 0;

    /// <summary>Quiet or signaling NaN.</summary>
    public static bool IsNan(in FloatRegister f) => IsSpecial(f) && f.Significand > IntegerBit;

    /// <summary>Signaling NaN.</summary>
    public static bool IsSignaling(in FloatRegister f) => IsNan(f) && (f.Significand & QuietBit) == 0;

    /// <summary>A NaN, or unsupported: it has no order.</summary>
    public static bool IsUnordered(in FloatRegister f) => IsSpecial(f) && f.Significand != IntegerBit;

    /// <summary>Infinity.</summary>
    public static bool IsInfinity(in FloatRegister f) => IsSpecial(f) && f.Significand == IntegerBit;

    /// <summary>Zero or pseudo-zero (NaTVal has been excluded).</summary>
    public static bool IsZero(in FloatRegister f) => f.Significand == 0 && !IsSpecial(f);

    /// <summary>Unnormal, denormal, pseudo-denormal or pseudo-zero: what raises the denormal-operand exception.</summary>
    public static bool IsUnnormal(in FloatRegister f) => !IsSpecial(f)
        && ((f.Significand & IntegerBit) == 0 ? (f.Significand | f.Exponent) != 0 : f.Exponent == 0);

    /// <summary>The NaN with the quiet bit set.</summary>
    public static FloatRegister Quieted(in FloatRegister f) => new(f.SignExponent, f.Significand | QuietBit);

    /// <summary>
    /// Normalized significand of a finite non-zero number, and the exponent it then has (possibly below 1).
    /// Exponent 0 counts as that of the double-extended denormals.
    /// </summary>
    public static ulong Normalize(in FloatRegister f, out int exponent)
    {
        int shift = BitOperations.LeadingZeroCount(f.Significand);
        uint e = f.Exponent;
        exponent = (int)(e == 0 ? FloatFormat.ExtendedMinimum : e) - shift;
        return f.Significand << shift;
    }

    /// <summary>fclass: true when <paramref name="f"/> is of one of the classes of <paramref name="mask"/> (volume 3, fclass).</summary>
    public static bool IsOfClass(in FloatRegister f, uint mask)
    {
        const uint negative = 2, zero = 4, unnormal = 8, normal = 0x10, infinity = 0x20, signaling = 0x40, quiet = 0x80, nat = 0x100;
        if (f.IsNatVal)
            return (mask & nat) != 0;
        if (IsUnsupported(f))
            return false;
        if (IsNan(f))
            return (mask & (IsSignaling(f) ? signaling : quiet)) != 0;
        if ((mask & (f.Sign ? negative : 1)) == 0)
            return false;

        uint wanted = IsInfinity(f) ? infinity : IsUnnormal(f) ? unnormal : IsZero(f) ? zero : normal;
        return (mask & wanted) != 0;
    }
}
