using FastXen.Core;
using FastXen.Core.Decode;
using FastXen.Core.Interpret;
using FastXen.Core.State;
using FastXen.Mmu;

namespace FastXen.Xen.Processor;

/// <summary>What a paravirtualized kernel does to its translations, by hyperprivops and by privileged instructions.</summary>
internal static unsafe class VirtualTlb
{
    // Xen's own addresses, and the window with the shared registers: bits 60 and 59 of an address in region 7 differ.
    private static bool IsHypervisors(ulong va) => va >> 61 == 7 && ((va >> 60 ^ va >> 59) & 1) != 0;

    private static bool Overlaps(VcpuState* s, ulong va, int shift)
    {
        ulong size = 1UL << Math.Clamp(shift, 12, 61), begin = va & ~(size - 1);
        ref Paravirtual window = ref s->Mmu->Paravirtual;
        return IsHypervisors(va) || (begin < window.WindowVa + window.WindowSize && window.WindowVa - begin < size && begin <= window.WindowVa);
    }

    /// <summary>True for a range that guests may neither insert nor purge: the hypervisor's own addresses.</summary>
    internal static bool IsRefused(VcpuState* s, ulong va, int shift) => Overlaps(s, va, shift);

    private static int Refuse(VcpuState* s, string what, ulong va)
    {
        Vcpu.Of(s).Crash($"{what} of 0x{va:x16}, an address of the hypervisor's");
        return Step.Leave;
    }

    /// <summary>itc.d, itc.i with IFA and ITIR of the shared registers.</summary>
    public static int InsertCache(VcpuState* s, ParavirtualState* p, Instruction* i, ulong pte, bool instruction)
    {
        ulong ifa = p->Registers->Ifa, itir = p->Registers->Itir;
        if (Overlaps(s, ifa, (int)(itir >> 2) & 63))
            return Refuse(s, "itc", ifa);
        ulong rr = Expose(s, p, ifa);
        TlbResult result = instruction ? Tlb.InsertInstructionCache(s->Mmu, ifa, itir, pte) : Tlb.InsertDataCache(s->Mmu, ifa, itir, pte);
        Cover(s, ifa, rr);
        return instruction ? CodeChanged(s, i, result) : RegisterFiles.Result(s, i, result);
    }

    /// <summary>itr.d, itr.i; <paramref name="slot"/> 0 to 11.</summary>
    public static int InsertRegister(VcpuState* s, ParavirtualState* p, Instruction* i, ulong slot, ulong pte, bool instruction)
    {
        ulong ifa = p->Registers->Ifa, itir = p->Registers->Itir;
        if (Overlaps(s, ifa, (int)(itir >> 2) & 63))
            return Refuse(s, "itr", ifa);
        if (slot >= Registers)
            return Fault.ReservedRegisterField(s, i);
        ulong rr = Expose(s, p, ifa);
        TlbResult result = instruction
            ? Tlb.InsertInstructionRegister(s->Mmu, slot, ifa, itir, pte)
            : Tlb.InsertDataRegister(s->Mmu, slot, ifa, itir, pte);
        Cover(s, ifa, rr);
        return instruction ? CodeChanged(s, i, result) : RegisterFiles.Result(s, i, result);
    }

    /// <summary>Translation registers of each kind.</summary>
    public const ulong Registers = 12;

    /// <summary>ptc.ga and ptc.g: a range on all vCPUs of the domain.</summary>
    public static int PurgeGlobal(VcpuState* s, Instruction* i, ulong va, ulong size)
    {
        if (Overlaps(s, va, (int)(size >> 2) & 63))
            return Refuse(s, "ptc.ga", va);
        ulong rr = Expose(s, ParavirtualState.Of(s), va);
        uint rid = MmuState.RegionId(s->Mmu, va);
        TlbResult result = Tlb.PurgeGlobal(s->Mmu, va, size);
        Cover(s, va, rr);
        int step = CodeChanged(s, i, result);
        if (step == Step.Resync && s->Shared != 0)
        {
            Vcpu vcpu = Vcpu.Of(s);
            vcpu.Domain.Purge(vcpu, va, size, rid, alat: true);
        }

        return step;
    }

    /// <summary>mov rr[va] = value.</summary>
    public static int SetRr(VcpuState* s, ParavirtualState* p, Instruction* i, ulong va, ulong value)
    {
        if ((value & 2) != 0 || value >> 8 >= 1UL << ParavirtualState.RidBits)
            return Fault.ReservedRegisterField(s, i);
        int region = (int)(va >> 61);
        p->RegionRegisters[region] = p->Registers->Rr[region] = value;
        VirtualPsr.LoadRegion(s, p, region);
        return Step.Resync;
    }

    /// <summary>
    /// Lets the MMU find the guest's own region register for an address, which metaphysical mode has replaced; returns what it found before, for
    /// <see cref="Cover"/>. Nothing may be translated in between.
    /// </summary>
    public static ulong Expose(VcpuState* s, ParavirtualState* p, ulong va)
    {
        ref ulong rr = ref s->Mmu->Rr[va >> 61];
        ulong was = rr;
        if (was >> 8 == Paravirtual.MetaphysicalRid)
            rr = p->Rr((int)(va >> 61));
        return was;
    }

    /// <summary>Undoes <see cref="Expose"/>.</summary>
    public static void Cover(VcpuState* s, ulong va, ulong rr) => s->Mmu->Rr[va >> 61] = rr;

    private static int CodeChanged(VcpuState* s, Instruction* i, TlbResult result)
    {
        int step = RegisterFiles.Result(s, i, result);
        if (step != Step.Next)
            return step;
        s->FetchVa = CodePage.NoAddress;
        return Step.Resync;
    }
}
