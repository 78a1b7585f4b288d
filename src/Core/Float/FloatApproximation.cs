namespace FastXen.Core.Float;

/// <summary>
/// The seeds of division and square root (manual volume 3, frcpa, frsqrta, fprcpa, fprsqrta). The predicate tells whether
/// software goes on to refine the seed; where it is false the value is the final result.
/// </summary>
public static class FloatApproximation
{
    // In terms of register exponents: the limits beyond which the refinement in 82-bit registers would go wrong.
    private const int Bias = 0xffff;

    /// <summary>frcpa of a / b.</summary>
    public static FloatRegister Reciprocal(in FloatRegister a, in FloatRegister b, out bool refine, ref FloatStatus status)
    {
        if (DivisionSpecial(a, b, out FloatRegister result, out refine, ref status))
            return result;

        ulong significandB = FloatKind.Normalize(b, out int exponentB);
        FloatKind.Normalize(a, out int exponentA);
        int quotient = exponentA - exponentB;
        if (exponentB <= 0 || exponentB >= 2 * Bias - 2 || quotient >= Bias || quotient <= 2 - Bias || exponentA <= 64)
        {
            status.Fault |= FloatFlags.SoftwareAssist;
            return default;
        }

        refine = true;
        return new FloatRegister(FloatKind.SignOf(b) | (uint)((2 * Bias) - 1 - exponentB), ReciprocalSeed(significandB));
    }

    /// <summary>frsqrta of 1 / sqrt(a).</summary>
    public static FloatRegister ReciprocalSquareRoot(in FloatRegister a, out bool refine, ref FloatStatus status)
    {
        if (RootSpecial(a, out FloatRegister result, out refine, ref status))
            return result;
        if (FloatKind.IsZero(a))
            return new FloatRegister(FloatKind.SignOf(a), 0);
        if (FloatKind.IsInfinity(a))
            return a;

        ulong significand = FloatKind.Normalize(a, out int exponent);
        if (exponent <= 64)
        {
            status.Fault |= FloatFlags.SoftwareAssist;
            return default;
        }

        refine = true;
        return RootSeed(exponent, significand);
    }

    /// <summary>fprcpa of one pair of singles.</summary>
    public static uint ParallelReciprocal(uint a, uint b, out bool refine, ref FloatStatus status)
    {
        FloatRegister f = MemoryFormat.FromSingle(a), g = MemoryFormat.FromSingle(b);
        if (DivisionSpecial(f, g, out FloatRegister result, out refine, ref status))
            return MemoryFormat.ToSingle(result);

        const int singleMinimum = 0xff81, singleMaximum = 0x1007e;
        ulong significand = FloatKind.Normalize(g, out int exponentB);
        FloatKind.Normalize(f, out int exponentA);
        int exponent = (2 * Bias) - 1 - exponentB;
        uint sign = FloatKind.SignOf(g);
        if (exponent > singleMaximum)
            return MemoryFormat.ToSingle(FloatKind.Infinity(sign));
        if (exponent < singleMinimum)
            return MemoryFormat.ToSingle(new FloatRegister(sign, 0));

        int quotient = exponentA - exponentB;
        bool normalDivisor = exponentB >= singleMinimum && exponentB < singleMaximum - 1;
        refine = normalDivisor && quotient < 127 && quotient > 2 - 127 && exponentA > singleMinimum + 23;
        return MemoryFormat.ToSingle(new FloatRegister(sign | (uint)exponent, ReciprocalSeed(significand)));
    }

    /// <summary>fprsqrta of one single. Unlike frsqrta it gives 1 / sqrt for zeros and infinity.</summary>
    public static uint ParallelReciprocalSquareRoot(uint a, out bool refine, ref FloatStatus status)
    {
        FloatRegister f = MemoryFormat.FromSingle(a);
        if (RootSpecial(f, out FloatRegister result, out refine, ref status))
            return MemoryFormat.ToSingle(result);
        if (FloatKind.IsZero(f))
            return MemoryFormat.ToSingle(FloatKind.Infinity(FloatKind.SignOf(f)));
        if (FloatKind.IsInfinity(f))
            return 0;

        ulong significand = FloatKind.Normalize(f, out int exponent);
        refine = exponent > 0xff81 + 23;
        return MemoryFormat.ToSingle(RootSeed(exponent, significand));
    }

