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
        table[(int)Opcode.Fmin] = &Choose<Less>;
        table[(int)Opcode.Fmax] = &Choose<Greater>;
        table[(int)Opcode.Famin] = &Choose<InMagnitude<Less>>;
        table[(int)Opcode.Famax] = &Choose<InMagnitude<Greater>>;
        table[(int)Opcode.Fpmin] = &Pair<ChoiceHalf<Less>>;
        table[(int)Opcode.Fpmax] = &Pair<ChoiceHalf<Greater>>;
        table[(int)Opcode.Fpamin] = &Pair<ChoiceHalf<InMagnitude<Less>>>;
        table[(int)Opcode.Fpamax] = &Pair<ChoiceHalf<InMagnitude<Greater>>>;
        table[(int)Opcode.FpcmpEq] = &Pair<CompareHalf<Equal>>;
        table[(int)Opcode.FpcmpLt] = &Pair<CompareHalf<Less>>;
        table[(int)Opcode.FpcmpLe] = &Pair<CompareHalf<LessOrEqual>>;
        table[(int)Opcode.FpcmpUnord] = &Pair<CompareHalf<Unordered>>;
        table[(int)Opcode.FpcmpNeq] = &Pair<OppositeHalf<Equal>>;
        table[(int)Opcode.FpcmpNlt] = &Pair<OppositeHalf<Less>>;
        table[(int)Opcode.FpcmpNle] = &Pair<OppositeHalf<LessOrEqual>>;
        table[(int)Opcode.FpcmpOrd] = &Pair<OppositeHalf<Unordered>>;
        table[(int)Opcode.FpcvtFx] = &Pair<ToSignedHalf>;
        table[(int)Opcode.FpcvtFxu] = &Pair<ToUnsignedHalf>;
        table[(int)Opcode.FpcvtFxTrunc] = &Pair<ToSignedHalf>;
        table[(int)Opcode.FpcvtFxuTrunc] = &Pair<ToUnsignedHalf>;
    }

    private static int Choose<T>(VcpuState* s, Instruction* i)
        where T : struct, IFloatRelation
    {
        int fault = FloatingAccess.Check(s, i);
        if (fault != Step.Next)
            return fault;

        FloatStatus status = FloatingAccess.Status(s, i);
        FloatRegister* a = Registers.Fr(s, i->R2), b = Registers.Fr(s, i->R3);
        FloatRegister result = a->IsNatVal || b->IsNatVal ? FloatRegister.NatVal : T.Holds(*a, *b, ref status) ? *a : *b;
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
