using FastXen.Core.Decode;
using FastXen.Core.State;

namespace FastXen.Core.Interpret;

/// <summary>chk.s, chk.a, invala (SDM vol 3). A check that fails branches to its recovery code itself.</summary>
public static unsafe class SpeculationChecks
{
    /// <summary>Fills the dispatch table.</summary>
    public static void Bind(delegate*<VcpuState*, Instruction*, int>* table)
    {
        table[(int)Opcode.ChkSIntegerM] = &ChkSInteger;
        table[(int)Opcode.ChkSIntegerI] = &ChkSInteger;
        table[(int)Opcode.ChkSFloat] = &ChkSFloat;
        table[(int)Opcode.ChkANcInteger] = &ChkANcInteger;
        table[(int)Opcode.ChkAClrInteger] = &ChkAClrInteger;
        table[(int)Opcode.ChkANcFloat] = &ChkANcFloat;
        table[(int)Opcode.ChkAClrFloat] = &ChkAClrFloat;
        table[(int)Opcode.Invala] = &Invala;
        table[(int)Opcode.InvalaGr] = &InvalaGr;
        table[(int)Opcode.InvalaFr] = &InvalaFr;
    }

    private static int ChkSInteger(VcpuState* s, Instruction* i) =>
        Registers.Nat(s, i->R2) != 0 ? Branches.TakeRelative(s, i) : Step.Next;

    private static int ChkSFloat(VcpuState* s, Instruction* i)
    {
        int check = FloatingAccess.CheckEnabled(s, i, i->R2, 0);
        if (check != Step.Next)
            return check;
        return Registers.Fr(s, i->R2)->IsNatVal ? Branches.TakeRelative(s, i) : Step.Next;
    }

    private static int ChkANcInteger(VcpuState* s, Instruction* i) => ChkA(s, i, isFloat: false, clear: false);

    private static int ChkAClrInteger(VcpuState* s, Instruction* i) => ChkA(s, i, isFloat: false, clear: true);

    private static int ChkANcFloat(VcpuState* s, Instruction* i) => ChkA(s, i, isFloat: true, clear: false);

    private static int ChkAClrFloat(VcpuState* s, Instruction* i) => ChkA(s, i, isFloat: true, clear: true);

    private static int ChkA(VcpuState* s, Instruction* i, bool isFloat, bool clear)
    {
        if (!Alat.Holds(s, i->R1, isFloat))
            return Branches.TakeRelative(s, i);
        if (clear)
            Alat.Remove(s, i->R1, isFloat);
        return Step.Next;
    }

    private static int Invala(VcpuState* s, Instruction* i)
    {
        Alat.Clear(s);
        return Step.Next;
    }

    private static int InvalaGr(VcpuState* s, Instruction* i)
    {
        Alat.Remove(s, i->R1, isFloat: false);
        return Step.Next;
    }

    private static int InvalaFr(VcpuState* s, Instruction* i)
    {
        Alat.Remove(s, i->R1, isFloat: true);
        return Step.Next;
    }
}
