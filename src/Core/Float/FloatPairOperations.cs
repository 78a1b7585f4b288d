namespace FastXen.Core.Float;

// The halves of the parallel operations of manual volume 3, each the scalar operation on singles.
#pragma warning disable CS1591 // the names are the manual's

public readonly struct FpminHalf : IParallelOperation
{
    public static uint Apply(uint a, uint b, ref FloatStatus status) =>
        FloatComparison.TakesFirstOfMin(MemoryFormat.FromSingle(a), MemoryFormat.FromSingle(b), ref status) ? a : b;
}

public readonly struct FpmaxHalf : IParallelOperation
{
    public static uint Apply(uint a, uint b, ref FloatStatus status) =>
        FloatComparison.TakesFirstOfMax(MemoryFormat.FromSingle(a), MemoryFormat.FromSingle(b), ref status) ? a : b;
}

public readonly struct FpaminHalf : IParallelOperation
{
    public static uint Apply(uint a, uint b, ref FloatStatus status) =>
        FloatComparison.TakesFirstOfMagnitudeMin(MemoryFormat.FromSingle(a), MemoryFormat.FromSingle(b), ref status) ? a : b;
}

public readonly struct FpamaxHalf : IParallelOperation
{
    public static uint Apply(uint a, uint b, ref FloatStatus status) =>
        FloatComparison.TakesFirstOfMagnitudeMax(MemoryFormat.FromSingle(a), MemoryFormat.FromSingle(b), ref status) ? a : b;
}

public readonly struct FpcmpEqHalf : IParallelOperation
{
    public static uint Apply(uint a, uint b, ref FloatStatus status) =>
        FloatComparison.Equal(MemoryFormat.FromSingle(a), MemoryFormat.FromSingle(b), ref status) ? ~0u : 0;
}

public readonly struct FpcmpLtHalf : IParallelOperation
{
    public static uint Apply(uint a, uint b, ref FloatStatus status) =>
        FloatComparison.Less(MemoryFormat.FromSingle(a), MemoryFormat.FromSingle(b), ref status) ? ~0u : 0;
}

public readonly struct FpcmpLeHalf : IParallelOperation
{
    public static uint Apply(uint a, uint b, ref FloatStatus status) =>
        FloatComparison.LessOrEqual(MemoryFormat.FromSingle(a), MemoryFormat.FromSingle(b), ref status) ? ~0u : 0;
}

public readonly struct FpcmpUnordHalf : IParallelOperation
{
    public static uint Apply(uint a, uint b, ref FloatStatus status) =>
        FloatComparison.Unordered(MemoryFormat.FromSingle(a), MemoryFormat.FromSingle(b), ref status) ? ~0u : 0;
}

/// <summary>The opposite of a compare: neq, nlt, nle, ord. Exceptions are those of the compare.</summary>
public readonly struct FpcmpNot<T> : IParallelOperation
    where T : struct, IParallelOperation
{
    public static uint Apply(uint a, uint b, ref FloatStatus status) => ~T.Apply(a, b, ref status);
}

public readonly struct FpcvtFxHalf : IParallelOperation
{
    public static uint Apply(uint a, uint b, ref FloatStatus status) => FloatConversion.ParallelToSigned(a, ref status);
}

public readonly struct FpcvtFxuHalf : IParallelOperation
{
    public static uint Apply(uint a, uint b, ref FloatStatus status) => FloatConversion.ParallelToUnsigned(a, ref status);
}
