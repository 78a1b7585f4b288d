using FastXen.Core.Decode;
using FastXen.Core.State;

namespace FastXen.Core.Interpret;

/// <summary>nop and hint of the I, M, F and X units: nothing happens (a hint may be ignored; SDM vol 3, hint).</summary>
public static unsafe class IntegerNop
{
    /// <summary>Enters the handlers of this class into the dispatch table.</summary>
    public static void Bind(delegate*<VcpuState*, Instruction*, int>* table)
    {
        table[(int)Opcode.NopI] = &Nop;
        table[(int)Opcode.NopM] = &Nop;
        table[(int)Opcode.NopF] = &Nop;
        table[(int)Opcode.NopX] = &Nop;
        table[(int)Opcode.HintI] = &Nop;
        table[(int)Opcode.HintM] = &Nop;
        table[(int)Opcode.HintF] = &Nop;
        table[(int)Opcode.HintX] = &Nop;
    }

    private static int Nop(VcpuState* s, Instruction* i) => Step.Next;
}
