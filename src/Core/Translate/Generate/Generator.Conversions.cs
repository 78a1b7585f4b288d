using FastXen.Core.Decode;
using FastXen.Core.Emit;
using FastXen.Core.Float;
using FastXen.Core.State;
using static FastXen.Core.Emit.HostRegister;

namespace FastXen.Core.Translate;

/// <summary>Registers that hold integers become normalized numbers: what software does before it divides.</summary>
internal sealed unsafe partial class Generator
{
    private const int DenormalFlag = 13 + 1;

    // fcvt.xf; an exponent that is not that of integers may be NaTVal's.
    private void EmitFromInteger(in IrInstruction ir)
    {
        Instruction* i = ir.Guest;
        Label store = asm.NewLabel();
        asm.Arithmetic(Alu.Cmp, Fr(i->R2, Rcx, SignExponentField), (int)FloatRegister.IntegerExponent, 8);
        Slow(ir, Condition.Ne);
        asm.Load(Rax, Fr(i->R2, Rcx), 8);
        asm.Mov(Rdx, Rax);
        asm.ShiftBy(Shift.Sar, Rdx, 63);
        asm.Arithmetic(Alu.Xor, Rax, Rdx);
        asm.Arithmetic(Alu.Sub, Rax, Rdx);
        asm.Arithmetic(Alu.And, Rdx, (int)FloatKind.SignBit, 4);
        // Zero has the exponent zero.
        asm.LeadingZeros(Rcx, Rax);
        asm.Jump(Condition.B, store);
        asm.Shlx(Rax, Rax, Rcx);
        asm.Arithmetic(Alu.Sub, Rdx, Rcx, 4);
        asm.Arithmetic(Alu.Add, Rdx, (int)FloatRegister.IntegerExponent, 4);
        asm.Bind(store);
        StoreExtended(i->R1);
    }

    // fnorm of a positive integer, in a format that holds all of it; else the code that follows does it. One without integer bit is a denormal operand.
    private void EmitNormalizeInteger(Instruction* i, uint f, Label done)
    {
        Label otherwise = asm.NewLabel(), normal = asm.NewLabel();
        int flag = DenormalFlag + FieldWidth * i->Selector;
        ulong modifiedBefore = modifiedBits;
        asm.Arithmetic(Alu.Cmp, Fr(f, Rcx, SignExponentField), (int)FloatRegister.IntegerExponent, 8);
        asm.Jump(Condition.Ne, otherwise);
        asm.Load(Rax, Fr(f, Rcx), 8);
        asm.LeadingZeros(Rcx, Rax);
        asm.Jump(Condition.B, otherwise);
        asm.Shlx(Rax, Rax, Rcx);
        asm.MovImmediate(Rdx, FloatRegister.IntegerExponent);
        asm.Arithmetic(Alu.Sub, Rdx, Rcx, 4);
        asm.Arithmetic(Alu.Cmp, Rcx, 0, 4);
        asm.Jump(Condition.E, normal);
        asm.Arithmetic(Alu.Or, State(StateOffsets.ArOf(Ar.Fpsr) + flag / 8), (sbyte)(1 << (flag % 8)), 1);
        asm.Bind(normal);
        StoreExtended(i->R1);
        asm.Jump(done);
        asm.Bind(otherwise);
        modifiedBits = modifiedBefore;
    }

    // Significand in rax, sign and exponent in rdx.
    private void StoreExtended(uint f)
    {
        asm.Store(Fr(f, Rcx), Rax, 8);
        asm.Store(Field(f, SignExponentField), Rdx, 8);
        Modified(f);
    }
}
