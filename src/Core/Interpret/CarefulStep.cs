using FastXen.Core.Decode;
using FastXen.Core.State;

namespace FastXen.Core.Interpret;

/// <summary>One instruction with everything that PSR.ss, id, da, dd, ia and armed breakpoints ask for (SDM vol 2, 5.5.4, 7.1).</summary>
public static unsafe class CarefulStep
{
    /// <summary>Executes the instruction at Ip and slot, whose code page is current.</summary>
    public static void Run(VcpuState* s)
    {
        Instruction* i = s->CodeSlots + ((uint)s->Ip >> 4 & 0xFF) * 3 + s->Slot;
        s->RunStart = i;
        ulong psr = s->PsrValue;
        if ((psr & (Psr.Db | Psr.Id)) == Psr.Db && CodeFetch.Breakpoint(s))
            return;
        ulong here = s->Ip;
        ulong retired = s->Retired;
        int step = Execute(s, i);
        if (step is Step.Next or Step.Resync)
        {
            CodePosition.Advance(s, i);
            if ((psr & Psr.Ic) != 0)
                s->LastIp = here;
        }

        // Faults take back their count.
        if (s->Retired == retired)
            return;
        if ((psr & s->PsrValue & ProcessorStatus.OneShot) != 0)
            ProcessorStatus.Set(s, s->PsrValue & ~(psr & ProcessorStatus.OneShot));
        if ((psr & s->PsrValue & Psr.Ss) != 0)
            Interruptions.DeliverTrapHere(s, i, Vector.SingleStepTrap, TrapCode.SingleStep);
    }

    private static int Execute(VcpuState* s, Instruction* i)
    {
        delegate*<VcpuState*, Instruction*, int> handler = CodePage.HandlerOf(i);
        int step = (s->Pr >> i->Qp & 1) != 0 ? handler(s, i) : Step.Next;
        s->Retired++;
        return step;
    }
}
