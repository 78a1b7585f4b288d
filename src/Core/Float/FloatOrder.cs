using System.Runtime.CompilerServices;

namespace FastXen.Core.Float;

/// <summary>The order of two operands and the exceptions of asking for it. No operand is NaTVal.</summary>
internal static class FloatOrder
{
    /// <summary>Raises V or D; true when the operands have an order.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static bool Exists(in FloatRegister a, in FloatRegister b, bool quietIsInvalid, ref FloatStatus status) =>
        (FloatKind.IsNormal(a) && FloatKind.IsNormal(b)) || ExistsOfUnusual(a, b, quietIsInvalid, ref status);

    /// <summary>Negative, zero or positive as a is less than, equal to or greater than b, by value.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static int Compare(in FloatRegister a, in FloatRegister b)
    {
        // Both are ordered, so that a significand of 0 is a zero.
        if (a.Significand == 0 || b.Significand == 0)
            return SignOf(a) - SignOf(b);
        if (a.Sign != b.Sign)
            return a.Sign ? -1 : 1;

        int exponentA = (int)a.Exponent, exponentB = (int)b.Exponent;
        ulong significandA = a.Significand, significandB = b.Significand;
        if (!FloatKind.IsNormal(a) || !FloatKind.IsNormal(b))
        {
            significandA = FloatKind.Normalize(a, out exponentA);
            significandB = FloatKind.Normalize(b, out exponentB);
        }

        bool less = exponentA < exponentB || (exponentA == exponentB && significandA < significandB);
        bool equal = exponentA == exponentB && significandA == significandB;
        return equal ? 0 : less != a.Sign ? -1 : 1;
    }

    /// <summary>-1, 0, 1.</summary>
    private static int SignOf(in FloatRegister f) => f.Significand == 0 ? 0 : f.Sign ? -1 : 1;

    private static bool ExistsOfUnusual(in FloatRegister a, in FloatRegister b, bool quietIsInvalid, ref FloatStatus status)
    {
        if (FloatKind.IsUnordered(a) || FloatKind.IsUnordered(b))
        {
            if (quietIsInvalid || IsNeverQuiet(a) || IsNeverQuiet(b))
                status.Raise(FloatFlags.Invalid);
            return false;
        }

        if (FloatKind.IsUnnormal(a) || FloatKind.IsUnnormal(b))
            status.Raise(FloatFlags.Denormal);
        return true;
    }

    private static bool IsNeverQuiet(in FloatRegister f) => FloatKind.IsUnsupported(f) || FloatKind.IsSignaling(f);
}
