using System.Runtime.CompilerServices;

namespace FastXen.Mmu;

/// <summary>Storage of the <see cref="CodeTlb"/>.</summary>
internal unsafe struct CodeTable
{
    public const int Entries = 256;
    // CodeEntry is four words.
    public fixed ulong Words[Entries * 4];
}

/// <summary>The engines' TLB for instruction fetch: virtual page to physical page, for those pages that may be executed in the mode that is selected.</summary>
public static unsafe class CodeTlb
{
    // CodeEntry.Space: rid 31:8; mode 7:0 = cpl 1:0, pk 2, physical 4, and 5 for PSR.db, with which nothing is remembered.
    private const ulong Pk = 1 << 2, Physical = 1 << 4, Disabled = 1 << 5;
    private const ulong PageMask = ~0xfffUL;

    /// <summary>The entry of the page that holds <paramref name="va"/>, or null: take the slow path.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static CodeEntry* Find(MmuState* m, ulong va)
    {
        CodeEntry* entry = Slot(m, va);
        return entry->Tag == (va & PageMask) && entry->Space == Space(m, va) ? entry : null;
    }

    /// <summary>Remembers a page after <see cref="AddressTranslation.Resolve"/> said Ok for a fetch in the mode that is selected. RAM only.</summary>
    public static void Fill(MmuState* m, PhysicalMemory memory, ulong va, in Translation t)
    {
        bool physicalMode = (m->CodeMode & Physical) != 0;
        ulong physical = t.PhysicalAddress & PageMask;
        if ((m->CodeMode & Disabled) != 0 || !physicalMode && !t.Pte.Accessed || !memory.IsRam(physical, ~PageMask + 1))
            return;
        CodeEntry* entry = Slot(m, va);
        entry->Tag = va & PageMask;
        entry->Space = Space(m, va);
        entry->PhysicalPage = physical;
        entry->Pte = t.Pte;
    }

    internal static void SelectMode(MmuState* m, ulong psr, int cpl)
    {
        ulong mode = (psr & PsrBits.It) == 0 ? Physical : (psr & PsrBits.Pk) != 0 ? Pk | (uint)cpl : (uint)cpl;
        m->CodeMode = (psr & PsrBits.Db) != 0 ? mode | Disabled : mode;
    }

    /// <summary>What names the address space and mode of a region for code: equal values mean equal mappings, until a purge.</summary>
    public static ulong SpaceOf(MmuState* m, int region) => Space(m, (ulong)region << 61);

    /// <summary>Changes (24 bits) with every purge of an instruction translation that the region may have used: what was found before must be looked up again.</summary>
    public static ulong PurgesOf(MmuState* m, int region)
    {
        uint purges = m->CodePurges;
        if ((m->CodeMode & Physical) == 0)
            purges += m->SpacePurges[(m->Rr[region] >> 8) & (PurgeCounters - 1)];
        return purges & 0xff_ffff;
    }

    /// <summary>Purges are counted by the low bits of the region identifier.</summary>
    internal const int PurgeCounters = 256;

    internal static void Clear(MmuState* m)
    {
        m->CodeVersion++;
        m->CodePurges++;
        ForgetAll(m);
    }

    private static void ForgetAll(MmuState* m) => new Span<ulong>(m->Code.Words, CodeTable.Entries * 4).Fill(FastEntry.Invalid);

    /// <summary>A translation left the instruction TLB.</summary>
    internal static void Purge(MmuState* m, in TlbEntry t)
    {
        m->CodeVersion++;
        m->SpacePurges[t.Rid & (PurgeCounters - 1)]++;
        ulong mask = PageSizes.Mask(t.Shift);
        var entry = (CodeEntry*)m->Code.Words;
        for (int i = 0; i < CodeTable.Entries; i++, entry++)
        {
            if (((entry->Tag ^ t.Offset) & mask) == 0 && entry->Space >> 8 == t.Rid)
                entry->Tag = FastEntry.Invalid;
        }
    }

    private static CodeEntry* Slot(MmuState* m, ulong va) => (CodeEntry*)m->Code.Words + (va >> 12 & (CodeTable.Entries - 1));

    // In physical mode there is no region.
    private static ulong Space(MmuState* m, ulong va) =>
        (m->CodeMode & Physical) != 0 ? m->CodeMode : (m->Rr[va >> 61] & 0xffff_ff00) | m->CodeMode;
}
