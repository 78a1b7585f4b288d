using FastXen.Core.Float;

namespace FastXen.Platform.Firmware.Fpswa;

/// <summary>
/// The IEEE quotient and square root that frcpa and frsqrta are defined to give where the approximation cannot be refined
/// (manual volume 3, frcpa), rounded once as the status field says.
/// </summary>
internal static class ExactResult
{
    private const int Bias = 0xffff;

    /// <summary>a / b, both finite and not zero.</summary>
    public static FloatRegister Quotient(in FloatRegister a, in FloatRegister b, ref FloatStatus status)
    {
        if (!TryBegin(a, ref status) || !TryBegin(b, ref status))
            return default;
        ulong numerator = FloatKind.Normalize(a, out int exponentA), divisor = FloatKind.Normalize(b, out int exponentB);
        int shift = numerator >= divisor ? 63 : 64;
        (UInt128 high, UInt128 rest) = UInt128.DivRem((UInt128)numerator << shift, divisor);
        (UInt128 low, rest) = UInt128.DivRem(rest << 64, divisor);
        return FloatRounding.Round(
            (a.SignExponent ^ b.SignExponent) & FloatKind.SignBit, exponentA - exponentB + Bias - (shift - 63),
            (ulong)high, (ulong)low | (rest != 0 ? 1ul : 0), FloatFormat.Of(FloatFormat.Dynamic, status.Control), ref status);
    }

    /// <summary>The square root of a positive finite number.</summary>
    public static FloatRegister SquareRoot(in FloatRegister a, ref FloatStatus status)
    {
        if (!TryBegin(a, ref status))
            return default;
        ulong significand = FloatKind.Normalize(a, out int exponent);
        int power = exponent - Bias, odd = power & 1;
        ulong root = Root((UInt128)significand << (63 + odd), out UInt128 rest);
        // Above the middle between two roots where the rest exceeds the root; never on it.
        ulong low = (rest > root ? FloatKind.IntegerBit : 0) | (rest != 0 ? 1ul : 0);
        return FloatRounding.Round(0, (power - odd >> 1) + Bias, root, low, FloatFormat.Of(FloatFormat.Dynamic, status.Control), ref status);
    }

    // Zeros, infinities and NaNs never need assistance; unnormal operands raise D.
    private static bool TryBegin(in FloatRegister f, ref FloatStatus status)
    {
        if (FloatKind.IsSpecial(f) || f.Significand == 0)
        {
            status.Fault |= FloatFlags.Invalid;
            return false;
        }
        return !FloatKind.IsUnnormal(f) || !status.Raise(FloatFlags.Denormal);
    }

    // The integer square root bit by bit; the radicand is in [2^126, 2^128), so that the root has 64 bits.
    private static ulong Root(UInt128 radicand, out UInt128 rest)
    {
        ulong root = 0;
        for (ulong bit = 1ul << 63; bit != 0; bit >>= 1)
        {
            ulong trial = root | bit;
            if ((UInt128)trial * trial <= radicand)
                root = trial;
        }
        rest = radicand - (UInt128)root * root;
        return root;
    }
}
