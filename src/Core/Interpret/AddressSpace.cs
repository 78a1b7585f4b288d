using FastXen.Core.Decode;
using FastXen.Core.State;
using FastXen.Mmu;

namespace FastXen.Core.Interpret;

/// <summary>The processor's side of address translation: the MMU's results become control registers and interruptions.</summary>
public static unsafe class AddressSpace
{
    /// <summary>Follows a change of PSR or RSC.pl that concerns translation.</summary>
    public static void SelectMode(VcpuState* s)
    {
        FastTlb.SelectMode(s->Mmu, s->PsrValue, (int)(s->Ar[Ar.Rsc] >> 2) & 3);
        // Big-endian references are rare: all of them take the slow path, which swaps.
        if ((s->PsrValue & Psr.Be) != 0)
            FastTlb.DisableData(s->Mmu);
        if ((s->Ar[Ar.Rsc] & Rsc.Be) != 0)
            FastTlb.DisableRse(s->Mmu);
    }

    /// <summary>The reset state of the MMU, for the processor's reset state.</summary>
    public static void Reset(VcpuState* s)
    {
        MmuState.Reset(s->Mmu);
        SelectMode(s);
    }

    /// <summary>Physical address of a byte as a load or store of the kernel would find it now; false where it would fault.</summary>
    public static bool TryLocate(VcpuState* s, ulong va, bool write, out ulong physical)
    {
        // Keys, debug registers and the dirty and access bits do not concern the firmware.
        ulong psr = (s->PsrValue & ~(Psr.Pk | Psr.Db)) | Psr.Da;
        TranslationOutcome outcome = AddressTranslation.Resolve(
            s->Mmu, Vcpu.Of(s).Memory, va, 1, write ? AccessKind.Write : AccessKind.Read, 0, psr, s->Cr[Cr.Dcr], out Mmu.Translation t);
        physical = t.PhysicalAddress;
        return outcome == TranslationOutcome.Ok;
    }

    /// <summary>epc: the privilege level of the code page, where its access rights are 7 (execute only and promote); else the current one.</summary>
    public static int PromotedPrivilege(VcpuState* s)
    {
        if ((s->PsrValue & Psr.It) == 0)
            return 0;
        var pte = new Pte(s->CodePte);
        return pte.Rights == 7 ? Math.Min(pte.Privilege, s->Cpl) : s->Cpl;
    }

    /// <summary>Puts what the MMU says of a failed translation into IFA, ITIR, IHA (only while PSR.ic is 1; SDM vol 2, 5.5).</summary>
    private static void SetRegisters(VcpuState* s, TranslationOutcome outcome, in Mmu.Translation t)
    {
        if ((s->PsrValue & Psr.Ic) == 0)
            return;
        s->Cr[Cr.Ifa] = t.Ifa;
        if (outcome != TranslationOutcome.UnimplementedAddress)
            s->Cr[Cr.Itir] = t.Itir;
        if (outcome is TranslationOutcome.VhptTranslation or TranslationOutcome.TlbMiss)
            s->Cr[Cr.Iha] = t.Iha;
    }

    /// <summary>Delivers the fault of a data reference of <paramref name="i"/>. <paramref name="isr"/>: r, w, na, sp, rs, ed and the non-access code.</summary>
    public static int DataFault(VcpuState* s, Instruction* i, TranslationOutcome outcome, in Mmu.Translation t, ulong isr)
    {
        SetRegisters(s, outcome, t);
        return Interruptions.Deliver(s, i, DataVector(outcome), isr | Code(outcome));
    }

    /// <summary>As <see cref="DataFault"/> between instructions: a mandatory RSE load of an incomplete frame.</summary>
    public static void DataFaultHere(VcpuState* s, TranslationOutcome outcome, in Mmu.Translation t, ulong isr)
    {
        SetRegisters(s, outcome, t);
        Interruptions.DeliverHere(s, DataVector(outcome), isr | Code(outcome));
    }

    /// <summary>Delivers the fault of an instruction fetch at Ip.</summary>
    public static void FetchFault(VcpuState* s, TranslationOutcome outcome, in Mmu.Translation t)
    {
        if (outcome == TranslationOutcome.UnimplementedAddress)
        {
            // Of the branch that came here: a trap that shares the vector of lower-privilege transfers (SDM vol 2, 8.3).
            Interruptions.DeliverHere(s, Vector.LowerPrivilegeTransferTrap, TrapCode.UnimplementedAddress);
            return;
        }

        SetRegisters(s, outcome, t);
        Interruptions.DeliverHere(s, FetchVector(outcome), Isr.X | Code(outcome));
    }

    // ISR.code of the faults that share a vector.
    private static ulong Code(TranslationOutcome outcome) => outcome switch
    {
        TranslationOutcome.NatPageConsumption => 0x20,
        TranslationOutcome.UnimplementedAddress => 0x30,
        _ => 0,
    };

    private static Vector DataVector(TranslationOutcome outcome) => outcome switch
    {
        TranslationOutcome.UnimplementedAddress => Vector.GeneralException,
        TranslationOutcome.DataNestedTlb => Vector.DataNestedTlb,
        TranslationOutcome.AlternateTlb => Vector.AlternateDataTlb,
        TranslationOutcome.VhptTranslation => Vector.VhptTranslation,
        TranslationOutcome.TlbMiss => Vector.DataTlb,
        TranslationOutcome.NatPageConsumption => Vector.NatConsumption,
        TranslationOutcome.KeyMiss => Vector.DataKeyMiss,
        TranslationOutcome.KeyPermission => Vector.KeyPermission,
        TranslationOutcome.AccessRights => Vector.DataAccessRights,
        TranslationOutcome.DirtyBit => Vector.DirtyBit,
        TranslationOutcome.AccessBit => Vector.DataAccessBit,
        TranslationOutcome.Debug => Vector.Debug,
        _ => Vector.PageNotPresent,
    };

    private static Vector FetchVector(TranslationOutcome outcome) => outcome switch
    {
        TranslationOutcome.AlternateTlb => Vector.AlternateInstructionTlb,
        TranslationOutcome.TlbMiss => Vector.InstructionTlb,
        TranslationOutcome.KeyMiss => Vector.InstructionKeyMiss,
        TranslationOutcome.AccessRights => Vector.InstructionAccessRights,
        TranslationOutcome.AccessBit => Vector.InstructionAccessBit,
        _ => DataVector(outcome),
    };

    /// <summary>An inserted or purged translation overlaps a translation register: a machine check, which ends the domain.</summary>
    public static int MachineCheck(VcpuState* s, Instruction* i, string what)
    {
        s->Ip = CodePosition.Bundle(s, i);
        s->Slot = CodePosition.Slot(i);
        Vcpu.Of(s).Crash($"machine check: {what} at ip 0x{s->Ip:x16}, slot {s->Slot}");
        return Step.Leave;
    }
}
