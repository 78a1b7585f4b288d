using FastXen.Core.Decode;
using FastXen.Core.Emit;
using static FastXen.Core.Emit.HostRegister;
using static FastXen.Core.Emit.HostVector;

namespace FastXen.Core.Translate;

/// <summary>Multimedia operations (SDM vol 3; the interpreter's Multimedia classes say what they do) on the host's vector unit or in integers.</summary>
internal sealed unsafe partial class Generator
{
    private const ulong OddBytes = 0xFF00_FF00_FF00_FF00, OddPairs = 0xFFFF_0000_FFFF_0000;

    private void EmitPacked(in IrInstruction ir)
    {
        Instruction* i = ir.Guest;
        int count = i->Position;
        if (HostOperation(i->Opcode) is { } operation)
        {
            ReadVector(Xmm0, ir.A);
            ReadVector(Xmm1, ir.B);
            asm.Vector(operation, Xmm0, Xmm0, Xmm1);
            WriteVector(ir.D);
            return;
        }

        switch (i->Opcode)
        {
            case Opcode.Pack2Sss:
                EmitPack(ir, VectorOperation.PackSignedW);
                break;
            case Opcode.Pack2Uss:
                EmitPack(ir, VectorOperation.PackUnsignedW);
                break;
            case Opcode.Pack4Sss:
                EmitPack(ir, VectorOperation.PackSignedD);
                break;
            case Opcode.Unpack1L:
                EmitUnpack(ir, VectorOperation.UnpackLowB, high: false);
                break;
            case Opcode.Unpack1H:
                EmitUnpack(ir, VectorOperation.UnpackLowB, high: true);
                break;
            case Opcode.Unpack2L:
                EmitUnpack(ir, VectorOperation.UnpackLowW, high: false);
                break;
            case Opcode.Unpack2H:
                EmitUnpack(ir, VectorOperation.UnpackLowW, high: true);
                break;
            case Opcode.Unpack4L or Opcode.Mix4R:
                ReadInto(Rax, ir.A);
                asm.ShiftBy(Shift.Shl, Rax, 32);
                asm.Mov(Rcx, Read(ir.B, Rcx), 4);
                asm.Arithmetic(Alu.Or, Rax, Rcx);
                Write(ir.D, Rax);
                break;
            case Opcode.Unpack4H or Opcode.Mix4L:
                ReadInto(Rax, ir.B);
                asm.ShiftBy(Shift.Shr, Rax, 32);
                ReadInto(Rcx, ir.A);
                asm.ShiftBy(Shift.Shr, Rcx, 32);
                asm.ShiftBy(Shift.Shl, Rcx, 32);
                asm.Arithmetic(Alu.Or, Rax, Rcx);
                Write(ir.D, Rax);
                break;
            case Opcode.Mix1L:
                EmitMix(ir, OddBytes, 0, 8);
                break;
            case Opcode.Mix1R:
                EmitMix(ir, OddBytes, 8, 0);
                break;
            case Opcode.Mix2L:
                EmitMix(ir, OddPairs, 0, 16);
                break;
            case Opcode.Mix2R:
                EmitMix(ir, OddPairs, 16, 0);
                break;
            case Opcode.Mux1:
                EmitMux1(ir);
                break;
            case Opcode.Mux2:
                ReadVector(Xmm0, ir.A);
                asm.VectorShuffleLowW(Xmm0, Xmm0, i->Selector);
                WriteVector(ir.D);
                break;
            case Opcode.Pmpy2R:
                EmitMultiplyPairs(ir, ~OddPairs);
                break;
            case Opcode.Pmpy2L:
                EmitMultiplyPairs(ir, OddPairs);
                break;
            case Opcode.Pmpyshr2:
                EmitMultiplyShift(ir, VectorOperation.MultiplyHighSignedW, count);
                break;
            case Opcode.Pmpyshr2U:
                EmitMultiplyShift(ir, VectorOperation.MultiplyHighUnsignedW, count);
                break;
            case Opcode.Mpy4:
                asm.Mov(Rax, Read(ir.A, Rax), 4);
                asm.Mov(Rcx, Read(ir.B, Rcx), 4);
                asm.Multiply(Rax, Rcx);
                Write(ir.D, Rax);
                break;
            case Opcode.Mpyshl4:
                ReadInto(Rax, ir.A);
                asm.ShiftBy(Shift.Shr, Rax, 32);
                ReadInto(Rcx, ir.B);
                asm.Multiply(Rax, Rcx, 4);
                asm.ShiftBy(Shift.Shl, Rax, 32);
                Write(ir.D, Rax);
                break;
            case Opcode.Pshradd2:
                ReadVector(Xmm0, ir.A);
                ReadVector(Xmm1, ir.B);
                asm.VectorShift(Shift.Sar, Xmm0, Xmm0, 2, count);
                asm.Vector(VectorOperation.AddSignedSaturatingW, Xmm0, Xmm0, Xmm1);
                WriteVector(ir.D);
                break;
            case Opcode.Czx1L or Opcode.Czx1R or Opcode.Czx2L or Opcode.Czx2R:
                EmitFindZero(ir);
                break;
            default:
                EmitPackedShift(ir, count);
                break;
        }
    }

