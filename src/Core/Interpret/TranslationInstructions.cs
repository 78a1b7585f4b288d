using FastXen.Core.Decode;
using FastXen.Core.State;
using FastXen.Mmu;

namespace FastXen.Core.Interpret;

/// <summary>itc, itr, ptc, ptr, probe, tpa, tak, thash, ttag (SDM vol 3).</summary>
public static unsafe class TranslationInstructions
{
    /// <summary>Fills the dispatch table.</summary>
    public static void Bind(delegate*<VcpuState*, Instruction*, int>* table)
    {
        table[(int)Opcode.ItcD] = &ItcD;
        table[(int)Opcode.ItcI] = &ItcI;
        table[(int)Opcode.ItrD] = &ItrD;
        table[(int)Opcode.ItrI] = &ItrI;
        table[(int)Opcode.PtcL] = &PtcL;
        table[(int)Opcode.PtcG] = table[(int)Opcode.PtcGa] = &PtcG;
        table[(int)Opcode.PtcE] = &PtcE;
        table[(int)Opcode.PtrD] = &PtrD;
        table[(int)Opcode.PtrI] = &PtrI;
        table[(int)Opcode.ProbeR] = &ProbeR;
        table[(int)Opcode.ProbeW] = &ProbeW;
        table[(int)Opcode.ProbeRImmediate] = &ProbeRImmediate;
        table[(int)Opcode.ProbeWImmediate] = &ProbeWImmediate;
        table[(int)Opcode.ProbeRFault] = &ProbeRFault;
        table[(int)Opcode.ProbeWFault] = &ProbeWFault;
        table[(int)Opcode.ProbeRwFault] = &ProbeRwFault;
        table[(int)Opcode.Tpa] = &Tpa;
        table[(int)Opcode.Tak] = &Tak;
        table[(int)Opcode.Thash] = &Thash;
        table[(int)Opcode.Ttag] = &Ttag;
    }

    private static int ItcD(VcpuState* s, Instruction* i) => Insert(s, i, register: false, instruction: false);

    private static int ItcI(VcpuState* s, Instruction* i) => Insert(s, i, register: false, instruction: true);

    private static int ItrD(VcpuState* s, Instruction* i) => Insert(s, i, register: true, instruction: false);

    private static int ItrI(VcpuState* s, Instruction* i) => Insert(s, i, register: true, instruction: true);

    private static int Insert(VcpuState* s, Instruction* i, bool register, bool instruction)
    {
        // Under a hypervisor PSR.ic is its own: the guest's is looked at there.
        if ((s->PsrValue & Psr.Ic) != 0 && (s->Hypervisor == null || s->Cpl == 0))
            return Fault.IllegalOperation(s, i);
        if (s->Cpl != 0)
            return Fault.PrivilegedOperation(s, i);
        if (Registers.Nat(s, i->R2) != 0 || (register && Registers.Nat(s, i->R3) != 0))
            return Fault.RegisterNatConsumption(s, i);
        ulong ifa = s->Cr[Cr.Ifa];
        ulong itir = s->Cr[Cr.Itir];
        ulong pte = Registers.Gr(s, i->R2);
        TlbResult result = (register, instruction) switch
        {
            (false, false) => Tlb.InsertDataCache(s->Mmu, ifa, itir, pte),
            (false, true) => Tlb.InsertInstructionCache(s->Mmu, ifa, itir, pte),
            (true, false) => Tlb.InsertDataRegister(s->Mmu, Registers.Gr(s, i->R3), ifa, itir, pte),
            (true, true) => Tlb.InsertInstructionRegister(s->Mmu, Registers.Gr(s, i->R3), ifa, itir, pte),
        };
        return instruction ? Changed(s, i, result) : RegisterFiles.Result(s, i, result);
    }

    // The code page that runs may have another translation now.
    private static int Changed(VcpuState* s, Instruction* i, TlbResult result)
    {
        int step = RegisterFiles.Result(s, i, result);
        if (step != Step.Next)
            return step;
        s->FetchVa = CodePage.NoAddress;
        return Step.Resync;
    }

