using FastXen.Core.Decode;
using FastXen.Core.Float;
using FastXen.Core.State;

namespace FastXen.Core.Interpret;

/// <summary>frcpa, frsqrta and their parallel forms (formats F6 and F7). With a false qualifying predicate they clear p2.</summary>
public static unsafe class FloatingApproximations
{
    /// <summary>Enters the handlers into the interpreter's table.</summary>
    public static void Bind(delegate*<VcpuState*, Instruction*, int>* table)
    {
        table[(int)Opcode.Frcpa] = &Frcpa;
        table[(int)Opcode.Frsqrta] = &Frsqrta;
        table[(int)Opcode.Fprcpa] = &Fprcpa;
        table[(int)Opcode.Fprsqrta] = &Fprsqrta;
    }

    private static int Frcpa(VcpuState* s, Instruction* i)
    {
        if (!Begin(s, i, out int end))
            return end;

        FloatStatus status = FloatingAccess.Status(s, i);
        FloatRegister result = FloatApproximation.Reciprocal(
            *Registers.Fr(s, i->R2), *Registers.Fr(s, i->R3), out bool refine, ref status);
        return Complete(s, i, result, refine, status);
    }

    private static int Frsqrta(VcpuState* s, Instruction* i)
    {
        if (!Begin(s, i, out int end))
            return end;

        FloatStatus status = FloatingAccess.Status(s, i);
        FloatRegister result = FloatApproximation.ReciprocalSquareRoot(*Registers.Fr(s, i->R3), out bool refine, ref status);
        return Complete(s, i, result, refine, status);
    }

    private static int Fprcpa(VcpuState* s, Instruction* i)
    {
        if (!Begin(s, i, out int end))
            return end;

        FloatStatus high = FloatingAccess.Status(s, i), low = high;
        ulong a = Registers.Fr(s, i->R2)->Significand, b = Registers.Fr(s, i->R3)->Significand;
        FloatRegister result = FloatPair.Pair(
            FloatApproximation.ParallelReciprocal((uint)(a >> 32), (uint)(b >> 32), out bool refineHigh, ref high),
            FloatApproximation.ParallelReciprocal((uint)a, (uint)b, out bool refineLow, ref low));
        return Complete(s, i, result, refineHigh && refineLow, high, low);
    }

    private static int Fprsqrta(VcpuState* s, Instruction* i)
    {
        if (!Begin(s, i, out int end))
            return end;

        FloatStatus high = FloatingAccess.Status(s, i), low = high;
        ulong a = Registers.Fr(s, i->R3)->Significand;
        FloatRegister result = FloatPair.Pair(
            FloatApproximation.ParallelReciprocalSquareRoot((uint)(a >> 32), out bool refineHigh, ref high),
            FloatApproximation.ParallelReciprocalSquareRoot((uint)a, out bool refineLow, ref low));
        return Complete(s, i, result, refineHigh && refineLow, high, low);
    }

    /// <summary>False when the instruction ends here, with <paramref name="end"/>: predicated off, a fault, a NaTVal operand.</summary>
    private static bool Begin(VcpuState* s, Instruction* i, out int end)
    {
        end = Step.Next;
        if (Registers.Pr(s, i->QpField) == 0)
        {
            Registers.SetPr(s, i->P2, 0);
            return false;
        }

        end = FloatingAccess.Check(s, i);
        if (end != Step.Next)
            return false;
        if (!Registers.Fr(s, i->R2)->IsNatVal && !Registers.Fr(s, i->R3)->IsNatVal)
            return true;

        Registers.SetFr(s, i->R1, FloatRegister.NatVal);
        Registers.SetPr(s, i->P2, 0);
        return false;
    }

    private static int Complete(VcpuState* s, Instruction* i, FloatRegister result, bool refine, in FloatStatus status)
    {
        if (status.Fault == 0)
            Registers.SetPr(s, i->P2, refine ? 1u : 0);
        return FloatingAccess.Complete(s, i, result, status);
    }

    private static int Complete(VcpuState* s, Instruction* i, FloatRegister result, bool refine, in FloatStatus high, in FloatStatus low)
    {
        if ((high.Fault | low.Fault) == 0)
            Registers.SetPr(s, i->P2, refine ? 1u : 0);
        return FloatingAccess.Complete(s, i, result, high, low);
    }
}
