namespace FastXen.Core.Float;

/// <summary>Compares, minima and maxima (manual volume 3, fcmp, fmin, fmax, famin, famax). No operand is NaTVal.</summary>
public static class FloatComparison
{
    /// <summary>fcmp.eq: quiet NaNs compare silently.</summary>
    public static bool Equal(in FloatRegister a, in FloatRegister b, ref FloatStatus status) =>
        Check(a, b, quietIsInvalid: false, ref status) && Order(a, b) == 0;

    /// <summary>fcmp.lt: any NaN is invalid.</summary>
    public static bool Less(in FloatRegister a, in FloatRegister b, ref FloatStatus status) =>
        Check(a, b, quietIsInvalid: true, ref status) && Order(a, b) < 0;

    /// <summary>fcmp.le: any NaN is invalid.</summary>
    public static bool LessOrEqual(in FloatRegister a, in FloatRegister b, ref FloatStatus status) =>
        Check(a, b, quietIsInvalid: true, ref status) && Order(a, b) <= 0;

    /// <summary>fcmp.unord.</summary>
    public static bool Unordered(in FloatRegister a, in FloatRegister b, ref FloatStatus status) =>
        !Check(a, b, quietIsInvalid: false, ref status);

    /// <summary>fmin: a when it is less than b, else b.</summary>
    public static bool TakesFirstOfMin(in FloatRegister a, in FloatRegister b, ref FloatStatus status) => Less(a, b, ref status);

    /// <summary>fmax: a when b is less than a, else b.</summary>
    public static bool TakesFirstOfMax(in FloatRegister a, in FloatRegister b, ref FloatStatus status) => Less(b, a, ref status);

    /// <summary>famin: a when it is less in magnitude.</summary>
    public static bool TakesFirstOfMagnitudeMin(in FloatRegister a, in FloatRegister b, ref FloatStatus status) =>
        Less(Magnitude(a), Magnitude(b), ref status);

    /// <summary>famax: a when b is less in magnitude.</summary>
    public static bool TakesFirstOfMagnitudeMax(in FloatRegister a, in FloatRegister b, ref FloatStatus status) =>
        Less(Magnitude(b), Magnitude(a), ref status);

    private static FloatRegister Magnitude(in FloatRegister f) => new(f.Exponent, f.Significand);

    /// <summary>Raises V or D; true when the operands have an order.</summary>
    private static bool Check(in FloatRegister a, in FloatRegister b, bool quietIsInvalid, ref FloatStatus status)
    {
        if (FloatKind.IsNormal(a) && FloatKind.IsNormal(b))
            return true;

        if (FloatKind.IsUnordered(a) || FloatKind.IsUnordered(b))
        {
            if (quietIsInvalid || !(IsQuietOrOrdered(a) && IsQuietOrOrdered(b)))
                status.Raise(FloatFlags.Invalid);
            return false;
        }

        if (FloatKind.IsUnnormal(a) || FloatKind.IsUnnormal(b))
            status.Raise(FloatFlags.Denormal);
        return true;
    }

    private static bool IsQuietOrOrdered(in FloatRegister f) => !FloatKind.IsUnsupported(f) && !FloatKind.IsSignaling(f);

    /// <summary>Negative, zero or positive as a is less than, equal to or greater than b, by value.</summary>
    private static int Order(in FloatRegister a, in FloatRegister b)
    {
        bool zeroA = FloatKind.IsZero(a), zeroB = FloatKind.IsZero(b);
        if (zeroA || zeroB)
            return zeroA ? (zeroB ? 0 : b.Sign ? 1 : -1) : (a.Sign ? -1 : 1);
        if (a.Sign != b.Sign)
            return a.Sign ? -1 : 1;

        ulong significandA = FloatKind.Normalize(a, out int exponentA);
        ulong significandB = FloatKind.Normalize(b, out int exponentB);
        int order = exponentA != exponentB ? exponentA.CompareTo(exponentB) : significandA.CompareTo(significandB);
        return a.Sign ? -order : order;
    }
}