    private static VectorOperation? HostOperation(Opcode opcode) => opcode switch
    {
        Opcode.Padd1 => VectorOperation.AddB,
        Opcode.Padd2 => VectorOperation.AddW,
        Opcode.Padd4 => VectorOperation.AddD,
        Opcode.Padd1Sss => VectorOperation.AddSignedSaturatingB,
        Opcode.Padd2Sss => VectorOperation.AddSignedSaturatingW,
        Opcode.Padd1Uuu => VectorOperation.AddUnsignedSaturatingB,
        Opcode.Padd2Uuu => VectorOperation.AddUnsignedSaturatingW,
        Opcode.Psub1 => VectorOperation.SubtractB,
        Opcode.Psub2 => VectorOperation.SubtractW,
        Opcode.Psub4 => VectorOperation.SubtractD,
        Opcode.Psub1Sss => VectorOperation.SubtractSignedSaturatingB,
        Opcode.Psub2Sss => VectorOperation.SubtractSignedSaturatingW,
        Opcode.Psub1Uuu => VectorOperation.SubtractUnsignedSaturatingB,
        Opcode.Psub2Uuu => VectorOperation.SubtractUnsignedSaturatingW,
        Opcode.Pavg1Raz => VectorOperation.AverageB,
        Opcode.Pavg2Raz => VectorOperation.AverageW,
        Opcode.Pcmp1Eq => VectorOperation.EqualB,
        Opcode.Pcmp2Eq => VectorOperation.EqualW,
        Opcode.Pcmp4Eq => VectorOperation.EqualD,
        Opcode.Pcmp1Gt => VectorOperation.GreaterB,
        Opcode.Pcmp2Gt => VectorOperation.GreaterW,
        Opcode.Pcmp4Gt => VectorOperation.GreaterD,
        Opcode.Pmin1U => VectorOperation.MinimumUnsignedB,
        Opcode.Pmax1U => VectorOperation.MaximumUnsignedB,
        Opcode.Pmin2 => VectorOperation.MinimumSignedW,
        Opcode.Pmax2 => VectorOperation.MaximumSignedW,
        Opcode.Psad1 => VectorOperation.SumOfDifferences,
        _ => null,
    };

    private void ReadVector(HostVector to, int guest)
    {
        if (guest == 0)
            asm.VectorZero(to);
        else if (IsAssigned(guest))
            asm.MoveToVector(to, HostOf(guest));
        else
            asm.VectorLoad(to, InMemory(guest), 8);
    }

    // The result is in the low half of xmm0.
    private void WriteVector(int guest)
    {
        if (IsAssigned(guest))
        {
            asm.MoveFromVector(HostOf(guest), Xmm0);
            dirty |= registers.Bit(guest);
        }
        else
        {
            asm.VectorStore(InMemory(guest), Xmm0, 8);
        }
    }

    private void EmitPack(in IrInstruction ir, VectorOperation operation)
    {
        ReadVector(Xmm0, ir.A);
        ReadVector(Xmm1, ir.B);
        asm.Vector(VectorOperation.UnpackLowQ, Xmm0, Xmm0, Xmm1);
        asm.Vector(operation, Xmm0, Xmm0, Xmm0);
        WriteVector(ir.D);
    }

    private void EmitUnpack(in IrInstruction ir, VectorOperation operation, bool high)
    {
        ReadVector(Xmm0, ir.B);
        ReadVector(Xmm1, ir.A);
        asm.Vector(operation, Xmm0, Xmm0, Xmm1);
        if (high)
            asm.VectorShiftBytes(Shift.Shr, Xmm0, Xmm0, 8);
        WriteVector(ir.D);
    }

    // Odd lanes of A (moved left), even ones of B (moved right).
    private void EmitMix(in IrInstruction ir, ulong odd, int left, int right)
    {
        asm.MovImmediate(Rdx, odd);
        ReadInto(Rax, ir.A);
        if (left != 0)
            asm.ShiftBy(Shift.Shl, Rax, left);
        asm.Arithmetic(Alu.And, Rax, Rdx);
        ReadInto(Rcx, ir.B);
        if (right != 0)
            asm.ShiftBy(Shift.Shr, Rcx, right);
        asm.Andn(Rcx, Rdx, Rcx);
        asm.Arithmetic(Alu.Or, Rax, Rcx);
        Write(ir.D, Rax);
    }

