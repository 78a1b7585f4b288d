using FastXen.Core.Interpret;
using FastXen.Core.State;
using FastXen.Mmu;

namespace FastXen.Xen.Processor;

/// <summary>
/// The PSR that a paravirtualized kernel believes it has: ic, i, dt/rt/it, dfh, pp and bn are kept in the shared registers, the rest is the
/// processor's own (whose ic is always 1, and i 0).
/// </summary>
internal static unsafe class VirtualPsr
{
    // What reaches the processor as the guest asked for it.
    internal const ulong Passed = Psr.Be | Psr.Up | Psr.Ac | Psr.Mfl | Psr.Mfh | Psr.Pk | Psr.Dfl | Psr.Sp | Psr.Db | Psr.Lp | Psr.Tb
        | Psr.Id | Psr.Da | Psr.Dd | Psr.Ss | Psr.Ed | Psr.Ia;

    // How the processor runs whatever the guest asks for.
    internal const ulong Real = Psr.Ic | Psr.Dt | Psr.Rt | Psr.It | Psr.Bn | Psr.Di;

    internal const ulong Translation = Psr.Dt | Psr.Rt | Psr.It;

    /// <summary>The virtual PSR now; ri is that of the state's slot.</summary>
    public static ulong Read(VcpuState* s, ParavirtualState* p)
    {
        MappedRegisters* x = p->Registers;
        ulong psr = s->PsrValue & (Passed | Psr.Di) | (ulong)s->Slot << Psr.RiShift;
        if (s->Cpl > ParavirtualState.KernelLevel)
            psr |= (ulong)s->Cpl << Psr.CplShift;
        if (x->InterruptCollectionEnabled != 0)
            psr |= Psr.Ic;
        if (p->Info->UpcallMask == 0)
            psr |= Psr.I;
        if (x->MetaphysicalMode == 0)
            psr |= Translation;
        if (x->VpsrDfh != 0)
            psr |= Psr.Dfh;
        if (x->VpsrPp != 0)
            psr |= Psr.Pp;
        if (x->BankNumber != 0)
            psr |= Psr.Bn;
        return psr;
    }

    /// <summary>Sets the processor's PSR for a virtual one; the shared registers are the caller's.</summary>
    public static void Set(VcpuState* s, ulong psr)
    {
        ulong level = Math.Max(psr >> Psr.CplShift & 3, ParavirtualState.KernelLevel);
        ProcessorStatus.Set(s, (psr & (Passed | Psr.Dfh)) | Real | level << Psr.CplShift);
    }

    /// <summary>Sets what the shared registers hold of a virtual PSR, but for the bank.</summary>
    public static void Share(VcpuState* s, ParavirtualState* p, ulong psr)
    {
        MappedRegisters* x = p->Registers;
        x->InterruptCollectionEnabled = (psr & Psr.Ic) != 0 ? 1u : 0;
        p->Info->UpcallMask = (psr & Psr.I) != 0 ? (byte)0 : (byte)1;
        x->VpsrDfh = (psr & Psr.Dfh) != 0 ? (byte)1 : (byte)0;
        x->VpsrPp = (psr & Psr.Pp) != 0 ? (byte)1 : (byte)0;
        SetMetaphysical(s, p, (psr & Translation) != Translation);
    }

    /// <summary>Enters or leaves metaphysical mode: region 0 and region 4 get a region identifier that is not translated.</summary>
    public static void SetMetaphysical(VcpuState* s, ParavirtualState* p, bool on)
    {
        MappedRegisters* x = p->Registers;
        x->MetaphysicalMode = on ? 1u : 0;
        LoadRegion(s, p, 0, on);
        LoadRegion(s, p, 4, on);
    }

    /// <summary>As <see cref="LoadRegion(VcpuState*, ParavirtualState*, int)"/>, all of them.</summary>
    public static void LoadRegions(VcpuState* s, ParavirtualState* p)
    {
        for (int region = 0; region < 8; region++)
            LoadRegion(s, p, region);
    }

    /// <summary>Sets a region register as the guest has it, in the mode that it is in.</summary>
    public static void LoadRegion(VcpuState* s, ParavirtualState* p, int region) =>
        LoadRegion(s, p, region, p->Registers->MetaphysicalMode != 0 && region is 0 or 4);

    private static void LoadRegion(VcpuState* s, ParavirtualState* p, int region, bool metaphysical)
    {
        const int FrameShift = 14;
        const ulong Metaphysical = (ulong)Paravirtual.MetaphysicalRid << 8 | FrameShift << 2;
        ulong value = metaphysical ? Metaphysical : p->Rr(region);
        // Guests write 0 where they have no use for a region: a page size that no processor takes.
        if (!MmuRegisters.IsRr(value))
            value = (value & ~0xFCUL) | FrameShift << 2;
        if (s->Mmu->Rr[region] == value)
            return;
        s->FetchVa = CodePage.NoAddress;
        _ = MmuRegisters.SetRr(s->Mmu, (ulong)region << 61, value);
    }
}
