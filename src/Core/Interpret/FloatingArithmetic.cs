using System.Runtime.CompilerServices;
using FastXen.Core.Decode;
using FastXen.Core.Float;
using FastXen.Core.State;

namespace FastXen.Core.Interpret;

/// <summary>Multiply-add, scalar, parallel and integer (formats F1 and F2), and fselect (F3).</summary>
public static unsafe class FloatingArithmetic
{
    /// <summary>Enters the handlers into the interpreter's table.</summary>
    public static void Bind(delegate*<VcpuState*, Instruction*, int>* table)
    {
        table[(int)Opcode.Fma] = &Fma;
        table[(int)Opcode.Fms] = &Fms;
        table[(int)Opcode.Fnma] = &Fnma;
        table[(int)Opcode.Fpma] = &Fpma;
        table[(int)Opcode.Fpms] = &Fpms;
        table[(int)Opcode.Fpnma] = &Fpnma;
        table[(int)Opcode.XmaL] = &XmaL;
        table[(int)Opcode.XmaH] = &XmaH;
        table[(int)Opcode.XmaHu] = &XmaHu;
        table[(int)Opcode.Fselect] = &Fselect;
    }

    private static int Fma(VcpuState* s, Instruction* i) => Scalar(s, i, 0, 0);

    private static int Fms(VcpuState* s, Instruction* i) => Scalar(s, i, 0, FloatKind.SignBit);

    private static int Fnma(VcpuState* s, Instruction* i) => Scalar(s, i, FloatKind.SignBit, 0);

    private static int Fpma(VcpuState* s, Instruction* i) => Pair(s, i, 0, 0);

    private static int Fpms(VcpuState* s, Instruction* i) => Pair(s, i, 0, FloatKind.SignBit);

    private static int Fpnma(VcpuState* s, Instruction* i) => Pair(s, i, FloatKind.SignBit, 0);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static int Scalar(VcpuState* s, Instruction* i, uint productSign, uint addendSign)
    {
        int fault = FloatingAccess.Check(s, i);
        if (fault != Step.Next)
            return fault;

        FloatRegister* a = Registers.Fr(s, i->R3), b = Registers.Fr(s, i->R4), c = Registers.Fr(s, i->R2);
        ulong fpsr = s->Ar[Ar.Fpsr];
        uint control = FloatStatus.Controls(fpsr, i->Selector);
        FloatFormat format = FloatFormat.Of(((uint)i->Completers >> 2) & 3, control);
        if (MultiplyAdd.TryOrdinary(
            *a, *b, *c, productSign, addendSign, format, (control >> 4) & 3, out ulong significand, out uint signExponent, out bool inexact))
        {
            uint flags = inexact ? FloatFlags.Inexact : 0;
            if ((flags & ~(uint)fpsr) == 0)
            {
                s->Ar[Ar.Fpsr] = FloatStatus.Merge(fpsr, i->Selector, flags);
                FloatRegister* target = Registers.Fr(s, i->R1);
                target->Significand = significand;
                target->SignExponent = signExponent;
                s->PsrValue |= i->R1 < 32 ? Psr.Mfl : Psr.Mfh;
                return Step.Next;
            }
        }

        return Exceptional(s, i, productSign, addendSign, format);
    }

    /// <summary>The operations that the fast path leaves: unusual operands or results, an inexact result while its trap is not masked.</summary>
    [MethodImpl(MethodImplOptions.NoInlining)]
    private static int Exceptional(VcpuState* s, Instruction* i, uint productSign, uint addendSign, FloatFormat format)
    {
        FloatStatus status = FloatingAccess.Status(s, i);
        FloatRegister result = MultiplyAdd.Compute(
            *Registers.Fr(s, i->R3), *Registers.Fr(s, i->R4), *Registers.Fr(s, i->R2),
            productSign, addendSign, i->R2 == 0, format, ref status);
        return FloatingAccess.Complete(s, i, result, status);
    }

    private static int Pair(VcpuState* s, Instruction* i, uint productSign, uint addendSign)
    {
        int fault = FloatingAccess.Check(s, i);
        if (fault != Step.Next)
            return fault;
        if (AnyNat(s, i))
            return Nat(s, i);

        FloatStatus high = FloatingAccess.Status(s, i), low = high;
        FloatRegister result = FloatPair.MultiplyAdd(
            *Registers.Fr(s, i->R3), *Registers.Fr(s, i->R4), *Registers.Fr(s, i->R2),
            productSign, addendSign, i->R2 == 0, ref high, ref low);
        return FloatingAccess.Complete(s, i, result, high, low);
    }

    private static int XmaL(VcpuState* s, Instruction* i)
    {
        int fault = FloatingAccess.Check(s, i);
        return fault != Step.Next ? fault : Integer(s, i, (Significand(s, i->R3) * Significand(s, i->R4)) + Significand(s, i->R2));
    }

    private static int XmaH(VcpuState* s, Instruction* i)
    {
        int fault = FloatingAccess.Check(s, i);
        if (fault != Step.Next)
            return fault;

        ulong addend = Significand(s, i->R2);
        long high = Math.BigMul((long)Significand(s, i->R3), (long)Significand(s, i->R4), out long low);
        return Integer(s, i, (ulong)high + Carry((ulong)low, addend));
    }

    private static int XmaHu(VcpuState* s, Instruction* i)
    {
        int fault = FloatingAccess.Check(s, i);
        if (fault != Step.Next)
            return fault;

        ulong addend = Significand(s, i->R2);
        ulong high = Math.BigMul(Significand(s, i->R3), Significand(s, i->R4), out ulong low);
        return Integer(s, i, high + Carry(low, addend));
    }

    private static int Fselect(VcpuState* s, Instruction* i)
    {
        int fault = FloatingAccess.Check(s, i);
        if (fault != Step.Next)
            return fault;

        ulong mask = Significand(s, i->R2);
        return Integer(s, i, (Significand(s, i->R3) & mask) | (Significand(s, i->R4) & ~mask));
    }

    /// <summary>The carry out of the low words; the addend is zero-extended (volume 3, xma).</summary>
    private static ulong Carry(ulong low, ulong addend) => low + addend < low ? 1UL : 0;

    private static ulong Significand(VcpuState* s, uint f) => Registers.Fr(s, f)->Significand;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static int Integer(VcpuState* s, Instruction* i, ulong result)
    {
        if (AnyNat(s, i))
            return Nat(s, i);

        Registers.SetFr(s, i->R1, MemoryFormat.FromInteger(result));
        return Step.Next;
    }

    private static bool AnyNat(VcpuState* s, Instruction* i) =>
        Registers.Fr(s, i->R2)->IsNatVal || Registers.Fr(s, i->R3)->IsNatVal || Registers.Fr(s, i->R4)->IsNatVal;

    private static int Nat(VcpuState* s, Instruction* i)
    {
        Registers.SetFr(s, i->R1, FloatRegister.NatVal);
        return Step.Next;
    }
}
