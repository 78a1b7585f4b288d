namespace FastXen.Mmu;

/// <summary>The architected translation of addresses (manual volume 2, 4.1 and 5.5), complete and in the order of priorities.</summary>
public static unsafe class AddressTranslation
{
    private const ulong UnimplementedPhysical = ((1UL << 63) - 1) & ~((1UL << PhysicalMemory.AddressBits) - 1);

    /// <summary>
    /// Translates a reference of <paramref name="size"/> bytes that does not cross a page. On a fault, <paramref name="t"/> has the values of IFA, ITIR and IHA.
    /// Alignment and memory attributes (Unaligned, Unsupported Data Reference: lower priorities) are left to the caller.
    /// </summary>
    public static TranslationOutcome Resolve(
        MmuState* m, PhysicalMemory memory, ulong va, int size, AccessKind kind, int privilege, ulong psr, ulong dcr, out Translation t)
    {
        if ((psr & Enable(kind)) == 0)
        {
            TranslationOutcome physical = Physical(va, out t);
            if (physical == TranslationOutcome.Ok)
                physical = Place(m, memory, ref t, kind);
            return physical == TranslationOutcome.Ok ? CheckDebug(m, va, size, kind, privilege, psr) : physical;
        }
        TranslationOutcome outcome = Locate(m, memory, va, kind, psr, dcr, walk: true, out t);
        if (outcome == TranslationOutcome.Ok)
            outcome = CheckPage(t);
        if (outcome == TranslationOutcome.Ok && (psr & PsrBits.Pk) != 0 && !t.Unkeyed && kind != AccessKind.FlushCache)
            outcome = Protection.CheckKey(m, t.Key, kind);
        if (outcome == TranslationOutcome.Ok)
            outcome = CheckRights(t, kind, privilege);
        if (outcome == TranslationOutcome.Ok)
            outcome = CheckDirtyAndAccess(t, kind, psr);
        if (outcome == TranslationOutcome.Ok)
            outcome = Place(m, memory, ref t, kind);
        return outcome == TranslationOutcome.Ok ? CheckDebug(m, va, size, kind, privilege, psr) : outcome;
    }

    /// <summary>
    /// As <see cref="Resolve"/> for a speculative load. <paramref name="itlbEd"/>: the ed bit of the page that holds the instruction, 0 when PSR.it is 0.
    /// A fault is raised, or deferred (manual volume 2, 5.5.5): then checks that it does not preclude go on. After Ok or Deferred,
    /// an unaligned address is a fault too unless PSR.ic is 0 or <paramref name="itlbEd"/>.
    /// </summary>
    public static TranslationOutcome ResolveSpeculative(
        MmuState* m, PhysicalMemory memory, ulong va, int size, int privilege, ulong psr, ulong dcr, bool itlbEd, out Translation t)
    {
        const AccessKind Kind = AccessKind.Read;
        // While PSR.ic is 0 every fault is deferred; else those that DCR names, for code that can recover.
        ulong deferred = (psr & PsrBits.Ic) == 0 ? ~0UL : itlbEd ? dcr : 0;
        TranslationOutcome result = TranslationOutcome.Ok;
        bool translated = (psr & PsrBits.Dt) != 0;
        TranslationOutcome outcome = translated ? Locate(m, memory, va, Kind, psr, dcr, walk: true, out t) : Physical(va, out t);
        if (outcome == TranslationOutcome.UnimplementedAddress)
            return TranslationOutcome.Deferred;
        if (outcome == TranslationOutcome.Ok && translated)
        {
            if (!t.Pte.Present)
            {
                outcome = TranslationOutcome.PageNotPresent;
            }
            else
            {
                if (t.Attribute == MemoryAttribute.NaTPage)
                    result = TranslationOutcome.Deferred;
                if ((psr & PsrBits.Pk) != 0 && !t.Unkeyed && Defer(Protection.CheckKey(m, t.Key, Kind)) is var key && key != TranslationOutcome.Ok)
                    return key;
                if (Defer(CheckRights(t, Kind, privilege)) is var rights && rights != TranslationOutcome.Ok)
                    return rights;
                outcome = CheckDirtyAndAccess(t, Kind, psr);
            }
        }
        if (Defer(outcome) is var fault && fault != TranslationOutcome.Ok)
            return fault;
        _ = Place(m, memory, ref t, Kind);
        if (Defer(CheckDebug(m, va, size, Kind, privilege, psr)) is var debug && debug != TranslationOutcome.Ok)
            return debug;
        // Speculative references to memory with side effects are never made.
        return translated && t.Attribute != MemoryAttribute.WB && t.Attribute != MemoryAttribute.WC || t.Attribute == MemoryAttribute.UC
            ? TranslationOutcome.Deferred
            : result;

        TranslationOutcome Defer(TranslationOutcome o)
        {
            if (o == TranslationOutcome.Ok || (deferred & DeferralBit(o)) == 0)
                return o;
            result = TranslationOutcome.Deferred;
            return TranslationOutcome.Ok;
        }
    }

