using FastXen.Core.Decode;
using FastXen.Core.Float;
using FastXen.Core.State;

namespace FastXen.Core.Interpret;

/// <summary>Minima, maxima and parallel compares (format F8), parallel conversions (F10).</summary>
public static unsafe class FloatingMinMax
{
    /// <summary>Enters the handlers into the interpreter's table.</summary>
    public static void Bind(delegate*<VcpuState*, Instruction*, int>* table)
    {
        table[(int)Opcode.Fmin] = &Fmin;
        table[(int)Opcode.Fmax] = &Fmax;
        table[(int)Opcode.Famin] = &Famin;
        table[(int)Opcode.Famax] = &Famax;
        table[(int)Opcode.Fpmin] = &Pair<FpminHalf>;
        table[(int)Opcode.Fpmax] = &Pair<FpmaxHalf>;
        table[(int)Opcode.Fpamin] = &Pair<FpaminHalf>;
        table[(int)Opcode.Fpamax] = &Pair<FpamaxHalf>;
        table[(int)Opcode.FpcmpEq] = &Pair<FpcmpEqHalf>;
        table[(int)Opcode.FpcmpLt] = &Pair<FpcmpLtHalf>;
        table[(int)Opcode.FpcmpLe] = &Pair<FpcmpLeHalf>;
        table[(int)Opcode.FpcmpUnord] = &Pair<FpcmpUnordHalf>;
        table[(int)Opcode.FpcmpNeq] = &Pair<FpcmpNot<FpcmpEqHalf>>;
        table[(int)Opcode.FpcmpNlt] = &Pair<FpcmpNot<FpcmpLtHalf>>;
        table[(int)Opcode.FpcmpNle] = &Pair<FpcmpNot<FpcmpLeHalf>>;
        table[(int)Opcode.FpcmpOrd] = &Pair<FpcmpNot<FpcmpUnordHalf>>;
        table[(int)Opcode.FpcvtFx] = &Pair<FpcvtFxHalf>;
        table[(int)Opcode.FpcvtFxu] = &Pair<FpcvtFxuHalf>;
        table[(int)Opcode.FpcvtFxTrunc] = &Pair<FpcvtFxHalf>;
        table[(int)Opcode.FpcvtFxuTrunc] = &Pair<FpcvtFxuHalf>;
    }

    private static int Fmin(VcpuState* s, Instruction* i) => Choose(s, i, &FloatComparison.TakesFirstOfMin);

    private static int Fmax(VcpuState* s, Instruction* i) => Choose(s, i, &FloatComparison.TakesFirstOfMax);

    private static int Famin(VcpuState* s, Instruction* i) => Choose(s, i, &FloatComparison.TakesFirstOfMagnitudeMin);

    private static int Famax(VcpuState* s, Instruction* i) => Choose(s, i, &FloatComparison.TakesFirstOfMagnitudeMax);

    private static int Choose(
        VcpuState* s, Instruction* i, delegate*<in FloatRegister, in FloatRegister, ref FloatStatus, bool> takesFirst)
    {
        int fault = FloatingAccess.Check(s, i);
        if (fault != Step.Next)
            return fault;

        FloatStatus status = FloatingAccess.Status(s, i);
        FloatRegister* a = Registers.Fr(s, i->R2), b = Registers.Fr(s, i->R3);
        FloatRegister result = a->IsNatVal || b->IsNatVal ? FloatRegister.NatVal : takesFirst(*a, *b, ref status) ? *a : *b;
        return FloatingAccess.Complete(s, i, result, status);
    }

    private static int Pair<T>(VcpuState* s, Instruction* i)
        where T : struct, IParallelOperation
    {
        int fault = FloatingAccess.Check(s, i);
        if (fault != Step.Next)
            return fault;

        FloatStatus high = FloatingAccess.Status(s, i);
        if ((i->Completers & Completers.Truncate) != 0)
            high.Truncate();
        FloatStatus low = high;
        FloatRegister* a = Registers.Fr(s, i->R2), b = Registers.Fr(s, i->R3);
        FloatRegister result = a->IsNatVal || b->IsNatVal ? FloatRegister.NatVal : FloatPair.Apply<T>(*a, *b, ref high, ref low);
        return FloatingAccess.Complete(s, i, result, high, low);
    }
}
