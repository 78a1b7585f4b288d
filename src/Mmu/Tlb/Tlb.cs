using FastXen.Events;

namespace FastXen.Mmu;

/// <summary>What a TLB instruction did.</summary>
public enum TlbResult
{
    /// <summary>Done.</summary>
    Ok,
    /// <summary>Reserved field, unimplemented page size or slot: Reserved Register/Field fault; nothing changed.</summary>
    ReservedRegisterField,
    /// <summary>Overlap with a translation register: machine check (manual volume 2, table "Purge Behavior of TLB Inserts and Purges").</summary>
    MachineCheck,
}

/// <summary>
/// Inserts and purges (manual volume 2, 4.1.1). Privilege, NaT and PSR.ic checks are the instructions' own. A range that overlaps
/// translation cache entries purges them; one that overlaps a translation register is a machine check, except for ptr, which purges it.
/// </summary>
public static unsafe class Tlb
{
    /// <summary>itc.i with CR.IFA, CR.ITIR and the translation from the general register.</summary>
    public static TlbResult InsertInstructionCache(MmuState* m, ulong ifa, ulong itir, ulong pte) =>
        InsertCache(m, &m->Itr, &m->Itc, ifa, itir, new Pte(pte));

    /// <summary>itc.d.</summary>
    public static TlbResult InsertDataCache(MmuState* m, ulong ifa, ulong itir, ulong pte) =>
        InsertCache(m, &m->Dtr, &m->Dtc, ifa, itir, new Pte(pte));

    /// <summary>itr.i; <paramref name="slot"/> is the general register, of which bits 7:0 count.</summary>
    public static TlbResult InsertInstructionRegister(MmuState* m, ulong slot, ulong ifa, ulong itir, ulong pte) =>
        InsertRegister(m, &m->Itr, &m->Itc, (int)(slot & 0xff), ifa, itir, new Pte(pte));

    /// <summary>itr.d.</summary>
    public static TlbResult InsertDataRegister(MmuState* m, ulong slot, ulong ifa, ulong itir, ulong pte) =>
        InsertRegister(m, &m->Dtr, &m->Dtc, (int)(slot & 0xff), ifa, itir, new Pte(pte));

    /// <summary>ptr.i; <paramref name="size"/> is the general register: log2 of the range in bits 7:2.</summary>
    public static void PurgeInstructionRegister(MmuState* m, ulong va, ulong size) =>
        PurgeRegister(m, &m->Itr, &m->Itc, va, size);

    /// <summary>ptr.d.</summary>
    public static void PurgeDataRegister(MmuState* m, ulong va, ulong size) =>
        PurgeRegister(m, &m->Dtr, &m->Dtc, va, size);

    /// <summary>ptc.l: purges both translation caches.</summary>
    public static TlbResult PurgeLocal(MmuState* m, ulong va, ulong size)
    {
        uint rid = MmuState.RegionId(m, va);
        PurgeRemote(m, va, size, rid);
        int shift = PurgeShift(size);
        return Overlaps(&m->Itr, va, rid, shift) || Overlaps(&m->Dtr, va, rid, shift) ? TlbResult.MachineCheck : TlbResult.Ok;
    }

    /// <summary>ptc.g and ptc.ga on the processor that executes it. The others do <see cref="PurgeRemote"/> with its region identifier.</summary>
    public static TlbResult PurgeGlobal(MmuState* m, ulong va, ulong size) => PurgeLocal(m, va, size);

    /// <summary>A global purge that another processor broadcast: translation caches only, translation registers are left alone.</summary>
    public static void PurgeRemote(MmuState* m, ulong va, ulong size, uint rid)
    {
        int shift = PurgeShift(size);
        if (Tracing.Tlb)
            FastXenEventSource.Log.TlbPurge(Tracing.Domain, Tracing.Vcpu, shift, (int)rid, va);
        PurgeCache(m, &m->Itc, va, rid, shift);
        PurgeCache(m, &m->Dtc, va, rid, shift);
    }

    /// <summary>ptc.e: purges all of both translation caches, whatever the loop counts that PAL reported.</summary>
    public static void PurgeAll(MmuState* m)
    {
        TranslationCache.Clear(&m->Itc);
        TranslationCache.Clear(&m->Dtc);
        FastTlb.PurgeAll(m);
    }

    /// <summary>True when itc, itr or the VHPT walker would refuse these words (manual volume 2, 4.1.1.5).</summary>
    public static bool IsReserved(ulong itir, Pte pte)
    {
        // A translation that is not present leaves everything but the page size, and bits 1:0, to software.
        ulong reserved = pte.Present ? 0xffff_ffff_0000_0003 : 3;
        return (itir & reserved) != 0 || !PageSizes.IsImplemented(PageShift(itir)) || pte.IsReserved;
    }

    private static TlbResult InsertCache(MmuState* m, TranslationRegisters* registers, TranslationCache* cache, ulong ifa, ulong itir, Pte pte)
    {
        if (IsReserved(itir, pte))
            return TlbResult.ReservedRegisterField;
        int shift = PageShift(itir);
        uint rid = MmuState.RegionId(m, ifa);
        // The page of an entry overlaps no other, and no register: those purged each other when they were put in.
        int known = TranslationCache.FindExact(cache, ifa & PageSizes.Mask(shift), rid, shift);
        if (known >= 0)
        {
            Replace(m, cache, known, pte.NoMorePrivilegedThan(m->Paravirtual.Level), Key(itir));
            return TlbResult.Ok;
        }

        if (Overlaps(registers, ifa, rid, shift))
            return TlbResult.MachineCheck;
        Cache(m, cache, ifa, rid, shift, pte, Key(itir));
        return TlbResult.Ok;
    }

