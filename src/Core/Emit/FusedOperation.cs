namespace FastXen.Core.Emit;

/// <summary>Fused multiply-adds: a * b + c, a * b - c, -(a * b) + c, -(a * b) - c.</summary>
public enum FusedOperation : byte
{
    MultiplyAdd, MultiplySubtract, NegativeMultiplyAdd, NegativeMultiplySubtract,
}
