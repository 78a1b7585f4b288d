namespace FastXen.Core.Emit;

/// <summary>
/// Packed integer operations of two operands. The value is the opcode: bits 15:8 its map (0x0f or 0x38), bits 7:0 the byte.
/// B, W, D, Q are the element sizes of 1, 2, 4, 8 bytes.
/// </summary>
public enum VectorOperation : ushort
{
    AddB = 0x0ffc, AddW = 0x0ffd, AddD = 0x0ffe, AddQ = 0x0fd4,
    SubtractB = 0x0ff8, SubtractW = 0x0ff9, SubtractD = 0x0ffa, SubtractQ = 0x0ffb,
    AddSignedSaturatingB = 0x0fec, AddSignedSaturatingW = 0x0fed,
    AddUnsignedSaturatingB = 0x0fdc, AddUnsignedSaturatingW = 0x0fdd,
    SubtractSignedSaturatingB = 0x0fe8, SubtractSignedSaturatingW = 0x0fe9,
    SubtractUnsignedSaturatingB = 0x0fd8, SubtractUnsignedSaturatingW = 0x0fd9,
    AverageB = 0x0fe0, AverageW = 0x0fe3,
    EqualB = 0x0f74, EqualW = 0x0f75, EqualD = 0x0f76,
    GreaterB = 0x0f64, GreaterW = 0x0f65, GreaterD = 0x0f66,
    MinimumUnsignedB = 0x0fda, MinimumSignedW = 0x0fea, MaximumUnsignedB = 0x0fde, MaximumSignedW = 0x0fee,
    SumOfDifferences = 0x0ff6,
    MultiplyLowW = 0x0fd5, MultiplyHighSignedW = 0x0fe5, MultiplyHighUnsignedW = 0x0fe4, MultiplyAddW = 0x0ff5,
    And = 0x0fdb, AndNot = 0x0fdf, Or = 0x0feb, Xor = 0x0fef,
    UnpackLowB = 0x0f60, UnpackLowW = 0x0f61, UnpackLowD = 0x0f62, UnpackLowQ = 0x0f6c,
    UnpackHighB = 0x0f68, UnpackHighW = 0x0f69, UnpackHighD = 0x0f6a, UnpackHighQ = 0x0f6d,
    PackUnsignedW = 0x0f67, PackSignedW = 0x0f63, PackSignedD = 0x0f6b,
    ShuffleB = 0x3800,
}