    private static int PtcL(VcpuState* s, Instruction* i) => Purge(s, i, &Tlb.PurgeLocal);

    // The purge is done everywhere when the instruction completes. ptc.ga drops ALAT entries of the other processors; its own are software's to drop.
    private static int PtcG(VcpuState* s, Instruction* i)
    {
        int step = Purge(s, i, &Tlb.PurgeGlobal);
        if (step == Step.Resync && s->Shared != 0)
        {
            ulong address = Registers.Gr(s, i->R3);
            Vcpu vcpu = Vcpu.Of(s);
            vcpu.Domain.Purge(vcpu, address, Registers.Gr(s, i->R2), MmuState.RegionId(s->Mmu, address), alat: i->Opcode == Opcode.PtcGa);
        }

        return step;
    }

    private static int PtrD(VcpuState* s, Instruction* i) => Purge(s, i, &PurgeDataRegister);

    private static int PtrI(VcpuState* s, Instruction* i) => Purge(s, i, &PurgeInstructionRegister);

    private static TlbResult PurgeDataRegister(MmuState* m, ulong va, ulong size)
    {
        Tlb.PurgeDataRegister(m, va, size);
        return TlbResult.Ok;
    }

    private static TlbResult PurgeInstructionRegister(MmuState* m, ulong va, ulong size)
    {
        Tlb.PurgeInstructionRegister(m, va, size);
        return TlbResult.Ok;
    }

    private static int Purge(VcpuState* s, Instruction* i, delegate*<MmuState*, ulong, ulong, TlbResult> purge)
    {
        if (s->Cpl != 0)
            return Fault.PrivilegedOperation(s, i);
        if (Registers.Nat(s, i->R2, i->R3) != 0)
            return Fault.RegisterNatConsumption(s, i);
        return Changed(s, i, purge(s->Mmu, Registers.Gr(s, i->R3), Registers.Gr(s, i->R2)));
    }

    private static int PtcE(VcpuState* s, Instruction* i)
    {
        if (s->Cpl != 0)
            return Fault.PrivilegedOperation(s, i);
        if (Registers.Nat(s, i->R3) != 0)
            return Fault.RegisterNatConsumption(s, i);
        Tlb.PurgeAll(s->Mmu);
        return Changed(s, i, TlbResult.Ok);
    }

    private static int ProbeR(VcpuState* s, Instruction* i) => Probe(s, i, AccessKind.Read, Registers.Gr(s, i->R2), Registers.Nat(s, i->R2));

    private static int ProbeW(VcpuState* s, Instruction* i) => Probe(s, i, AccessKind.Write, Registers.Gr(s, i->R2), Registers.Nat(s, i->R2));

    private static int ProbeRImmediate(VcpuState* s, Instruction* i) => Probe(s, i, AccessKind.Read, i->Immediate, 0);

    private static int ProbeWImmediate(VcpuState* s, Instruction* i) => Probe(s, i, AccessKind.Write, i->Immediate, 0);

    private static ulong ProbeIsr(AccessKind kind, ulong code) =>
        Isr.Na | code | ((kind & AccessKind.Read) != 0 ? Isr.R : 0) | ((kind & AccessKind.Write) != 0 ? Isr.W : 0);

    private static int Probe(VcpuState* s, Instruction* i, AccessKind kind, ulong level, uint nat)
    {
        if (Registers.BadTarget(s, i->R1))
            return Fault.IllegalOperation(s, i);
        ulong isr = ProbeIsr(kind, NonAccess.Probe);
        if ((nat | Registers.Nat(s, i->R3)) != 0)
            return Fault.DataNatConsumption(s, i, isr);
        TranslationOutcome outcome = AddressTranslation.Probe(
            s->Mmu, Vcpu.Of(s).Memory, Registers.Gr(s, i->R3), kind, Math.Max(s->Cpl, (int)level & 3), s->PsrValue, s->Cr[Cr.Dcr], out bool granted, out Mmu.Translation t);
        if (outcome != TranslationOutcome.Ok)
            return AddressSpace.DataFault(s, i, outcome, t, isr);
        Registers.SetGr(s, i->R1, granted ? 1UL : 0);
        return Step.Next;
    }

