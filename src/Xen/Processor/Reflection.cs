using FastXen.Core;
using FastXen.Core.Decode;
using FastXen.Core.Interpret;
using FastXen.Core.State;
using FastXen.Mmu;

namespace FastXen.Xen.Processor;

/// <summary>
/// Interruptions of a paravirtualized guest: delivered to its own vector table at its kernel's level, with the shared registers in the place of the
/// processor's. The frame is not covered; CR.IFS is 0 and the frame marker is in precover_ifs.
/// </summary>
internal static unsafe class Reflection
{
    private const ulong Valid = 1UL << 63;

    // PSR bits that a handler of the guest begins without.
    internal const ulong Cleared = Psr.Ac | Psr.Dfl | Psr.Dfh | Psr.Sp | Psr.Di | Psr.Si | Psr.Db | Psr.Lp | Psr.Tb | Psr.Cpl | Psr.Mc | Psr.Is
        | Psr.Id | Psr.Da | Psr.Dd | Psr.Ss | Psr.Ed | Psr.Ia | Psr.Be;

    /// <summary>The processor was interrupted.</summary>
    public static void Interrupt(VcpuState* s, Vector vector, ulong isr, ulong lastBundle)
    {
        ParavirtualState* p = ParavirtualState.Of(s);
        if (p->Emulates)
        {
            // The fault of an instruction that was done for the guest is the guest's.
            p->Emulates = false;
            s->PsrValue |= (ulong)ParavirtualState.KernelLevel << Psr.CplShift;
        }

        MappedRegisters* x = p->Registers;
        if (x->InterruptCollectionEnabled == 0)
        {
            Nested(s, p, vector, isr);
            return;
        }

        Collect(s, p, lastBundle);
        x->Isr = isr;
        SetParameters(s, x, vector);
        Enter(s, p, p->Iva + (ulong)vector);
        x->InterruptCollectionEnabled = 0;
    }

    /// <summary>Delivers pending events where the guest takes them now. ip and slot are those that the upcall returns to.</summary>
    public static void DeliverEvents(VcpuState* s)
    {
        ParavirtualState* p = ParavirtualState.Of(s);
        if (!IsDue(p))
            return;
        Collect(s, p, s->LastIp);
        p->Registers->Isr = (ulong)s->Slot << Isr.EiShift;
        Enter(s, p, p->EventCallback);
        p->Registers->InterruptCollectionEnabled = 0;
    }

    /// <summary>As <see cref="DeliverEvents"/> behind an instruction that has completed, where an event is due.</summary>
    public static int DeliverBehind(VcpuState* s, Instruction* i)
    {
        s->LastIp = CodePosition.Bundle(s, i);
        CodePosition.Advance(s, i);
        DeliverEvents(s);
        return Step.Redirect;
    }

    /// <summary>True when an event is pending that the guest takes now.</summary>
    public static bool IsDue(ParavirtualState* p) => p->Info->UpcallPending != 0 && p->Info->UpcallMask == 0 && p->EventCallback != 0;

    private static void Collect(VcpuState* s, ParavirtualState* p, ulong lastBundle)
    {
        MappedRegisters* x = p->Registers;
        x->Unat = s->Ar[Ar.Unat];
        x->PrecoverIfs = Valid | s->Cfm;
        x->Ipsr = VirtualPsr.Read(s, p);
        x->Iip = s->Ip;
        x->Iipa = lastBundle;
        x->Ifs = 0;
        Banks.SelectZero(s, p);
    }

    private static void Enter(VcpuState* s, ParavirtualState* p, ulong handler)
    {
        p->Info->UpcallMask = 1;
        p->Registers->VpsrDfh = 0;
        EnterOnly(s, p, handler);
    }

    private static void EnterOnly(VcpuState* s, ParavirtualState* p, ulong handler)
    {
        ulong be = (p->Registers->Dcr & Dcr.Be) != 0 ? Psr.Be : 0;
        ProcessorStatus.Set(s, (s->PsrValue & ~Cleared) | be | (ulong)ParavirtualState.KernelLevel << Psr.CplShift);
        s->Ip = handler & ~0xFUL;
        s->Slot = 0;
    }

    // What describes the fault is where the processor put it. IHA is there for alternate TLB faults too: XenLinux reads it.
    private static void SetParameters(VcpuState* s, MappedRegisters* x, Vector vector)
    {
        switch (vector)
        {
            case Vector.BreakInstruction or Vector.Speculation:
                x->Iim = s->Cr[Cr.Iim];
                return;
            case Vector.DisabledFpRegister or Vector.FloatingPointFault or Vector.FloatingPointTrap or Vector.LowerPrivilegeTransferTrap
                or Vector.TakenBranchTrap or Vector.SingleStepTrap:
                return;
        }

        x->Ifa = s->Cr[Cr.Ifa];
        x->Itir = s->Cr[Cr.Itir];
        x->Iha = vector is Vector.AlternateDataTlb or Vector.AlternateInstructionTlb ? VhptWalker.Thash(s->Mmu, s->Cr[Cr.Ifa]) : s->Cr[Cr.Iha];
    }

    // An interruption while the guest does not collect them: what it has in the shared registers must not be lost.
    private static void Nested(VcpuState* s, ParavirtualState* p, Vector vector, ulong isr)
    {
        bool rse = (isr & Isr.Ir) != 0;
        if (rse && s->Dirty < 0)
        {
            // The guest has covered, or will have: its handlers of RSE faults do so with an instruction that does not come here.
            p->Registers->Ifs = Valid | s->Cfm;
            Rse.Cover(s);
            return;
        }

        bool data = vector is Vector.DataTlb or Vector.AlternateDataTlb || (vector == Vector.VhptTranslation && (isr & Isr.X) == 0);
        if (data && (p->Registers->Ipsr & Psr.Dt) != 0)
        {
            EnterOnly(s, p, p->Iva + (ulong)Vector.DataNestedTlb);
            return;
        }

        Vcpu.Of(s).Crash($"nested interruption: vector 0x{(int)vector:x4} at ip 0x{s->Ip:x16} while the guest's psr.ic is 0 (isr 0x{isr:x}, ifa 0x{s->Cr[Cr.Ifa]:x16})");
    }
}
