using System.Numerics;
using FastXen.Core.State;
using FastXen.Events;

namespace FastXen.Core.Interpret;

/// <summary>
/// The processor's part of the interrupt architecture (SDM vol 2, 5.8): IRR, in-service bits, TPR, IVR, EOI. Vector 2 (NMI) is
/// the highest, then 0 (ExtINT), then 255 down to 16.
/// </summary>
public static unsafe class LocalSapic
{
    /// <summary>What IVR reads when nothing is pending.</summary>
    public const ulong Spurious = 15;

    /// <summary>Sets an IRR bit. Any thread.</summary>
    public static void Request(VcpuState* s, byte vector)
    {
        Interlocked.Or(ref s->Irr[vector >> 6], 1UL << (vector & 63));
        Volatile.Write(ref s->Deadline, 0);
        if (Tracing.Interrupts)
            Vcpu.Of(s).TraceInterrupt(vector);
    }

    /// <summary>True when some interrupt is requested, masked or not.</summary>
    public static bool AnyRequested(VcpuState* s) => (s->Irr[0] | s->Irr[1] | s->Irr[2] | s->Irr[3]) != 0;

    /// <summary>True when an interrupt is pending that TPR and the interrupts in service let through (PSR.i not considered).</summary>
    public static bool Deliverable(VcpuState* s) => HighestUnmasked(s) >= 0;

    /// <summary>Reads IVR: takes the highest unmasked pending interrupt into service.</summary>
    public static ulong Acknowledge(VcpuState* s)
    {
        int vector = HighestUnmasked(s);
        if (vector < 0)
            return Spurious;
        Interlocked.And(ref s->Irr[vector >> 6], ~(1UL << (vector & 63)));
        s->InService[vector >> 6] |= 1UL << (vector & 63);
        return (ulong)vector;
    }

    /// <summary>Writes EOI: the highest interrupt in service ends.</summary>
    public static void EndOfInterrupt(VcpuState* s)
    {
        int vector = Highest(s->InService);
        if (vector >= 0)
            s->InService[vector >> 6] &= ~(1UL << (vector & 63));
        Recheck(s);
    }

    /// <summary>Something that masked interrupts changed: has the run loop look at them, where there are any.</summary>
    public static void Recheck(VcpuState* s)
    {
        if (AnyRequested(s))
            s->Deadline = 0;
    }

    private static int HighestUnmasked(VcpuState* s)
    {
        int vector = Highest(s->Irr);
        if (vector < 0 || Rank(vector) <= Rank(Highest(s->InService)))
            return -1;
        ulong tpr = s->Cr[Cr.Tpr];
        bool masked = vector != 2 && ((tpr & 0x1_0000) != 0 || (vector != 0 && vector >> 4 <= (int)(tpr >> 4 & 0xf)));
        return masked ? -1 : vector;
    }

    private static int Rank(int vector) => vector switch { -1 => -1, 2 => 257, 0 => 256, _ => vector };

    private static int Highest(ulong* bits)
    {
        if ((bits[0] & 4) != 0)
            return 2;
        if ((bits[0] & 1) != 0)
            return 0;
        for (int word = 3; word >= 0; word--)
        {
            ulong valid = word == 0 ? bits[0] & ~0xFFFFUL : bits[word];
            if (valid != 0)
                return word * 64 + 63 - BitOperations.LeadingZeroCount(valid);
        }

        return -1;
    }
}
