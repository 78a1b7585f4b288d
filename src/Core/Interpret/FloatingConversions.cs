using FastXen.Core.Decode;
using FastXen.Core.Float;
using FastXen.Core.State;

namespace FastXen.Core.Interpret;

/// <summary>Scalar conversions (formats F10 and F11) and moves between the register files (M18 and M19).</summary>
public static unsafe class FloatingConversions
{
    /// <summary>Enters the handlers into the interpreter's table.</summary>
    public static void Bind(delegate*<VcpuState*, Instruction*, int>* table)
    {
        table[(int)Opcode.FcvtFx] = table[(int)Opcode.FcvtFxTrunc] = &FcvtFx;
        table[(int)Opcode.FcvtFxu] = table[(int)Opcode.FcvtFxuTrunc] = &FcvtFxu;
        table[(int)Opcode.FcvtXf] = &FcvtXf;
        table[(int)Opcode.SetfSig] = &SetfSig;
        table[(int)Opcode.SetfExp] = &SetfExp;
        table[(int)Opcode.SetfS] = &SetfS;
        table[(int)Opcode.SetfD] = &SetfD;
        table[(int)Opcode.GetfSig] = &GetfSig;
        table[(int)Opcode.GetfExp] = &GetfExp;
        table[(int)Opcode.GetfS] = &GetfS;
        table[(int)Opcode.GetfD] = &GetfD;
    }

    private static int FcvtFx(VcpuState* s, Instruction* i) => ToInteger(s, i, &FloatConversion.ToSigned);

    private static int FcvtFxu(VcpuState* s, Instruction* i) => ToInteger(s, i, &FloatConversion.ToUnsigned);

    private static int ToInteger(VcpuState* s, Instruction* i, delegate*<in FloatRegister, ref FloatStatus, ulong> convert)
    {
        int fault = FloatingAccess.Check(s, i);
        if (fault != Step.Next)
            return fault;

        FloatStatus status = FloatingAccess.Status(s, i);
        if ((i->Completers & Completers.Truncate) != 0)
            status.Truncate();
        FloatRegister* f = Registers.Fr(s, i->R2);
        FloatRegister result = f->IsNatVal ? FloatRegister.NatVal : MemoryFormat.FromInteger(convert(*f, ref status));
        return FloatingAccess.Complete(s, i, result, status);
    }

    private static int FcvtXf(VcpuState* s, Instruction* i)
    {
        int fault = FloatingAccess.Check(s, i);
        if (fault != Step.Next)
            return fault;

        FloatRegister* f = Registers.Fr(s, i->R2);
        Registers.SetFr(s, i->R1, f->IsNatVal ? FloatRegister.NatVal : FloatConversion.FromSigned(f->Significand));
        return Step.Next;
    }

    private static int SetfSig(VcpuState* s, Instruction* i)
    {
        int fault = CheckSetf(s, i);
        return fault != Step.Next ? fault : Setf(s, i, MemoryFormat.FromInteger(Registers.Gr(s, i->R2)));
    }

    private static int SetfExp(VcpuState* s, Instruction* i)
    {
        int fault = CheckSetf(s, i);
        return fault != Step.Next ? fault : Setf(s, i, MemoryFormat.FromSignExponent(Registers.Gr(s, i->R2)));
    }

    private static int SetfS(VcpuState* s, Instruction* i)
    {
        int fault = CheckSetf(s, i);
        return fault != Step.Next ? fault : Setf(s, i, MemoryFormat.FromSingle((uint)Registers.Gr(s, i->R2)));
    }

    private static int SetfD(VcpuState* s, Instruction* i)
    {
        int fault = CheckSetf(s, i);
        return fault != Step.Next ? fault : Setf(s, i, MemoryFormat.FromDouble(Registers.Gr(s, i->R2)));
    }

    private static int GetfSig(VcpuState* s, Instruction* i)
    {
        int fault = CheckGetf(s, i);
        return fault != Step.Next ? fault : Getf(s, i, Registers.Fr(s, i->R2)->Significand);
    }

    private static int GetfExp(VcpuState* s, Instruction* i)
    {
        int fault = CheckGetf(s, i);
        return fault != Step.Next ? fault : Getf(s, i, Registers.Fr(s, i->R2)->SignExponent);
    }

    private static int GetfS(VcpuState* s, Instruction* i)
    {
        int fault = CheckGetf(s, i);
        return fault != Step.Next ? fault : Getf(s, i, MemoryFormat.ToSingle(*Registers.Fr(s, i->R2)));
    }

    private static int GetfD(VcpuState* s, Instruction* i)
    {
        int fault = CheckGetf(s, i);
        return fault != Step.Next ? fault : Getf(s, i, MemoryFormat.ToDouble(*Registers.Fr(s, i->R2)));
    }

    private static int CheckSetf(VcpuState* s, Instruction* i) =>
        i->R1 < 2 ? Fault.IllegalOperation(s, i) : FloatingAccess.CheckEnabled(s, i, i->R1, 0);

    private static int CheckGetf(VcpuState* s, Instruction* i) =>
        Registers.BadTarget(s, i->R1) ? Fault.IllegalOperation(s, i) : FloatingAccess.CheckEnabled(s, i, i->R2, 0);

    private static int Setf(VcpuState* s, Instruction* i, FloatRegister value)
    {
        Registers.SetFr(s, i->R1, Registers.Nat(s, i->R2) != 0 ? FloatRegister.NatVal : value);
        return Step.Next;
    }

    private static int Getf(VcpuState* s, Instruction* i, ulong value)
    {
        Registers.SetGr(s, i->R1, value, Registers.Fr(s, i->R2)->IsNatVal ? 1u : 0);
        return Step.Next;
    }
}
