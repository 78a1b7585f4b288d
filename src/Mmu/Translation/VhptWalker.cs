using System.Buffers.Binary;

namespace FastXen.Mmu;

/// <summary>The virtual hash page table: its hash functions and its walker (manual volume 2, 4.1.5 to 4.1.8).</summary>
public static unsafe class VhptWalker
{
    private const ulong PtaVe = 1, PtaVf = 1 << 8, PtaBase = ~0x7fffUL;

    /// <summary>What the walker found.</summary>
    internal enum Walk
    {
        /// <summary>A translation; it has been put into the TLB when it is present.</summary>
        Found,
        /// <summary>The entry's own address has no translation.</summary>
        NoTranslation,
        /// <summary>No matching entry, or one that the walker must not use.</summary>
        Abort,
    }

    /// <summary>True when PTA and the address's region let the walker run.</summary>
    public static bool IsEnabled(MmuState* m, ulong va) => (m->Pta & MmuState.RegionRegister(m, va) & PtaVe) != 0;

    /// <summary>thash: the address of the VHPT entry for an address.</summary>
    public static ulong Thash(MmuState* m, ulong va)
    {
        ulong mask = (1UL << (int)(m->Pta >> 2 & 63)) - 1;
        ulong page = (va & PageSizes.RegionOffset) >> Tlb.PageShift(MmuState.RegionRegister(m, va));
        if ((m->Pta & PtaVf) == 0)
        {
            // A linear table in each region; base bits 63:61 are not used.
            return (va & ~PageSizes.RegionOffset) | (m->Pta & PtaBase & PageSizes.RegionOffset & ~mask) | (page << 3 & mask);
        }
        // One table: neighbouring pages in neighbouring entries, regions and distant pages spread.
        ulong hash = page ^ Spread(page, MmuState.RegionId(m, va));
        return (m->Pta & PtaBase & ~mask) | (hash << 5 & mask);
    }

    /// <summary>
    /// ttag: with <see cref="Thash"/>, and given the page size, it names region identifier and page number: of the 73 bits of both,
    /// the page number's low 10 are recovered from the index, since the smallest table has 2^10 entries and <see cref="Spread"/> depends on none of them.
    /// </summary>
    public static ulong Ttag(MmuState* m, ulong va)
    {
        ulong page = (va & PageSizes.RegionOffset) >> Tlb.PageShift(MmuState.RegionRegister(m, va));
        return (ulong)MmuState.RegionId(m, va) << 39 | page >> 10;
    }

    private static ulong Spread(ulong page, uint rid) => page >> 10 ^ (rid * 0x9e37_79b9u >> 8);

    /// <summary>Looks an address up in the VHPT. The walker's references are loads at privilege level 0 through the data TLB.</summary>
    internal static Walk Find(MmuState* m, PhysicalMemory memory, ulong va, bool fetch, ulong psr, ulong dcr, out TlbEntry entry)
    {
        entry = default;
        bool isLong = (m->Pta & PtaVf) != 0;
        ulong iha = Thash(m, va);
        if (!AddressTranslation.TryFind(m, iha, AccessKind.Read, out TlbEntry table))
            return Walk.NoTranslation;
        if (!table.Pte.Present || table.Pte.Attribute != MemoryAttribute.WB || !table.Pte.Accessed)
            return Walk.Abort;
        if ((psr & PsrBits.Pk) != 0 && Protection.CheckKey(m, table.Key, AccessKind.Read) != TranslationOutcome.Ok)
            return Walk.Abort;
        int size = isLong ? 32 : 8;
        if ((psr & PsrBits.Db) != 0 && Protection.DebugMatches(m, iha, size, AccessKind.Read, 0))
            return Walk.Abort;
        // Aligned to its size, so it does not leave the page.
        ulong address = table.Pte.Translate(iha, table.Shift);
        if (memory.Map is { } map)
            address = map.Translate(address, FrameCacher.Of(m->Paravirtual.Cacher), writes: false, out _);
        if (!memory.IsRam(address, (ulong)size))
            return Walk.Abort;

        var words = (ulong*)(memory.Base + address);
        ulong region = MmuState.RegionRegister(m, va);
        ulong itir = region & 0xffff_fffc;
        Pte pte;
        if (isLong)
        {
            // Other processors may rewrite the entry: software sets the tag invalid before and right after, so it is read on both sides.
            ulong tag = Read(words + 2, dcr);
            pte = new Pte(Read(words, dcr));
            itir = Read(words + 1, dcr);
            if (tag != Ttag(m, va) || Read(words + 2, dcr) != tag)
                return Walk.Abort;
        }
        else
        {
            pte = new Pte(Read(words, dcr));
        }
        if (Tlb.IsReserved(itir, pte))
            return Walk.Abort;

        pte = pte.NoMorePrivilegedThan(m->Paravirtual.Level);
        int shift = Tlb.PageShift(itir);
        uint rid = (uint)region >> 8, key = Tlb.Key(itir);
        entry = new TlbEntry(va & PageSizes.Mask(shift), rid, shift, pte, key);
        // Not-present entries are reported and not kept: software need not purge after it made the page present.
        if (!pte.Present)
            return Walk.Found;
        // A walker never puts in what overlaps a translation register.
        if (Tlb.Overlaps(fetch ? &m->Itr : &m->Dtr, va, rid, shift))
            return Walk.Abort;
        TranslationCache* cache = fetch ? &m->Itc : &m->Dtc;
        TranslationCache.Use(cache, Tlb.Cache(m, cache, va, rid, shift, pte, key));
        return Walk.Found;
    }

    private static ulong Read(ulong* word, ulong dcr)
    {
        ulong value = Volatile.Read(ref *word);
        return (dcr & PsrBits.DcrBe) != 0 ? BinaryPrimitives.ReverseEndianness(value) : value;
    }
}
