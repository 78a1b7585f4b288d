namespace FastXen.Core.Float;

/// <summary>Conversions to and from integers (manual volume 3, fcvt.fx, fcvt.xf, fpcvt.fx). No operand is NaTVal.</summary>
public static class FloatConversion
{
    /// <summary>fcvt.fx: to a signed 64-bit integer.</summary>
    public static ulong ToSigned(in FloatRegister f, ref FloatStatus status) => ToInteger(f, 64, signed: true, ref status);

    /// <summary>fcvt.fxu: to an unsigned 64-bit integer.</summary>
    public static ulong ToUnsigned(in FloatRegister f, ref FloatStatus status) => ToInteger(f, 64, signed: false, ref status);

    /// <summary>fpcvt.fx: a single to a signed 32-bit integer.</summary>
    public static uint ParallelToSigned(uint f, ref FloatStatus status) =>
        (uint)ToInteger(MemoryFormat.FromSingle(f), 32, signed: true, ref status);

    /// <summary>fpcvt.fxu: a single to an unsigned 32-bit integer.</summary>
    public static uint ParallelToUnsigned(uint f, ref FloatStatus status) =>
        (uint)ToInteger(MemoryFormat.FromSingle(f), 32, signed: false, ref status);

    /// <summary>fcvt.xf: the significand as a signed integer; always exact.</summary>
    public static FloatRegister FromSigned(ulong integer)
    {
        if (integer == 0)
            return default;

        bool negative = (long)integer < 0;
        var magnitude = new FloatRegister(FloatRegister.IntegerExponent, negative ? 0 - integer : integer);
        ulong significand = FloatKind.Normalize(magnitude, out int exponent);
        return new FloatRegister((negative ? FloatKind.SignBit : 0) | (uint)exponent, significand);
    }

    private static ulong ToInteger(in FloatRegister f, int width, bool signed, ref FloatStatus status)
    {
        ulong indefinite = 1UL << (width - 1);
        if (FloatKind.IsZero(f))
        {
            if (FloatKind.IsUnnormal(f))
                status.Raise(FloatFlags.Denormal);
            return 0;
        }

        if (FloatKind.IsSpecial(f))
            return Invalid(indefinite, ref status);

        ulong significand = FloatKind.Normalize(f, out int exponent);
        int shift = (int)FloatRegister.IntegerExponent - exponent;
        if (shift < 64 - width)
            return Invalid(indefinite, ref status);

        ulong whole = significand, fraction = 0;
        WideSignificand.ShiftRight(ref whole, ref fraction, out ulong lost, shift);
        fraction |= lost != 0 ? 1UL : 0;
        bool away = FloatRounding.RoundsAway(FloatKind.SignOf(f), whole, fraction, status.RoundingMode);
        if (away)
            whole++;

        // A carry out of 64 bits cannot happen: with a fraction the top bit of the whole part is 0.
        ulong limit = signed ? indefinite - (f.Sign ? 0u : 1u) : f.Sign ? 0 : ulong.MaxValue >> (64 - width);
        if (whole > limit)
            return Invalid(indefinite, ref status);
        if (FloatKind.IsUnnormal(f) && status.Raise(FloatFlags.Denormal))
            return 0;

        if (fraction != 0)
            FloatRounding.Inexact(away, ref status);
        return f.Sign ? 0 - whole : whole;
    }

    private static ulong Invalid(ulong indefinite, ref FloatStatus status)
    {
        status.Raise(FloatFlags.Invalid);
        return indefinite;
    }
}
