namespace FastXen.Core.Float;

// The halves of the parallel operations of manual volume 3, each the scalar operation on singles.

/// <summary>fpmin, fpmax, fpamin, fpamax: the first operand where the relation holds, else the second.</summary>
public readonly struct ChoiceHalf<T> : IParallelOperation
    where T : struct, IFloatRelation
{
    /// <inheritdoc/>
    public static uint Apply(uint a, uint b, ref FloatStatus status) =>
        T.Holds(MemoryFormat.FromSingle(a), MemoryFormat.FromSingle(b), ref status) ? a : b;
}

/// <summary>fpcmp: all ones where the relation holds.</summary>
public readonly struct CompareHalf<T> : IParallelOperation
    where T : struct, IFloatRelation
{
    /// <inheritdoc/>
    public static uint Apply(uint a, uint b, ref FloatStatus status) =>
        T.Holds(MemoryFormat.FromSingle(a), MemoryFormat.FromSingle(b), ref status) ? ~0u : 0;
}

/// <summary>fpcmp.neq, .nlt, .nle, .ord: the opposite, with the exceptions of the relation itself.</summary>
public readonly struct OppositeHalf<T> : IParallelOperation
    where T : struct, IFloatRelation
{
    /// <inheritdoc/>
    public static uint Apply(uint a, uint b, ref FloatStatus status) => ~CompareHalf<T>.Apply(a, b, ref status);
}

/// <summary>fpcvt.fx.</summary>
public readonly struct ToSignedHalf : IParallelOperation
{
    /// <inheritdoc/>
    public static uint Apply(uint a, uint b, ref FloatStatus status) => FloatConversion.ParallelToSigned(a, ref status);
}

/// <summary>fpcvt.fxu.</summary>
public readonly struct ToUnsignedHalf : IParallelOperation
{
    /// <inheritdoc/>
    public static uint Apply(uint a, uint b, ref FloatStatus status) => FloatConversion.ParallelToUnsigned(a, ref status);
}
