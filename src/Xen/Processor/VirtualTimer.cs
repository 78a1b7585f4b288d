using FastXen.Core.Decode;
using FastXen.Core.Interpret;
using FastXen.Core.State;

namespace FastXen.Xen.Processor;

/// <summary>The interval timer of a paravirtualized vCPU: CR.ITM by hyperprivop, VIRQ_ITC when it is reached.</summary>
internal static unsafe class VirtualTimer
{
    /// <summary>SET_ITM and mov cr.itm: a value that has passed fires at once, 0 never.</summary>
    public static int Set(VcpuState* s, ParavirtualState* p, Instruction* i, ulong itm)
    {
        p->TimerExpired = false;
        Clock.SetItm(s, i, itm);
        // The processor's comparator takes a value that has passed for one that comes after the counter wraps.
        if (itm != 0 && s->ItmFired != 0)
        {
            s->ItmFired = 0;
            s->Deadline = 0;
        }

        return Step.Next;
    }

    /// <summary>mov cr.itv: a value that was reached while the timer was masked fires now.</summary>
    public static int SetVector(VcpuState* s, ParavirtualState* p, ulong itv)
    {
        const ulong Masked = 1 << 16;
        p->Registers->Itv = s->Cr[Cr.Itv] = itv;
        ulong itm = s->Cr[Cr.Itm];
        if ((itv & Masked) == 0 && itm != 0 && itm != p->SignalledItm)
            s->ItmFired = 0;
        s->Deadline = 0;
        return Step.Next;
    }
}
