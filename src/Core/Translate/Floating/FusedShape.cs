namespace FastXen.Core.Translate;

/// <summary>Which of its operands a multiply-add has: those that name f0 or f1 are left out.</summary>
public enum FusedShape : byte
{
    /// <summary>a * b + c.</summary>
    MultiplyAdd,

    /// <summary>a * b; the addend is f0.</summary>
    Product,

    /// <summary>a + c; the second multiplicand is f1.</summary>
    Sum,

    /// <summary>a alone, which may be unnormal: fnorm, and fcvt.xuf of an integer.</summary>
    Normalization,
}
