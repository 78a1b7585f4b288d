using FastXen.Core.Decode;
using FastXen.Core.Emit;
using FastXen.Core.Float;
using static FastXen.Core.Emit.HostRegister;
using static FastXen.Core.Emit.HostVector;

namespace FastXen.Core.Translate;

/// <summary>Loads and stores of floating-point registers.</summary>
internal sealed unsafe partial class Generator
{
    private void EmitFloatLoad(in IrInstruction ir)
    {
        Instruction* i = ir.Guest;
        uint f = i->R1;
        var form = (FloatLoadForm)ir.P1;
        Label done = asm.NewLabel();
        if (IsCheckOfDeferred(ir))
            form = FloatLoadForm.Plain;
        if (form >= FloatLoadForm.CheckClear)
        {
            Label misses = asm.NewLabel();
            EmitAlatCompare(f, isFloat: true);
            asm.Jump(Condition.Ne, misses);
            if (form == FloatLoadForm.CheckClear)
                EmitAlatDrop(f, isFloat: true);
            EmitUpdate(ir);
            asm.Jump(done);
            asm.Bind(misses);
        }

        HostAddress from = EmitTranslate(ir, ReadTag);
        EndDeferral(ir);
        if (form == FloatLoadForm.CheckNoClear || (form == FloatLoadForm.Advanced && !Defer(ir, f, isFloat: true)))
        {
            Label shared = asm.NewLabel();
            asm.Arithmetic(Alu.Cmp, State(StateOffsets.Shared), 0, 4);
            asm.Jump(Condition.Ne, shared);
            EmitAlatInsert(f, isFloat: true, ir.Size, from);
            asm.Bind(shared);
        }

        switch (i->Opcode)
        {
            case >= Opcode.Ldfd and <= Opcode.LdfdCNc:
                HostVector to = TargetDouble(f, Xmm0);
                asm.VectorLoad(to, from, 8);
                WriteDouble(f, to);
                break;
            case >= Opcode.Ldf8 and <= Opcode.Ldf8CNc:
                asm.Load(Rax, from, 8);
                asm.Store(Fr(f, Rcx), Rax, 8);
                asm.StoreImmediate(Field(f, SignExponentField), (int)FloatRegister.IntegerExponent, 8);
                break;
            case Opcode.LdfFill:
                asm.VectorLoad(Xmm0, from, 16);
                asm.VectorStore(Fr(f, Rcx), Xmm0, 16);
                asm.Arithmetic(Alu.And, Field(f, SignExponentField), 0x3_FFFF, 8);
                break;
            default:
                asm.VectorLoad(Xmm0, from, 4);
                EmitFromSingle(ir);
                break;
        }

        EmitUpdate(ir);
        Modified(f);
        if (form < FloatLoadForm.CheckClear)
            return;
        // A hit modifies nothing.
        asm.Bind(done);
        modifiedBits = 0;
    }

    private void EmitFloatStore(in IrInstruction ir)
    {
        Instruction* i = ir.Guest;
        uint f = i->R2;
        bool isDouble = i->Opcode is Opcode.Stfd or Opcode.Stfs;
        if (i->Opcode == Opcode.Stf8)
            WantSignificand(ir, f);
        else
            Want(ir, f, isDouble);

        if (i->Opcode == Opcode.Stfs)
            EmitToSingle(ir, f);

        HostAddress to = EmitTranslate(ir, WriteTag);
        EmitAlatCheck(to, ir.Size);
        switch (i->Opcode)
        {
            case Opcode.Stfs:
                asm.VectorStore(to, Xmm1, 4);
                break;
            case Opcode.StfSpill:
                asm.VectorLoad(Xmm0, Fr(f, Rcx), 16);
                asm.VectorStore(to, Xmm0, 16);
                break;
            case Opcode.Stfd when f < 2:
                asm.MovImmediate(Rax, f == 0 ? 0UL : 0x3FF0_0000_0000_0000UL);
                asm.Store(to, Rax, 8);
                break;
            case Opcode.Stfd:
                asm.VectorStore(to, Double(f, Xmm0), 8);
                break;
            default:
                asm.Load(Rax, Fr(f, Rcx), 8);
                asm.Store(to, Rax, 8);
                break;
        }

        EmitUpdate(ir);
    }
}