    /// <summary>NaNs, infinities and zeros of a / b; true when that ends the operation.</summary>
    private static bool DivisionSpecial(
        in FloatRegister a, in FloatRegister b, out FloatRegister result, out bool refine, ref FloatStatus status)
    {
        refine = false;
        if (FloatKind.IsNormal(a) && FloatKind.IsNormal(b))
        {
            result = default;
            return false;
        }

        result = FloatKind.QuietNanIndefinite;
        if (FloatKind.IsUnsupported(a) || FloatKind.IsUnsupported(b))
        {
            status.Raise(FloatFlags.Invalid);
            return true;
        }

        if (FloatKind.IsNan(a) || FloatKind.IsNan(b))
        {
            if (FloatKind.IsSignaling(a) || FloatKind.IsSignaling(b))
                status.Raise(FloatFlags.Invalid);
            result = FloatKind.Quieted(FloatKind.IsNan(a) ? a : b);
            return true;
        }

        bool infiniteA = FloatKind.IsInfinity(a), infiniteB = FloatKind.IsInfinity(b);
        bool zeroA = FloatKind.IsZero(a), zeroB = FloatKind.IsZero(b);
        if ((infiniteA && infiniteB) || (zeroA && zeroB))
        {
            status.Raise(FloatFlags.Invalid);
            return true;
        }

        uint sign = (a.SignExponent ^ b.SignExponent) & FloatKind.SignBit;
        result = infiniteA || zeroB ? FloatKind.Infinity(sign) : new FloatRegister(sign, 0);
        if ((FloatKind.IsUnnormal(a) || FloatKind.IsUnnormal(b)) && status.Raise(FloatFlags.Denormal))
            return true;
        if (zeroB && !infiniteA)
        {
            status.Raise(FloatFlags.ZeroDivide);
            return true;
        }

        return infiniteA || infiniteB || zeroA;
    }

    /// <summary>NaNs and negative numbers; true when that ends the operation. Raises D for those that go on.</summary>
    private static bool RootSpecial(in FloatRegister a, out FloatRegister result, out bool refine, ref FloatStatus status)
    {
        refine = false;
        result = FloatKind.QuietNanIndefinite;
        if (FloatKind.IsNan(a))
        {
            if (FloatKind.IsSignaling(a))
                status.Raise(FloatFlags.Invalid);
            result = FloatKind.Quieted(a);
            return true;
        }

        if (FloatKind.IsUnsupported(a) || (a.Sign && !FloatKind.IsZero(a)))
        {
            status.Raise(FloatFlags.Invalid);
            return true;
        }

        return FloatKind.IsUnnormal(a) && status.Raise(FloatFlags.Denormal);
    }

    /// <summary>
    /// The manual's 256-entry reciprocal table: entry i is 2048 / (1 + (2i + 1) / 512) to the nearest integer, an
    /// 11-bit significand.
    /// </summary>
    internal static ulong ReciprocalSeed(ulong significand)
    {
        uint index = (uint)(significand >> 55) & 0xff;
        uint divisor = 513 + (2 * index);
        return (ulong)(((2u << 20) / divisor) + 1 >> 1) << 53;
    }

    /// <summary>
    /// The manual's 256-entry table of reciprocal square roots (odd exponents of a have the entries for 1 to 2, even ones
    /// those for 2 to 4): 2048 / sqrt of the middle of the interval, to the nearest integer.
    /// </summary>
    internal static FloatRegister RootSeed(int exponent, ulong significand)
    {
        uint index = (uint)(significand >> 56) & 0x7f;
        double middle = (257 + (2 * index)) / 256.0 * ((exponent & 1) != 0 ? 1 : 2);
        ulong seed = (ulong)((2048 / Math.Sqrt(middle)) + 0.5);
        return new FloatRegister((uint)(Bias - 1 - ((exponent - Bias) >> 1)), seed << 53);
    }
}
