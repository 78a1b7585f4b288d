namespace FastXen.Core.Emit;

/// <summary>Scalar floating-point operations of two operands.</summary>
public enum FloatOperation : byte
{
    Add, Multiply, Subtract, Minimum, Divide, Maximum, SquareRoot,
}
