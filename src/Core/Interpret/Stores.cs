using System.Runtime.CompilerServices;
using FastXen.Core.Decode;
using FastXen.Core.State;
using FastXen.Mmu;

namespace FastXen.Core.Interpret;

/// <summary>Integer stores (SDM vol 3, st). Release needs nothing: the host does not reorder a store with what came before.</summary>
public static unsafe class Stores
{
    /// <summary>Fills the dispatch table.</summary>
    public static void Bind(delegate*<VcpuState*, Instruction*, int>* table)
    {
        table[(int)Opcode.St1] = table[(int)Opcode.St1Rel] = &Store<One>;
        table[(int)Opcode.St2] = table[(int)Opcode.St2Rel] = &Store<Two>;
        table[(int)Opcode.St4] = table[(int)Opcode.St4Rel] = &Store<Four>;
        table[(int)Opcode.St8] = table[(int)Opcode.St8Rel] = &Store<Eight>;
        table[(int)Opcode.St8Spill] = &Spill;
        table[(int)Opcode.St16] = table[(int)Opcode.St16Rel] = &St16;
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static bool BadTargets(VcpuState* s, Instruction* i) => i->Completers != 0 && Registers.BadTarget(s, i->R3);

    private static int Store<TSize>(VcpuState* s, Instruction* i) where TSize : struct, IAccessSize
    {
        if (BadTargets(s, i))
            return Fault.IllegalOperation(s, i);
        if (Registers.Nat(s, i->R3, i->R2) != 0)
            return Fault.DataNatConsumption(s, i, Isr.W);
        return Write<TSize>(s, i);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static int Write<TSize>(VcpuState* s, Instruction* i) where TSize : struct, IAccessSize
    {
        ulong address = Registers.Gr(s, i->R3);
        ulong value = Registers.Gr(s, i->R2);
        byte* host = FastTlb.TryWrite(s->Mmu, address, TSize.Bytes);
        if (host != null)
        {
            TSize.Write(host, value);
            if (s->AlatValid != 0)
                Alat.Store(s, (ulong)(host - s->MemoryBase), TSize.Bytes);
        }
        else
        {
            int step = DataAccess.Write(s, i, address, TSize.Bytes, value);
            if (step != Step.Next)
                return step;
        }

        if (i->Completers != 0)
            Registers.SetGr(s, i->R3, address + i->Immediate);
        return Step.Next;
    }

    private static int Spill(VcpuState* s, Instruction* i)
    {
        if (BadTargets(s, i))
            return Fault.IllegalOperation(s, i);
        if (Registers.Nat(s, i->R3) != 0)
            return Fault.DataNatConsumption(s, i, Isr.W);
        int bit = (int)(Registers.Gr(s, i->R3) >> 3) & 63;
        ulong nat = Registers.Nat(s, i->R2);
        int step = Write<Eight>(s, i);
        if (step == Step.Next)
            s->Ar[Ar.Unat] = (s->Ar[Ar.Unat] & ~(1UL << bit)) | nat << bit;
        return step;
    }

    private static int St16(VcpuState* s, Instruction* i)
    {
        if (Registers.Nat(s, i->R3, i->R2) != 0)
            return Fault.DataNatConsumption(s, i, Isr.W);
        ulong* pair = stackalloc ulong[2];
        pair[0] = Registers.Gr(s, i->R2);
        pair[1] = s->Ar[Ar.Csd];
        return DataAccess.WriteSixteen(s, i, Registers.Gr(s, i->R3), (byte*)pair);
    }
}