    private static int ProbeRFault(VcpuState* s, Instruction* i) => ProbeFault(s, i, AccessKind.Read);

    private static int ProbeWFault(VcpuState* s, Instruction* i) => ProbeFault(s, i, AccessKind.Write);

    private static int ProbeRwFault(VcpuState* s, Instruction* i) => ProbeFault(s, i, AccessKind.ReadWrite);

    private static int ProbeFault(VcpuState* s, Instruction* i, AccessKind kind)
    {
        ulong isr = ProbeIsr(kind, NonAccess.ProbeFault);
        if (Registers.Nat(s, i->R3) != 0)
            return Fault.DataNatConsumption(s, i, isr);
        TranslationOutcome outcome = AddressTranslation.Resolve(
            s->Mmu, Vcpu.Of(s).Memory, Registers.Gr(s, i->R3), 1, kind, Math.Max(s->Cpl, (int)i->Immediate & 3), s->PsrValue, s->Cr[Cr.Dcr], out Mmu.Translation t);
        return outcome == TranslationOutcome.Ok ? Step.Next : AddressSpace.DataFault(s, i, outcome, t, isr);
    }

    private static int Tpa(VcpuState* s, Instruction* i)
    {
        if (Registers.BadTarget(s, i->R1))
            return Fault.IllegalOperation(s, i);
        if (s->Cpl != 0)
            return Fault.PrivilegedOperation(s, i);
        const ulong isr = Isr.Na | NonAccess.Tpa;
        if (Registers.Nat(s, i->R3) != 0)
            return Fault.DataNatConsumption(s, i, isr);
        TranslationOutcome outcome = AddressTranslation.Tpa(
            s->Mmu, Vcpu.Of(s).Memory, Registers.Gr(s, i->R3), s->PsrValue, s->Cr[Cr.Dcr], out Mmu.Translation t);
        if (outcome != TranslationOutcome.Ok)
            return AddressSpace.DataFault(s, i, outcome, t, isr);
        // An uncacheable page's physical address has bit 63 set (SDM vol 3, tpa).
        Registers.SetGr(s, i->R1, t.PhysicalAddress | (t.Attribute is MemoryAttribute.WB ? 0 : 1UL << 63));
        return Step.Next;
    }

    private static int Tak(VcpuState* s, Instruction* i)
    {
        if (Registers.BadTarget(s, i->R1))
            return Fault.IllegalOperation(s, i);
        if (s->Cpl != 0)
            return Fault.PrivilegedOperation(s, i);
        if (Registers.Nat(s, i->R3) != 0)
            return Fault.DataNatConsumption(s, i, Isr.Na | NonAccess.Tak);
        Registers.SetGr(s, i->R1, AddressTranslation.Tak(s->Mmu, Vcpu.Of(s).Memory, Registers.Gr(s, i->R3), s->PsrValue, s->Cr[Cr.Dcr]));
        return Step.Next;
    }

    private static int Thash(VcpuState* s, Instruction* i) => Hash(s, i, &VhptWalker.Thash);

    private static int Ttag(VcpuState* s, Instruction* i) => Hash(s, i, &VhptWalker.Ttag);

    private static int Hash(VcpuState* s, Instruction* i, delegate*<MmuState*, ulong, ulong> function)
    {
        if (Registers.BadTarget(s, i->R1))
            return Fault.IllegalOperation(s, i);
        uint nat = Registers.Nat(s, i->R3);
        Registers.SetGr(s, i->R1, nat != 0 ? 0 : function(s->Mmu, Registers.Gr(s, i->R3)), nat);
        return Step.Next;
    }
}
