using FastXen.Core.Decode;
using FastXen.Core.Float;
using FastXen.Core.State;

namespace FastXen.Core.Interpret;

/// <summary>fcmp and fclass (formats F4 and F5).</summary>
public static unsafe class FloatingCompares
{
    /// <summary>Enters the handlers into the interpreter's table.</summary>
    public static void Bind(delegate*<VcpuState*, Instruction*, int>* table)
    {
        table[(int)Opcode.FcmpEq] = table[(int)Opcode.FcmpEqUnc] = &Compare<Equal>;
        table[(int)Opcode.FcmpLt] = table[(int)Opcode.FcmpLtUnc] = &Compare<Less>;
        table[(int)Opcode.FcmpLe] = table[(int)Opcode.FcmpLeUnc] = &Compare<LessOrEqual>;
        table[(int)Opcode.FcmpUnord] = table[(int)Opcode.FcmpUnordUnc] = &Compare<Unordered>;
        table[(int)Opcode.Fclass] = table[(int)Opcode.FclassUnc] = &Fclass;
    }

    private static int Compare<T>(VcpuState* s, Instruction* i)
        where T : struct, IFloatRelation
    {
        if (i->P1 == i->P2)
            return Fault.IllegalOperation(s, i);
        if (PredicatedOff(s, i))
            return Write(s, i, 0, 0);

        int fault = FloatingAccess.CheckEnabled(s, i, i->R2, i->R3);
        if (fault != Step.Next)
            return fault;

        FloatRegister* a = Registers.Fr(s, i->R2), b = Registers.Fr(s, i->R3);
        if (a->IsNatVal || b->IsNatVal)
            return Write(s, i, 0, 0);

        FloatStatus status = FloatingAccess.Status(s, i);
        uint holds = T.Holds(*a, *b, ref status) ? 1u : 0;
        if (status.Fault != 0)
            return Fault.FloatingPointFault(s, i, status.Fault);

        FloatingAccess.MergeFlags(s, i, status.Flags);
        return Write(s, i, holds, holds ^ 1);
    }

    private static int Fclass(VcpuState* s, Instruction* i)
    {
        if (i->P1 == i->P2)
            return Fault.IllegalOperation(s, i);
        if (PredicatedOff(s, i))
            return Write(s, i, 0, 0);

        int fault = FloatingAccess.CheckEnabled(s, i, i->R2, 0);
        if (fault != Step.Next)
            return fault;

        // A NaTVal that is not asked for clears both targets.
        FloatRegister* f = Registers.Fr(s, i->R2);
        uint isMember = FloatKind.IsOfClass(*f, (uint)i->Immediate) ? 1u : 0;
        return Write(s, i, isMember, f->IsNatVal ? 0 : isMember ^ 1);
    }

    /// <summary>Only the .unc forms get here with a false qualifying predicate.</summary>
    private static bool PredicatedOff(VcpuState* s, Instruction* i) => Registers.Pr(s, i->QpField) == 0;

    private static int Write(VcpuState* s, Instruction* i, uint p1, uint p2)
    {
        Registers.SetPr(s, i->P1, p1);
        Registers.SetPr(s, i->P2, p2);
        return Step.Next;
    }
}