    /// <summary>
    /// probe (the form that does not fault on rights): <paramref name="granted"/> tells whether the page may be accessed at
    /// <paramref name="privilege"/>, which is the greater of PSR.cpl and the operand. Misses, pages not present, NaT pages and key misses fault.
    /// </summary>
    public static TranslationOutcome Probe(
        MmuState* m, PhysicalMemory memory, ulong va, AccessKind kind, int privilege, ulong psr, ulong dcr, out bool granted, out Translation t)
    {
        granted = false;
        // While PSR.dt is 0 only the TLB is searched.
        TranslationOutcome outcome = Locate(m, memory, va, kind, psr, dcr, walk: (psr & PsrBits.Dt) != 0, out t);
        if (outcome == TranslationOutcome.Ok)
            outcome = CheckPage(t);
        if (outcome != TranslationOutcome.Ok)
            return outcome;
        TranslationOutcome key = (psr & PsrBits.Pk) != 0 && !t.Unkeyed ? Protection.CheckKey(m, t.Key, kind) : TranslationOutcome.Ok;
        if (key == TranslationOutcome.KeyMiss)
            return key;
        granted = key == TranslationOutcome.Ok && Protection.Allows(t.Pte.Rights, t.Pte.Privilege, privilege, kind);
        return TranslationOutcome.Ok;
    }

    /// <summary>tpa: the physical address, by the data TLB whatever PSR.dt is. Misses, pages not present and NaT pages fault.</summary>
    public static TranslationOutcome Tpa(MmuState* m, PhysicalMemory memory, ulong va, ulong psr, ulong dcr, out Translation t)
    {
        TranslationOutcome outcome = Locate(m, memory, va, AccessKind.Read, psr, dcr, walk: (psr & PsrBits.Dt) != 0, out t);
        return outcome == TranslationOutcome.Ok ? CheckPage(t) : outcome;
    }

    /// <summary>tak: the protection key of a data page in bits 31:8, or 1 when no present translation is found. Never faults.</summary>
    public static ulong Tak(MmuState* m, PhysicalMemory memory, ulong va, ulong psr, ulong dcr)
    {
        TranslationOutcome outcome = Locate(m, memory, va, AccessKind.Read, psr, dcr, walk: (psr & PsrBits.Dt) != 0, out Translation t);
        return outcome == TranslationOutcome.Ok && t.Pte.Present ? (ulong)t.Key << 8 : 1;
    }

    /// <summary>Searches translation registers, then the cache, of the instruction or data TLB.</summary>
    internal static bool TryFind(MmuState* m, ulong va, AccessKind kind, out TlbEntry entry)
    {
        bool fetch = (kind & AccessKind.Fetch) != 0;
        ulong offset = va & PageSizes.RegionOffset;
        uint rid = MmuState.RegionId(m, va);
        TranslationRegisters* registers = fetch ? &m->Itr : &m->Dtr;
        int slot = TranslationRegisters.Find(registers, offset, rid);
        if (slot >= 0)
        {
            entry = TranslationRegisters.Entry(registers, slot);
            return true;
        }
        TranslationCache* cache = fetch ? &m->Itc : &m->Dtc;
        int index = TranslationCache.Find(cache, offset, rid);
        if (index < 0)
        {
            entry = default;
            return false;
        }

        entry = TranslationCache.Entry(cache, index);
        TranslationCache.Use(cache, index);
        return true;
    }

