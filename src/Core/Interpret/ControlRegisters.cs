using FastXen.Core.Decode;
using FastXen.Core.State;
using FastXen.Mmu;

namespace FastXen.Core.Interpret;

/// <summary>Moves between general and control registers, with the registers' side effects (SDM vol 2, 3.3 and 5.8.3).</summary>
public static unsafe class ControlRegisters
{
    /// <summary>Fills the dispatch table.</summary>
    public static void Bind(delegate*<VcpuState*, Instruction*, int>* table)
    {
        table[(int)Opcode.MovToCr] = &MovToCr;
        table[(int)Opcode.MovFromCr] = &MovFromCr;
    }

    private static bool Exists(uint cr) =>
        cr is Cr.Dcr or Cr.Itm or Cr.Iva or Cr.Pta or (>= Cr.Ipsr and <= Cr.Isr) or (>= Cr.Iip and <= Cr.Iha) or (>= Cr.Lid and <= Cr.Cmcv) or Cr.Lrr0 or Cr.Lrr1;

    private static bool ReadOnly(uint cr) => cr is Cr.Ivr or (>= Cr.Irr0 and <= Cr.Irr3);

    // Registers that describe the last interruption may be touched only while PSR.ic is 0 (SDM vol 2, 3.3.5).
    private static bool NeedsCollectionOff(uint cr) => cr is >= Cr.Ipsr and <= Cr.Iha;

    private static int MovFromCr(VcpuState* s, Instruction* i)
    {
        uint cr = i->R3;
        if (s->Hypervisor != null && s->Cpl != 0)
            return Fault.PrivilegedOperation(s, i);
        if (!Exists(cr) || (NeedsCollectionOff(cr) && (s->PsrValue & Psr.Ic) != 0) || Registers.BadTarget(s, i->R1))
            return Fault.IllegalOperation(s, i);
        if (s->Cpl != 0)
            return Fault.PrivilegedOperation(s, i);
        ulong value = cr switch
        {
            Cr.Ivr => LocalSapic.Acknowledge(s),
            Cr.Eoi => 0,
            >= Cr.Irr0 and <= Cr.Irr3 => s->Irr[cr - Cr.Irr0],
            Cr.Pta => s->Mmu->Pta,
            _ => s->Cr[cr],
        };
        Registers.SetGr(s, i->R1, value);
        return Step.Next;
    }

    private static int MovToCr(VcpuState* s, Instruction* i)
    {
        uint cr = i->R3;
        if (s->Hypervisor != null && s->Cpl != 0)
            return Fault.PrivilegedOperation(s, i);
        if (!Exists(cr) || ReadOnly(cr) || (NeedsCollectionOff(cr) && (s->PsrValue & Psr.Ic) != 0))
            return Fault.IllegalOperation(s, i);
        if (s->Cpl != 0)
            return Fault.PrivilegedOperation(s, i);
        if (Registers.Nat(s, i->R2) != 0)
            return Fault.RegisterNatConsumption(s, i);
        ulong value = Registers.Gr(s, i->R2);
        if ((value & ReservedBits(cr)) != 0)
            return Fault.ReservedRegisterField(s, i);
        switch ((int)cr)
        {
            case Cr.Itm:
                Clock.SetItm(s, i, value);
                return Step.Next;
            case Cr.Eoi:
                LocalSapic.EndOfInterrupt(s);
                return Step.Resync;
            case Cr.Tpr:
                s->Cr[cr] = value;
                LocalSapic.Recheck(s);
                return Step.Resync;
            case Cr.Itv:
                s->Cr[cr] = value;
                s->Deadline = 0;
                return Step.Next;
            case Cr.Pta:
                return RegisterFiles.Result(s, i, MmuRegisters.SetPta(s->Mmu, value));
            default:
                s->Cr[cr] = value;
                return Step.Next;
        }
    }

    // Reserved fields, by the figures of SDM vol 2, 3.3 and 5.8.3; ignored fields are kept as written.
    internal static ulong ReservedBits(uint cr) => (int)cr switch
    {
        Cr.Dcr => ~Dcr.Implemented & 0xFFFF_FFFF_FFFF_80F8,
        Cr.Ipsr => ~(Psr.Implemented | Psr.Ri),
        Cr.Isr => 0xFFFF_F000_FF00_0000,
        Cr.Itir => 0xFFFF_FFFF_0000_0003,
        Cr.Ifs => 0x7FFF_FFC0_0000_0000,
        Cr.Tpr => 0xFF00,
        Cr.Itv or Cr.Pmv or Cr.Cmcv => 0xEF00,
        Cr.Lrr0 or Cr.Lrr1 => 0x5800,
        _ => 0,
    };
}
