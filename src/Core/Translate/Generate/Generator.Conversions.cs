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

    // fcvt.xf: the integer stays, its tag says what it stands for. An exponent that is not that of integers may be NaTVal's.
    private void EmitFromInteger(in IrInstruction ir)
    {
        Instruction* i = ir.Guest;
        asm.Arithmetic(Alu.Cmp, Fr(i->R2, Rcx, SignExponentField), (int)FloatRegister.IntegerExponent, 8);
        Slow(ir, Condition.Ne);
        if (i->R1 != i->R2)
            asm.Load(Rax, Fr(i->R2, Rcx), 8);
        StoreInteger(i->R1, i->R1 != i->R2, TaggedFloats.Signed);
    }

    // fnorm of a positive integer, in a format that holds all of it; else the code that follows does it. One without integer bit is a denormal operand.
    private void EmitNormalizeInteger(Instruction* i, uint f, Label done)
    {
        Label otherwise = asm.NewLabel(), raise = asm.NewLabel(), raised = asm.NewLabel();
        int flag = DenormalFlag + FieldWidth * i->Selector;
        ulong modifiedBefore = modifiedBits;
        asm.Arithmetic(Alu.Cmp, Fr(f, Rcx, SignExponentField), (int)FloatRegister.IntegerExponent, 8);
        asm.Jump(Condition.Ne, otherwise);
        asm.Load(Rax, Fr(f, Rcx), 8);
        asm.Test(Rax, Rax);
        asm.Jump(Condition.E, otherwise);
        asm.Test(State(StateOffsets.ArOf(Ar.Fpsr) + flag / 8), 1 << (flag % 8), 1);
        asm.Jump(Condition.E, raise);
        asm.Bind(raised);
        stubs.Add(new Stub { Label = raise, Resume = raised, Kind = StubKind.RaiseFlag, Target = flag, Block = current });
        StoreInteger(i->R1, i->R1 != f, TaggedFloats.Unsigned);
        asm.Jump(done);
        asm.Bind(otherwise);
        modifiedBits = modifiedBefore;
    }

    // The flag D is not set yet; an integer without integer bit sets it.
    private void EmitRaiseFlag(in Stub stub)
    {
        asm.Test(Rax, Rax);
        asm.Jump(Condition.S, stub.Resume);
        asm.Arithmetic(Alu.Or, State(StateOffsets.ArOf(Ar.Fpsr) + stub.Target / 8), (sbyte)(1 << (stub.Target % 8)), 1);
        asm.Jump(stub.Resume);
    }

    // The integer is in rax, or in its register already.
    private void StoreInteger(uint f, bool moves, uint tag)
    {
        HostAddress to = Fr(f, Rcx);
        if (moves)
            asm.Store(to, Rax, 8);
        asm.StoreImmediate(Field(f, TagField), (int)tag, 4);
        NoteTags();
        Modified(f);
    }

    // Significand in rax, sign and exponent in rdx.
    private void StoreExtended(uint f)
    {
        asm.Store(Fr(f, Rcx), Rax, 8);
        asm.Store(Field(f, SignExponentField), Rdx, 8);
        Modified(f);
    }
}