    // A frame that is the domain's to read only (a grant) cannot be written whatever the guest's translations say.
    private static TranslationOutcome Place(MmuState* m, PhysicalMemory memory, ref Translation t, AccessKind kind)
    {
        if (memory.Map is not { } map)
            return TranslationOutcome.Ok;
        t.PhysicalAddress = map.Translate(t.PhysicalAddress, FrameCacher.Of(m->Paravirtual.Cacher, t.Ifa, kind), (kind & AccessKind.Write) != 0, out t.ReadOnlyFrame);
        // What is memory is cacheable, as Xen makes it: guests map RAM uncacheable in places.
        if (t.Attribute != MemoryAttribute.NaTPage && FrameMap.IsMemory(t.PhysicalAddress))
            t.Attribute = MemoryAttribute.WB;
        return t.ReadOnlyFrame && (kind & AccessKind.Write) != 0 ? TranslationOutcome.AccessRights : TranslationOutcome.Ok;
    }

    private static TranslationOutcome Physical(ulong va, out Translation t)
    {
        t = new Translation
        {
            PhysicalAddress = va & ~(1UL << 63),
            PageShift = PageSizes.Smallest,
            // The address's top bit is the attribute (manual volume 2, "Physical Addressing Memory Attributes").
            Attribute = (long)va < 0 ? MemoryAttribute.UC : MemoryAttribute.WB,
            Ifa = va,
        };
        return (va & UnimplementedPhysical) != 0 ? TranslationOutcome.UnimplementedAddress : TranslationOutcome.Ok;
    }

    // The TLB, then the VHPT; all that can go wrong before a translation is at hand. All 64 bits of a virtual address are implemented.
    private static TranslationOutcome Locate(
        MmuState* m, PhysicalMemory memory, ulong va, AccessKind kind, ulong psr, ulong dcr, bool walk, out Translation t)
    {
        bool fetch = (kind & AccessKind.Fetch) != 0;
        t = new Translation { Ifa = fetch ? va & ~15UL : va, Itir = MmuState.RegionRegister(m, va) & 0xffff_fffc };
        if (m->Paravirtual.Level != 0 && Hypervised(m, va, fetch, out TlbEntry given))
        {
            Take(ref t, given, va);
            t.Unkeyed = true;
            return TranslationOutcome.Ok;
        }
        if (TryFind(m, va, kind, out TlbEntry entry))
        {
            Take(ref t, entry, va);
            return TranslationOutcome.Ok;
        }
        // For a fetch the walker wants PSR.dt and PSR.ic too (manual volume 2, 4.1.5).
        if (fetch)
            walk = (psr & (PsrBits.Dt | PsrBits.Ic)) == (PsrBits.Dt | PsrBits.Ic);
        else if ((kind & AccessKind.Rse) != 0)
            walk = (psr & PsrBits.Dt) != 0;
        if (!walk || !VhptWalker.IsEnabled(m, va))
            return Miss(TranslationOutcome.AlternateTlb);

        t.Iha = VhptWalker.Thash(m, va);
        switch (VhptWalker.Find(m, memory, va, fetch, psr, dcr, out entry))
        {
            case VhptWalker.Walk.Found:
                Take(ref t, entry, va);
                return TranslationOutcome.Ok;
            case VhptWalker.Walk.NoTranslation:
                // The translation that is wanted is that of the table.
                t.Itir = MmuState.RegionRegister(m, t.Iha) & 0xffff_fffc;
                return Miss(TranslationOutcome.VhptTranslation);
            default:
                return Miss(TranslationOutcome.TlbMiss);
        }

        TranslationOutcome Miss(TranslationOutcome outcome) =>
            !fetch && (psr & PsrBits.Ic) == 0 ? TranslationOutcome.DataNestedTlb : outcome;
    }

