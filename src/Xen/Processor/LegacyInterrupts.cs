using System.Numerics;
using FastXen.Core.Interpret;

namespace FastXen.Xen.Processor;

/// <summary>
/// The interrupt controller that a guest has until it registers its event callback: requests by vector, GET_IVR, EOI. Linux uses it once, for its
/// test of SAL_CACHE_FLUSH.
/// </summary>
internal static unsafe class LegacyInterrupts
{
    /// <summary>Requests an interrupt. On the vCPU's own thread.</summary>
    public static void Request(ParavirtualState* p, byte vector)
    {
        p->Irr[vector >> 6] |= 1UL << (vector & 63);
        p->Registers->PendingInterruption = 1;
    }

    /// <summary>IVR: the highest request that TPR and the interrupts in service let through, or 15.</summary>
    public static ulong Acknowledge(ParavirtualState* p)
    {
        int vector = Highest(p->Irr);
        ulong tpr = p->Registers->Tpr;
        if (vector < 0 || vector <= Highest(p->InService) || (tpr & 0x1_0000) != 0 || vector >> 4 <= (int)(tpr >> 4 & 0xF))
            return LocalSapic.Spurious;
        p->Irr[vector >> 6] &= ~(1UL << (vector & 63));
        p->InService[vector >> 6] |= 1UL << (vector & 63);
        p->Registers->PendingInterruption = 0;
        return (ulong)vector;
    }

    /// <summary>EOI: the highest interrupt in service ends.</summary>
    public static int EndOfInterrupt(ParavirtualState* p)
    {
        int vector = Highest(p->InService);
        if (vector >= 0)
            p->InService[vector >> 6] &= ~(1UL << (vector & 63));
        return Step.Next;
    }

    private static int Highest(ulong* bits)
    {
        for (int word = 3; word >= 0; word--)
        {
            if (bits[word] != 0)
                return word * 64 + 63 - BitOperations.LeadingZeroCount(bits[word]);
        }

        return -1;
    }
}
