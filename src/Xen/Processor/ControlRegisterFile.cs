using FastXen.Core.Decode;
using FastXen.Core.Interpret;
using FastXen.Core.State;
using FastXen.Mmu;

namespace FastXen.Xen.Processor;

/// <summary>The control registers as a paravirtualized kernel finds them.</summary>
internal static unsafe class ControlRegisterFile
{
    private const ulong TimerReserved = 0xEF00, TprReserved = 0xFF00, Masked = 1 << 16;

    /// <summary>mov r = cr.</summary>
    public static int Read(VcpuState* s, ParavirtualState* p, Instruction* i)
    {
        MappedRegisters* x = p->Registers;
        if (Registers.BadTarget(s, i->R1))
            return Fault.IllegalOperation(s, i);
        ulong value;
        switch ((int)i->R3)
        {
            case Cr.Dcr: value = x->Dcr; break;
            case Cr.Itm: value = s->Cr[Cr.Itm]; break;
            case Cr.Iva: value = p->Iva; break;
            case Cr.Pta: value = s->Mmu->Pta; break;
            case Cr.Ipsr: value = x->Ipsr; break;
            case Cr.Isr: value = x->Isr; break;
            case Cr.Iip: value = x->Iip; break;
            case Cr.Ifa: value = x->Ifa; break;
            case Cr.Itir: value = x->Itir; break;
            case Cr.Iipa: value = x->Iipa; break;
            case Cr.Ifs: value = x->Ifs; break;
            case Cr.Iim: value = x->Iim; break;
            case Cr.Iha: value = x->Iha; break;
            case Cr.Lid: value = (ulong)p->Number << 24; break;
            case Cr.Ivr: value = LegacyInterrupts.Acknowledge(p); break;
            case Cr.Tpr: value = x->Tpr; break;
            case Cr.Eoi: value = 0; break;
            case >= Cr.Irr0 and <= Cr.Irr3: value = p->Irr[i->R3 - Cr.Irr0]; break;
            case Cr.Itv: value = s->Cr[Cr.Itv]; break;
            case Cr.Pmv: value = x->Pmv; break;
            case Cr.Cmcv: value = x->Cmcv; break;
            case Cr.Lrr0 or Cr.Lrr1: value = Masked; break;
            default: return Fault.IllegalOperation(s, i);
        }

        Registers.SetGr(s, i->R1, value);
        return Step.Next;
    }

    /// <summary>mov cr = r.</summary>
    public static int Write(VcpuState* s, ParavirtualState* p, Instruction* i)
    {
        MappedRegisters* x = p->Registers;
        if (Registers.Nat(s, i->R2) != 0)
            return Fault.RegisterNatConsumption(s, i);
        ulong value = Registers.Gr(s, i->R2);
        switch ((int)i->R3)
        {
            case Cr.Dcr: x->Dcr = value; return Step.Next;
            case Cr.Itm: return VirtualTimer.Set(s, p, i, value);
            case Cr.Iva: p->Iva = value & ~0x7FFFUL; return Step.Next;
            case Cr.Pta:
                int step = RegisterFiles.Result(s, i, MmuRegisters.SetPta(s->Mmu, value));
                x->Pta = s->Mmu->Pta;
                return step;
            case Cr.Ipsr: x->Ipsr = value; return Step.Next;
            case Cr.Isr: x->Isr = value; return Step.Next;
            case Cr.Iip: x->Iip = value; return Step.Next;
            case Cr.Ifa: x->Ifa = value; return Step.Next;
            case Cr.Itir: x->Itir = value; return Step.Next;
            case Cr.Iipa: x->Iipa = value; return Step.Next;
            case Cr.Ifs: x->Ifs = value; return Step.Next;
            case Cr.Iim: x->Iim = value; return Step.Next;
            case Cr.Iha: x->Iha = value; return Step.Next;
            case Cr.Tpr: return SetTpr(s, p, i, value);
            case Cr.Eoi: return LegacyInterrupts.EndOfInterrupt(p);
            case Cr.Itv or Cr.Pmv or Cr.Cmcv when (value & TimerReserved) != 0: return Fault.ReservedRegisterField(s, i);
            case Cr.Itv: return VirtualTimer.SetVector(s, p, value);
            case Cr.Pmv: x->Pmv = value; return Step.Next;
            case Cr.Cmcv: x->Cmcv = value; return Step.Next;
            case Cr.Lrr0 or Cr.Lrr1: return (value & Masked) != 0 ? Step.Next : Fault.IllegalOperation(s, i);
            default: return Fault.IllegalOperation(s, i);
        }
    }

    /// <summary>mov cr.tpr and SET_TPR.</summary>
    public static int SetTpr(VcpuState* s, ParavirtualState* p, Instruction* i, ulong value)
    {
        if ((value & TprReserved) != 0)
            return Fault.ReservedRegisterField(s, i);
        p->Registers->Tpr = value;
        return Step.Next;
    }
}
