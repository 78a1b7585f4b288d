namespace FastXen.Core.Float;

/// <summary>A relation of two registers with its exceptions (manual volume 3, fcmp, fmin). It is a type argument, so that each use is compiled in place.</summary>
public interface IFloatRelation
{
    /// <summary>True when the relation holds. No operand is NaTVal.</summary>
    static abstract bool Holds(in FloatRegister a, in FloatRegister b, ref FloatStatus status);
}

/// <summary>fcmp.eq: quiet NaNs compare silently.</summary>
public readonly struct Equal : IFloatRelation
{
    /// <inheritdoc/>
    public static bool Holds(in FloatRegister a, in FloatRegister b, ref FloatStatus status) =>
        FloatOrder.Exists(a, b, quietIsInvalid: false, ref status) && FloatOrder.Compare(a, b) == 0;
}

/// <summary>fcmp.lt, and the choice of fmin: any NaN is invalid.</summary>
public readonly struct Less : IFloatRelation
{
    /// <inheritdoc/>
    public static bool Holds(in FloatRegister a, in FloatRegister b, ref FloatStatus status) =>
        FloatOrder.Exists(a, b, quietIsInvalid: true, ref status) && FloatOrder.Compare(a, b) < 0;
}

/// <summary>fcmp.le: any NaN is invalid.</summary>
public readonly struct LessOrEqual : IFloatRelation
{
    /// <inheritdoc/>
    public static bool Holds(in FloatRegister a, in FloatRegister b, ref FloatStatus status) =>
        FloatOrder.Exists(a, b, quietIsInvalid: true, ref status) && FloatOrder.Compare(a, b) <= 0;
}

/// <summary>fcmp.unord.</summary>
public readonly struct Unordered : IFloatRelation
{
    /// <inheritdoc/>
    public static bool Holds(in FloatRegister a, in FloatRegister b, ref FloatStatus status) =>
        !FloatOrder.Exists(a, b, quietIsInvalid: false, ref status);
}

/// <summary>The choice of fmax.</summary>
public readonly struct Greater : IFloatRelation
{
    /// <inheritdoc/>
    public static bool Holds(in FloatRegister a, in FloatRegister b, ref FloatStatus status) => Less.Holds(b, a, ref status);
}

/// <summary>The choice of famin (of <see cref="Less"/>) and famax (of <see cref="Greater"/>).</summary>
public readonly struct InMagnitude<T> : IFloatRelation
    where T : struct, IFloatRelation
{
    /// <inheritdoc/>
    public static bool Holds(in FloatRegister a, in FloatRegister b, ref FloatStatus status) =>
        T.Holds(new FloatRegister(a.Exponent, a.Significand), new FloatRegister(b.Exponent, b.Significand), ref status);
}
