using FastXen.Core.Decode;
using FastXen.Core.State;
using static FastXen.Core.Interpret.IntegerOperands;

namespace FastXen.Core.Interpret;

/// <summary>Moves of branch registers, predicates and IP (formats I21 to I25).</summary>
public static unsafe class IntegerMoves
{
    /// <summary>Enters the handlers of this class into the dispatch table.</summary>
    public static void Bind(delegate*<VcpuState*, Instruction*, int>* table)
    {
        table[(int)Opcode.MovToBr] = &MovToBr;
        table[(int)Opcode.MovFromBr] = &MovFromBr;
        table[(int)Opcode.MovToPr] = &MovToPr;
        table[(int)Opcode.MovToPrRotImmediate] = &MovToPrRotImmediate;
        table[(int)Opcode.MovFromPr] = &MovFromPr;
        table[(int)Opcode.MovFromIp] = &MovFromIp;
    }

    private static int MovToBr(VcpuState* s, Instruction* i)
    {
        if (Registers.Nat(s, i->R2) != 0)
            return Fault.RegisterNatConsumption(s, i);
        s->Br[i->R1] = R2(s, i);
        return Step.Next;
    }

    private static int MovFromBr(VcpuState* s, Instruction* i) => Result(s, i, s->Br[i->R2], 0);

    // Predicates move by their physical names, "as though CFM.rrb.pr were zero" (SDM vol 3, mov pr).
    private static int MovToPr(VcpuState* s, Instruction* i)
    {
        if (Registers.Nat(s, i->R2) != 0)
            return Fault.RegisterNatConsumption(s, i);
        Rse.SetPhysicalPr(s, R2(s, i) & i->Immediate | Rse.PhysicalPr(s) & ~i->Immediate);
        return Step.Next;
    }

    private static int MovToPrRotImmediate(VcpuState* s, Instruction* i)
    {
        const ulong stationary = 0xffff;
        Rse.SetPhysicalPr(s, i->Immediate & ~stationary | s->Pr & stationary);
        return Step.Next;
    }

    private static int MovFromPr(VcpuState* s, Instruction* i) => Result(s, i, Rse.PhysicalPr(s), 0);

    private static int MovFromIp(VcpuState* s, Instruction* i) => Result(s, i, CodePosition.Bundle(s, i), 0);
}