    /// <summary>Puts a checked translation into a cache, in place of all that it overlaps. Returns its entry.</summary>
    internal static int Cache(MmuState* m, TranslationCache* cache, ulong va, uint rid, int shift, Pte pte, uint key)
    {
        PurgeCache(m, cache, va, rid, shift);
        pte = pte.NoMorePrivilegedThan(m->Paravirtual.Level);
        ulong offset = va & PageSizes.RegionOffset;
        int entry = TranslationCache.Place(cache, offset, rid, shift);
        if (!TranslationCache.IsEmpty(cache, entry))
            Drop(m, cache, entry);
        TranslationCache.Set(cache, entry, offset, rid, shift, pte, key);
        return entry;
    }

    private static TlbResult InsertRegister(
        MmuState* m, TranslationRegisters* registers, TranslationCache* cache, int slot, ulong ifa, ulong itir, Pte pte)
    {
        if (slot >= TranslationRegisters.Slots || IsReserved(itir, pte))
            return TlbResult.ReservedRegisterField;
        int shift = PageShift(itir);
        uint rid = MmuState.RegionId(m, ifa);
        ulong offset = ifa & PageSizes.RegionOffset;
        // What the slot held is replaced, so it is no overlap.
        int overlap = TranslationRegisters.FirstOverlap(registers, offset, PageSizes.Mask(shift), rid, 0);
        if (overlap == slot)
            overlap = TranslationRegisters.FirstOverlap(registers, offset, PageSizes.Mask(shift), rid, slot + 1);
        if (overlap >= 0)
            return TlbResult.MachineCheck;
        Drop(m, registers, slot);
        PurgeCache(m, cache, ifa, rid, shift);
        TranslationRegisters.Set(registers, slot, offset, rid, shift, pte.NoMorePrivilegedThan(m->Paravirtual.Level), Key(itir));
        return TlbResult.Ok;
    }

    private static void PurgeRegister(MmuState* m, TranslationRegisters* registers, TranslationCache* cache, ulong va, ulong size)
    {
        int shift = PurgeShift(size);
        uint rid = MmuState.RegionId(m, va);
        ulong offset = va & PageSizes.RegionOffset;
        for (int slot; (slot = TranslationRegisters.FirstOverlap(registers, offset, PageSizes.Mask(shift), rid, 0)) >= 0;)
            Drop(m, registers, slot);
        PurgeCache(m, cache, va, rid, shift);
    }

    private static void PurgeCache(MmuState* m, TranslationCache* cache, ulong va, uint rid, int shift)
    {
        for (int entry = -1; (entry = TranslationCache.FindOverlap(cache, va & PageSizes.RegionOffset, rid, shift, entry)) >= 0;)
            Drop(m, cache, entry);
    }

    private static void Drop(MmuState* m, TranslationCache* cache, int entry)
    {
        ForgetUses(m, cache, entry);
        TranslationCache.Remove(cache, entry);
    }

    private static void Replace(MmuState* m, TranslationCache* cache, int entry, Pte pte, uint key)
    {
        if (TranslationCache.Holds(cache, entry, pte, key))
            return;
        ForgetUses(m, cache, entry);
        TranslationCache.Replace(cache, entry, pte, key);
    }

    private static void ForgetUses(MmuState* m, TranslationCache* cache, int entry)
    {
        if (TranslationCache.IsUsed(cache, entry))
            Forget(m, cache == &m->Itc, TranslationCache.Entry(cache, entry));
    }

    private static void Drop(MmuState* m, TranslationRegisters* registers, int slot)
    {
        if (TranslationRegisters.IsEmpty(registers, slot))
            return;
        Forget(m, registers == &m->Itr, TranslationRegisters.Entry(registers, slot));
        TranslationRegisters.Remove(registers, slot);
    }

    private static void Forget(MmuState* m, bool instruction, in TlbEntry entry)
    {
        if (instruction)
            CodeTlb.Purge(m, entry);
        else
            FastTlb.Purge(m, entry);
    }

    /// <summary>True when the range has a byte in common with a translation register.</summary>
    internal static bool Overlaps(TranslationRegisters* registers, ulong va, uint rid, int shift) =>
        TranslationRegisters.FirstOverlap(registers, va & PageSizes.RegionOffset, PageSizes.Mask(shift), rid, 0) >= 0;

    /// <summary>The page size of an ITIR, as log2.</summary>
    internal static int PageShift(ulong itir) => (int)(itir >> 2) & 63;

    /// <summary>The key of an ITIR.</summary>
    internal static uint Key(ulong itir) => (uint)itir >> 8;

    // Purges of sizes that are not implemented are undefined: they purge what they name, at least a page, at most a region.
    private static int PurgeShift(ulong size) => Math.Clamp(PageShift(size), PageSizes.Smallest, 61);
}