    // What a paravirtualized guest finds without translations of its own: the hypervisor's window, and guest addresses in metaphysical mode.
    private static bool Hypervised(MmuState* m, ulong va, bool fetch, out TlbEntry entry)
    {
        ref Paravirtual p = ref m->Paravirtual;
        uint rid = MmuState.RegionId(m, va);
        if (!fetch && va - p.WindowVa < p.WindowSize)
        {
            entry = new TlbEntry(va & PageSizes.RegionOffset & ~0xfffUL, rid, PageSizes.Smallest, Paravirtual.Page(p.WindowAddress(va), p.Level), 0);
            return true;
        }
        bool metaphysical = rid == Paravirtual.MetaphysicalRid;
        entry = metaphysical ? new TlbEntry(va & PageSizes.RegionOffset & ~0xfffUL, rid, PageSizes.Smallest, Paravirtual.Page(va & PageSizes.RegionOffset, p.Level), 0) : default;
        return metaphysical;
    }

    private static void Take(ref Translation t, in TlbEntry entry, ulong va)
    {
        t.PhysicalAddress = entry.Pte.Translate(va, entry.Shift);
        t.Pte = entry.Pte;
        t.Key = entry.Key;
        t.PageShift = (byte)entry.Shift;
        t.Attribute = entry.Pte.Attribute;
    }

    private static TranslationOutcome CheckPage(in Translation t) =>
        !t.Pte.Present ? TranslationOutcome.PageNotPresent
        : t.Attribute == MemoryAttribute.NaTPage ? TranslationOutcome.NatPageConsumption
        : TranslationOutcome.Ok;

    private static TranslationOutcome CheckRights(in Translation t, AccessKind kind, int privilege) =>
        Protection.Allows(t.Pte.Rights, t.Pte.Privilege, privilege, kind) ? TranslationOutcome.Ok : TranslationOutcome.AccessRights;

    private static TranslationOutcome CheckDirtyAndAccess(in Translation t, AccessKind kind, ulong psr)
    {
        if (kind == AccessKind.FlushCache || (psr & ((kind & AccessKind.Fetch) != 0 ? PsrBits.Ia : PsrBits.Da)) != 0)
            return TranslationOutcome.Ok;
        if ((kind & AccessKind.Write) != 0 && !t.Pte.Dirty)
            return TranslationOutcome.DirtyBit;
        return t.Pte.Accessed ? TranslationOutcome.Ok : TranslationOutcome.AccessBit;
    }

    private static TranslationOutcome CheckDebug(MmuState* m, ulong va, int size, AccessKind kind, int privilege, ulong psr)
    {
        if ((psr & PsrBits.Db) == 0 || kind == AccessKind.FlushCache || (psr & ((kind & AccessKind.Fetch) != 0 ? PsrBits.Id : PsrBits.Dd)) != 0)
            return TranslationOutcome.Ok;
        return Protection.DebugMatches(m, va, size, kind, privilege) ? TranslationOutcome.Debug : TranslationOutcome.Ok;
    }

    private static ulong Enable(AccessKind kind) =>
        (kind & AccessKind.Fetch) != 0 ? PsrBits.It : (kind & AccessKind.Rse) != 0 ? PsrBits.Rt : PsrBits.Dt;

    private static ulong DeferralBit(TranslationOutcome outcome) => outcome switch
    {
        TranslationOutcome.PageNotPresent => PsrBits.DcrDp,
        TranslationOutcome.KeyMiss => PsrBits.DcrDk,
        TranslationOutcome.KeyPermission => PsrBits.DcrDx,
        TranslationOutcome.AccessRights => PsrBits.DcrDr,
        TranslationOutcome.AccessBit => PsrBits.DcrDa,
        TranslationOutcome.Debug => PsrBits.DcrDd,
        _ => PsrBits.DcrDm,
    };
}
