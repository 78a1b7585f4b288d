using FastXen.Core.Decode;
using FastXen.Core.State;
using static FastXen.Core.Interpret.IntegerOperands;

namespace FastXen.Core.Interpret;

/// <summary>Moves of branch registers (formats I21 and I22).</summary>
public static unsafe class IntegerMoves
{
    /// <summary>Enters the handlers of this class into the dispatch table.</summary>
    public static void Bind(delegate*<VcpuState*, Instruction*, int>* table)
    {
        table[(int)Opcode.MovToBr] = &MovToBr;
        table[(int)Opcode.MovFromBr] = &MovFromBr;
    }

    private static int MovToBr(VcpuState* s, Instruction* i)
    {
        if (Registers.Nat(s, i->R2) != 0)
            return Fault.RegisterNatConsumption(s, i);
        s->Br[i->R1] = R2(s, i);
        return Step.Next;
    }

    private static int MovFromBr(VcpuState* s, Instruction* i) => Result(s, i, s->Br[i->R2], 0);
}
