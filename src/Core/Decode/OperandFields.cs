namespace FastXen.Core.Decode;

/// <summary>Moves the bits of an operand into the instruction (manual volume 3, 4.2-4.9 and table 4-77, immediate formation).</summary>
internal static class OperandFields
{
    /// <summary>Extracts <paramref name="operand"/> from the 41 bits of a slot; <paramref name="high"/> is the L slot of a long instruction.</summary>
    public static void Extract(ref Instruction i, Operand operand, ulong bits, ulong high)
    {
        switch (operand)
        {
            case Operand.R1 or Operand.F1: i.R1 = (byte)Field(bits, 6, 7); break;
            case Operand.R2 or Operand.F2: i.R2 = (byte)Field(bits, 13, 7); break;
            case Operand.R3 or Operand.F3 or Operand.Ar3 or Operand.Cr3: i.R3 = (byte)Field(bits, 20, 7); break;
            case >= Operand.Memory and <= Operand.Dtr: i.R3 = (byte)Field(bits, 20, 7); break;
            case Operand.R3Short: i.R3 = (byte)Field(bits, 20, 2); break;
            case Operand.F4: i.R4 = (byte)Field(bits, 27, 7); break;
            case Operand.P1: i.P1 = (byte)Field(bits, 6, 6); break;
            case Operand.P2: i.P2 = (byte)Field(bits, 27, 6); break;
            case Operand.B1: i.R1 = (byte)Field(bits, 6, 3); break;
            case Operand.B2: i.R2 = (byte)Field(bits, 13, 3); break;
            case Operand.Dahr3: i.R3 = (byte)Field(bits, 23, 3); break;

            case Operand.Imm1: i.Immediate = Signed(Sign(bits), 1); break;
            case Operand.Imm8: i.Immediate = Signed(Sign(bits) << 7 | Field(bits, 13, 7), 8); break;
            case Operand.Imm9Load: i.Immediate = Signed(Sign(bits) << 8 | Field(bits, 27, 1) << 7 | Field(bits, 13, 7), 9); break;
            case Operand.Imm9Store: i.Immediate = Signed(Sign(bits) << 8 | Field(bits, 27, 1) << 7 | Field(bits, 6, 7), 9); break;
            case Operand.Imm14: i.Immediate = Signed(Sign(bits) << 13 | Field(bits, 27, 6) << 7 | Field(bits, 13, 7), 14); break;
            case Operand.Imm22:
                i.Immediate = Signed(Sign(bits) << 21 | Field(bits, 22, 5) << 16 | Field(bits, 27, 9) << 7 | Field(bits, 13, 7), 22);
                break;
            case Operand.Imm64:
                i.Immediate = Sign(bits) << 63 | high << 22 | Field(bits, 21, 1) << 21 | Field(bits, 22, 5) << 16
                    | Field(bits, 27, 9) << 7 | Field(bits, 13, 7);
                break;
            case Operand.ImmU2: i.Immediate = Field(bits, 13, 2); break;
            case Operand.ImmU16: i.Immediate = Sign(bits) << 15 | Field(bits, 12, 11) << 4 | Field(bits, 6, 4); break;
            case Operand.ImmU19: i.Immediate = Sign(bits) << 18 | Field(bits, 12, 14) << 4 | Field(bits, 6, 4); break;
            case Operand.ImmU21: i.Immediate = Sign(bits) << 20 | Field(bits, 6, 20); break;
            case Operand.ImmU24: i.Immediate = Sign(bits) << 23 | Field(bits, 31, 2) << 21 | Field(bits, 6, 21); break;
            case Operand.ImmU62: i.Immediate = high << 21 | Sign(bits) << 20 | Field(bits, 6, 20); break;
            case Operand.Mask17: i.Immediate = Signed(Sign(bits) << 16 | Field(bits, 24, 8) << 8 | Field(bits, 6, 7) << 1, 17); break;
            case Operand.Imm44: i.Immediate = Signed(Sign(bits) << 43 | Field(bits, 6, 27) << 16, 44); break;
            case Operand.Increment3:
                long magnitude = Field(bits, 13, 2) == 3 ? 1 : 1L << (4 - (int)Field(bits, 13, 2));
                i.Immediate = (ulong)(Field(bits, 15, 1) == 0 ? magnitude : -magnitude);
                break;
            case Operand.FclassMask: i.Immediate = Field(bits, 20, 7) << 2 | Field(bits, 33, 2); break;
            case Operand.LineCount: i.Length = (byte)(Field(bits, 6, 6) + 1); break;
            case Operand.LineStride: i.Immediate = Signed(Field(bits, 13, 5), 5) << 6; break;

            case Operand.Position6: i.Position = (byte)Field(bits, 14, 6); break;
            case Operand.PositionDep: i.Position = (byte)(63 - Field(bits, 20, 6)); break;
            case Operand.PositionDepImmediate: i.Position = (byte)(63 - Field(bits, 14, 6)); break;
            case Operand.PositionDepRegister: i.Position = (byte)(63 - Field(bits, 31, 6)); break;
            case Operand.Length4: i.Length = (byte)(Field(bits, 27, 4) + 1); break;
            case Operand.Length6: i.Length = (byte)(Field(bits, 27, 6) + 1); break;
            case Operand.FeatureBit: i.Position = (byte)(Field(bits, 14, 5) + 32); break;
            case Operand.Count2 or Operand.Count2Multimedia: i.Position = (byte)(Field(bits, 27, 2) + 1); break;
            case Operand.Count2Multiply: i.Position = (byte)(0x100F0700u >> (8 * (int)Field(bits, 30, 2))); break;
            case Operand.Count5: i.Position = (byte)Field(bits, 14, 5); break;
            case Operand.Count5Left: i.Position = (byte)(31 - Field(bits, 20, 5)); break;
            case Operand.Count6: i.Position = (byte)Field(bits, 27, 6); break;
            case Operand.MuxBytes: i.Selector = (byte)Field(bits, 20, 4); break;
            case Operand.MuxHalves: i.Selector = (byte)Field(bits, 20, 8); break;
            case Operand.AndMask7: i.Position = (byte)Field(bits, 13, 7); break;
            case Operand.OrMask7: i.Length = (byte)Field(bits, 20, 7); break;
            case Operand.FrameSize: i.Position = (byte)Field(bits, 13, 7); break;
            case Operand.LocalsSize: i.Length = (byte)Field(bits, 20, 7); break;
            case Operand.RotatingSize: i.Selector = (byte)(Field(bits, 27, 4) << 3); break;

            case Operand.TargetBranch: i.Immediate = Signed(Sign(bits) << 20 | Field(bits, 13, 20), 21) << 4; break;
            case Operand.TargetCheck: i.Immediate = Signed(Sign(bits) << 20 | Field(bits, 20, 13) << 7 | Field(bits, 6, 7), 21) << 4; break;
            case Operand.TargetCheckF: i.Immediate = Signed(Sign(bits) << 20 | Field(bits, 6, 20), 21) << 4; break;
            case Operand.TargetLong: i.Immediate = (Sign(bits) << 59 | Field(high, 2, 39) << 20 | Field(bits, 13, 20)) << 4; break;
            case Operand.TagPredict: i.P1 = (byte)Field(bits, 6, 7); i.P2 = (byte)Field(bits, 33, 2); break;
            case Operand.TagMove: i.Immediate = Signed(Field(bits, 24, 9), 9) << 4; break;

            case Operand.Eight: i.Immediate = 8; break;
            case Operand.Sixteen: i.Immediate = 16; break;
            default: break; // Fixed operands have no bits.
        }
    }

    /// <summary>Displacement of the tag of brp, kept in P1 and P2.</summary>
    public static ulong PredictTag(in Instruction i) => Signed((ulong)i.P2 << 7 | i.P1, 9) << 4;

    private static ulong Sign(ulong bits) => bits >> 36 & 1;

    private static ulong Field(ulong bits, int low, int length) => bits >> low & ((1UL << length) - 1);

    private static ulong Signed(ulong value, int length) => (ulong)((long)(value << (64 - length)) >> (64 - length));
}