    private void EmitMux1(in IrInstruction ir)
    {
        ulong order = ir.Guest->Selector switch
        {
            0x0 => 0,
            0x8 => 0x0703_0501_0602_0400,
            0x9 => 0x0703_0602_0501_0400,
            0xA => 0x0705_0301_0604_0200,
            _ => 0x0001_0203_0405_0607,
        };
        ReadVector(Xmm0, ir.A);
        asm.MovImmediate(Rax, order);
        asm.MoveToVector(Xmm1, Rax);
        asm.Vector(VectorOperation.ShuffleB, Xmm0, Xmm0, Xmm1);
        WriteVector(ir.D);
    }

    // Each sum of two products has one that is zero.
    private void EmitMultiplyPairs(in IrInstruction ir, ulong lanes)
    {
        asm.MovImmediate(Rax, lanes);
        Apply(Alu.And, Rax, ir.A);
        asm.MoveToVector(Xmm0, Rax);
        ReadVector(Xmm1, ir.B);
        asm.Vector(VectorOperation.MultiplyAddW, Xmm0, Xmm0, Xmm1);
        WriteVector(ir.D);
    }

    private void EmitMultiplyShift(in IrInstruction ir, VectorOperation high, int count)
    {
        ReadVector(Xmm0, ir.A);
        ReadVector(Xmm1, ir.B);
        if (count == 16)
        {
            asm.Vector(high, Xmm0, Xmm0, Xmm1);
        }
        else
        {
            asm.Vector(VectorOperation.MultiplyLowW, Xmm2, Xmm0, Xmm1);
            if (count == 0)
            {
                asm.VectorMove(Xmm0, Xmm2);
            }
            else
            {
                asm.Vector(high, Xmm0, Xmm0, Xmm1);
                asm.VectorShift(Shift.Shl, Xmm0, Xmm0, 2, 16 - count);
                asm.VectorShift(Shift.Shr, Xmm2, Xmm2, 2, count);
                asm.Vector(VectorOperation.Or, Xmm0, Xmm0, Xmm2);
            }
        }

        WriteVector(ir.D);
    }

    // Lanes that are zero become ones; the first of them is counted for. Where there is none, the host counts 64.
    private void EmitFindZero(in IrInstruction ir)
    {
        Opcode opcode = ir.Guest->Opcode;
        bool bytes = opcode is Opcode.Czx1L or Opcode.Czx1R;
        ReadVector(Xmm0, ir.B);
        asm.VectorZero(Xmm1);
        asm.Vector(bytes ? VectorOperation.EqualB : VectorOperation.EqualW, Xmm0, Xmm0, Xmm1);
        asm.MoveFromVector(Rax, Xmm0);
        if (opcode is Opcode.Czx1L or Opcode.Czx2L)
            asm.LeadingZeros(Rax, Rax);
        else
            asm.TrailingZeros(Rax, Rax);
        asm.ShiftBy(Shift.Shr, Rax, bytes ? 3 : 4);
        Write(ir.D, Rax);
    }

    private void EmitPackedShift(in IrInstruction ir, int count)
    {
        (Shift op, int size, bool immediate) = ir.Guest->Opcode switch
        {
            Opcode.Pshl2 => (Shift.Shl, 2, false),
            Opcode.Pshl4 => (Shift.Shl, 4, false),
            Opcode.Pshl2Immediate => (Shift.Shl, 2, true),
            Opcode.Pshl4Immediate => (Shift.Shl, 4, true),
            Opcode.Pshr2 => (Shift.Sar, 2, false),
            Opcode.Pshr4 => (Shift.Sar, 4, false),
            Opcode.Pshr2Immediate => (Shift.Sar, 2, true),
            Opcode.Pshr4Immediate => (Shift.Sar, 4, true),
            Opcode.Pshr2U => (Shift.Shr, 2, false),
            Opcode.Pshr4U => (Shift.Shr, 4, false),
            Opcode.Pshr2UImmediate => (Shift.Shr, 2, true),
            _ => (Shift.Shr, 4, true),
        };
        // r2 is shifted left, r3 right.
        (int value, int by) = op == Shift.Shl ? (ir.A, ir.B) : (ir.B, (int)ir.A);
        ReadVector(Xmm0, value);
        if (immediate)
        {
            asm.VectorShift(op, Xmm0, Xmm0, size, count);
        }
        else
        {
            ReadVector(Xmm1, by);
            asm.VectorShiftBy(op, Xmm0, Xmm0, Xmm1, size);
        }

        WriteVector(ir.D);
    }
}
