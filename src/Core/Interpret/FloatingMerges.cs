using FastXen.Core.Decode;
using FastXen.Core.Float;
using FastXen.Core.State;

namespace FastXen.Core.Interpret;

/// <summary>Merges and logical operations (format F9).</summary>
public static unsafe class FloatingMerges
{
    /// <summary>Enters the handlers into the interpreter's table.</summary>
    public static void Bind(delegate*<VcpuState*, Instruction*, int>* table)
    {
        table[(int)Opcode.FmergeS] = &Merge<FmergeS>;
        table[(int)Opcode.FmergeNs] = &Merge<FmergeNs>;
        table[(int)Opcode.FmergeSe] = &Merge<FmergeSe>;
        table[(int)Opcode.FmixLr] = &Merge<FmixLr>;
        table[(int)Opcode.FmixR] = &Merge<FmixR>;
        table[(int)Opcode.FmixL] = &Merge<FmixL>;
        table[(int)Opcode.FsxtR] = &Merge<FsxtR>;
        table[(int)Opcode.FsxtL] = &Merge<FsxtL>;
        table[(int)Opcode.Fpack] = &Merge<Fpack>;
        table[(int)Opcode.Fswap] = &Merge<Fswap>;
        table[(int)Opcode.FswapNl] = &Merge<FswapNl>;
        table[(int)Opcode.FswapNr] = &Merge<FswapNr>;
        table[(int)Opcode.Fand] = &Merge<Fand>;
        table[(int)Opcode.Fandcm] = &Merge<Fandcm>;
        table[(int)Opcode.For] = &Merge<For>;
        table[(int)Opcode.Fxor] = &Merge<Fxor>;
        table[(int)Opcode.FpmergeS] = &Merge<FpmergeS>;
        table[(int)Opcode.FpmergeNs] = &Merge<FpmergeNs>;
        table[(int)Opcode.FpmergeSe] = &Merge<FpmergeSe>;
    }

    private static int Merge<T>(VcpuState* s, Instruction* i)
        where T : struct, IFloatMerge
    {
        int fault = FloatingAccess.Check(s, i);
        if (fault != Step.Next)
            return fault;

        FloatRegister* a = Registers.Fr(s, i->R2), b = Registers.Fr(s, i->R3);
        Registers.SetFr(s, i->R1, a->IsNatVal || b->IsNatVal ? FloatRegister.NatVal : T.Apply(*a, *b));
        return Step.Next;
    }
}
