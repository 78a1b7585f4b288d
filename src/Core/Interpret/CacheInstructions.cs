using FastXen.Core.Decode;
using FastXen.Core.State;

namespace FastXen.Core.Interpret;

/// <summary>lfetch, fc, fc.i, sync.i (SDM vol 3).</summary>
public static unsafe class CacheInstructions
{
    /// <summary>Fills the dispatch table.</summary>
    public static void Bind(delegate*<VcpuState*, Instruction*, int>* table)
    {
        table[(int)Opcode.Lfetch] = table[(int)Opcode.LfetchExcl] = &Lfetch;
        table[(int)Opcode.LfetchFault] = table[(int)Opcode.LfetchFaultExcl] = &LfetchFault;
        table[(int)Opcode.LfetchCount] = &Lfetch;
        table[(int)Opcode.SyncI] = &SyncI;
        table[(int)Opcode.Fc] = table[(int)Opcode.FcI] = &FlushCache;
    }

    // A prefetch that may not fault: nothing to do but the base update.
    private static int Lfetch(VcpuState* s, Instruction* i)
    {
        if (i->Completers != 0 && Registers.BadTarget(s, i->R3))
            return Fault.IllegalOperation(s, i);
        Loads.UpdateBase(s, i, i->Completers);
        return Step.Next;
    }

    private static int LfetchFault(VcpuState* s, Instruction* i)
    {
        if (i->Completers != 0 && Registers.BadTarget(s, i->R3))
            return Fault.IllegalOperation(s, i);
        if (Registers.Nat(s, i->R3) != 0)
            return Fault.DataNatConsumption(s, i, Isr.R | Isr.Na | NonAccess.Lfetch);
        // PSR.ed: the operating system gave this prefetch up.
        if ((s->PsrValue & Psr.Ed) == 0)
        {
            int step = DataAccess.LocateNonAccess(s, i, Registers.Gr(s, i->R3), NonAccess.Lfetch, out _);
            if (step != Step.Next)
                return step;
        }

        Loads.UpdateBase(s, i, i->Completers);
        return Step.Next;
    }

    private static int FlushCache(VcpuState* s, Instruction* i)
    {
        if (Registers.Nat(s, i->R3) != 0)
            return Fault.DataNatConsumption(s, i, Isr.R | Isr.Na | NonAccess.Fc);
        int step = DataAccess.LocateNonAccess(s, i, Registers.Gr(s, i->R3), NonAccess.Fc, out ulong physical);
        if (step != Step.Next)
            return step;
        Vcpu.Of(s).FlushCode(physical & ~(LineBytes - 1), LineBytes);
        if ((physical & ~0xFFFUL) != s->CodePa)
            return Step.Next;
        // What runs now is a page that has been given up.
        s->FetchVa = CodePage.NoAddress;
        return Step.Resync;
    }

    private static int SyncI(VcpuState* s, Instruction* i)
    {
        Vcpu.Of(s).SynchronizeCode();
        return Step.Next;
    }

    /// <summary>Bytes that fc covers: the line size that PAL_CACHE_INFO and PAL_COPY report for all levels (at least 32 by the manual).</summary>
    private const ulong LineBytes = 128;
}
