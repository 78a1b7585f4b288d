namespace FastXen.Core.Decode;

/// <summary>
/// Operands as the table names them. Each says where its bits lie, which field of <see cref="Instruction"/> takes them
/// (<see cref="OperandFields"/>) and how it is written (<see cref="OperandText"/>).
/// </summary>
public enum Operand : byte
{
    // Registers. The short r3 is addl's.
    R1, R2, R3, R3Short, F1, F2, F3, F4, P1, P2, B1, B2, Ar3, Cr3, Dahr3,

    // Memory and register files addressed by GR r3.
    Memory, Rr, Dbr, Ibr, Pkr, Pmc, Pmd, Cpuid, Dahr, Itr, Dtr,

    // Signed and unsigned immediates, assembled from the fields of their formats.
    Imm1, Imm8, Imm9Load, Imm9Store, Imm14, Imm22, Imm64, ImmU2, ImmU16, ImmU19, ImmU21, ImmU24, ImmU62,
    Mask17, Imm44, Increment3, FclassMask, LineCount, LineStride,

    // Positions, lengths, counts and selectors.
    Position6, PositionDep, PositionDepImmediate, PositionDepRegister, Length4, Length6, FeatureBit,
    Count2, Count2Multimedia, Count2Multiply, Count5, Count5Left, Count6, MuxBytes, MuxHalves, AndMask7, OrMask7,
    FrameSize, LocalsSize, RotatingSize,

    // Branch targets and branch-prediction tags.
    TargetBranch, TargetCheck, TargetCheckF, TargetLong, TagPredict, TagMove,

    // Fixed operands; the last two are also the base update of ldfp.
    One, Zero, ArPfs, ArCcv, ArCsd, Ip, Pr, PrRot, Psr, PsrL, PsrUm, Eight, Sixteen,
}
