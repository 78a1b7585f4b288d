using System.Runtime.CompilerServices;
using FastXen.Core.Decode;
using FastXen.Core.State;
using FastXen.Events;

namespace FastXen.Core.Interpret;

/// <summary>
/// Interruption delivery (SDM vol 2, 5.5). Faults point at the excepting instruction, traps behind it, interrupts at the next one.
/// What handlers call for their rare cases is not inlined into them: they stay small, and most of them leaves.
/// </summary>
public static unsafe class Interruptions
{
    // PSR bits that survive an interruption (SDM vol 2, table 3-2): up, mfl, mfh, pk, dt, rt, mc, it.
    private const ulong Kept = Psr.Up | Psr.Mfl | Psr.Mfh | Psr.Pk | Psr.Dt | Psr.Rt | Psr.Mc | Psr.It;

    /// <summary>Delivers a fault of <paramref name="i"/>. <paramref name="isr"/>: the code and the access bits; ei, ni are added here.</summary>
    [MethodImpl(MethodImplOptions.NoInlining)]
    public static int Deliver(VcpuState* s, Instruction* i, Vector vector, ulong isr)
    {
        s->Ip = CodePosition.Bundle(s, i);
        s->Slot = CodePosition.Slot(i);
        // The run loop counts every slot that it entered: this one did not retire.
        s->Retired--;
        ulong last = i > s->RunStart ? CodePosition.Bundle(s, i - 1) : s->LastIp;
        Enter(s, vector, isr | (ulong)s->Slot << Isr.EiShift, last);
        return Step.Redirect;
    }

    /// <summary>Delivers a trap of <paramref name="i"/>, which has completed: the interruption returns behind it.</summary>
    [MethodImpl(MethodImplOptions.NoInlining)]
    public static int DeliverTrap(VcpuState* s, Instruction* i, Vector vector, ulong isr)
    {
        CodePosition.Advance(s, i);
        return DeliverTrapHere(s, i, vector, isr);
    }

    /// <summary>Delivers a trap of <paramref name="i"/> after it has set Ip and slot itself (taken branches, rfi).</summary>
    [MethodImpl(MethodImplOptions.NoInlining)]
    public static int DeliverTrapHere(VcpuState* s, Instruction* i, Vector vector, ulong isr)
    {
        // The instruction completed: what it was let through does not hold for the next one.
        s->PsrValue &= ~ProcessorStatus.OneShot;
        Enter(s, vector, isr | (ulong)CodePosition.Slot(i) << Isr.EiShift, CodePosition.Bundle(s, i));
        return Step.Redirect;
    }

    /// <summary>Delivers an interruption between instructions: external interrupts, instruction fetch faults, faults of an incomplete frame.</summary>
    public static void DeliverHere(VcpuState* s, Vector vector, ulong isr) =>
        Enter(s, vector, isr | (ulong)s->Slot << Isr.EiShift, s->LastIp);

    private static void Enter(VcpuState* s, Vector vector, ulong isr, ulong lastBundle)
    {
        if (s->Hypervisor != null)
        {
            s->IcInFlight = 0;
            s->LastIp = lastBundle;
            s->Hypervisor->Interruption(s, vector, s->Dirty < 0 ? isr | Isr.Ir : isr, lastBundle);
            return;
        }

        ulong psr = s->PsrValue;
        bool collect = (psr & Psr.Ic) != 0;
        if (!collect || s->IcInFlight != 0)
            isr |= Isr.Ni;
        if (s->Dirty < 0)
            isr |= Isr.Ir;
        if (vector != Vector.DataNestedTlb)
            s->Cr[Cr.Isr] = isr;
        if (collect)
        {
            s->Cr[Cr.Ipsr] = psr | (ulong)s->Slot << Psr.RiShift;
            s->Cr[Cr.Iip] = s->Ip;
            s->Cr[Cr.Iipa] = lastBundle;
            s->Cr[Cr.Ifs] = 0;
            s->LastIp = lastBundle;
        }

        if (Tracing.Delivery)
            Vcpu.TraceInterruption(s, vector, isr);
        s->IcInFlight = 0;
        ulong dcr = s->Cr[Cr.Dcr];
        ulong entered = (psr & Kept) | ((dcr & Dcr.Be) != 0 ? Psr.Be : 0) | ((dcr & Dcr.Pp) != 0 ? Psr.Pp : 0);
        ProcessorStatus.Set(s, entered);
        s->Ip = (s->Cr[Cr.Iva] & ~0x7FFFUL) + (ulong)vector;
        s->Slot = 0;
    }
}
