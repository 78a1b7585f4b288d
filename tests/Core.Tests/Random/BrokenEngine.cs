using FastXen.Core.Decode;
using FastXen.Core.Interpret;
using FastXen.Core.State;

namespace FastXen.Core.Tests.RandomPrograms;

/// <summary>The interpreter with an instruction that is wrong, as a translator might have one.</summary>
internal static unsafe class BrokenEngine
{
    /// <summary>Where the broken store writes, too: nothing else does.</summary>
    public const ulong StrayAddress = 0x9_8000;

    /// <summary>Gives the code that a vCPU has decoded so far a xor that is wrong.</summary>
    public static void BreakDecoded(Vcpu vcpu) => Break(vcpu, Opcode.Xor, &WrongXor, decode: false);

    /// <summary>As <see cref="BreakDecoded"/>, for all code that is in memory now.</summary>
    public static void BreakXor(Vcpu vcpu) => Break(vcpu, Opcode.Xor, &WrongXor, decode: true);

    /// <summary>Gives all code that is in memory now a st8 that stores in a second place as well.</summary>
    public static void BreakStore(Vcpu vcpu) => Break(vcpu, Opcode.St8, &StrayStore, decode: true);

    private static void Break(Vcpu vcpu, Opcode opcode, delegate*<VcpuState*, Instruction*, int> handler, bool decode)
    {
        for (ulong page = Layout.Code; page < Layout.CodeEnd; page += CodePage.Size)
        {
            Instruction* slots = vcpu.Code.Page(page);
            for (int n = 0; n < CodePage.Slots - 1; n++)
            {
                if (decode && n % 3 == 0)
                    Decode(vcpu, page + ((ulong)n / 3 * 16), slots + n);
                if (slots[n].Opcode == opcode)
                    slots[n].Handler = handler;
            }
        }
    }

    private static void Decode(Vcpu vcpu, ulong address, Instruction* three)
    {
        Decoder.DecodeBundle(vcpu.Memory.Read<ulong>(address), vcpu.Memory.Read<ulong>(address + 8), three);
        for (int k = 0; k < 3; k++)
            three[k].Handler = Interpreter.HandlerOf(three[k].Opcode);
    }

    private static int WrongXor(VcpuState* s, Instruction* i)
    {
        int step = Interpreter.HandlerOf(Opcode.Xor)(s, i);
        if (step == Step.Next)
            *Registers.GrAddress(s, i->R1) |= 1UL << 63;
        return step;
    }

    private static int StrayStore(VcpuState* s, Instruction* i)
    {
        int step = Interpreter.HandlerOf(Opcode.St8)(s, i);
        if (step == Step.Next)
            *(ulong*)(s->MemoryBase + StrayAddress) = 0xBAD;
        return step;
    }
}
