using System.Runtime.CompilerServices;

namespace FastXen.Mmu;

/// <summary>Memory attributes of a page (manual volume 2, 4.4).</summary>
public enum MemoryAttribute : byte
{
    /// <summary>Write back, cacheable.</summary>
    WB = 0,
    /// <summary>Uncacheable.</summary>
    UC = 4,
    /// <summary>Uncacheable, exported (fetchadd goes to the platform).</summary>
    UCE = 5,
    /// <summary>Write coalescing.</summary>
    WC = 6,
    /// <summary>Not a Thing page: speculative loads give NaT, others fault.</summary>
    NaTPage = 7,
}

/// <summary>
/// The first word of a translation, as itc takes it and as the VHPT holds it (manual volume 2, figure "Translation Insertion Format"):
/// p 0, ma 4:2, a 5, d 6, pl 8:7, ar 11:9, ppn 49:12, ed 52.
/// </summary>
public readonly record struct Pte(ulong Value)
{
    private const ulong Ppn = 0x0003_ffff_ffff_f000;
    private const ulong ReservedWhenPresent = 1UL << 1 | 3UL << 50;

    /// <summary>Present.</summary>
    public bool Present => (Value & 1) != 0;
    /// <summary>Memory attribute.</summary>
    public MemoryAttribute Attribute => (MemoryAttribute)(Value >> 2 & 7);
    /// <summary>Accessed.</summary>
    public bool Accessed => (Value & 1 << 5) != 0;
    /// <summary>Dirty.</summary>
    public bool Dirty => (Value & 1 << 6) != 0;
    /// <summary>Privilege level of the page.</summary>
    public int Privilege => (int)(Value >> 7) & 3;
    /// <summary>Access rights, 0 to 7.</summary>
    public int Rights => (int)(Value >> 9) & 7;
    /// <summary>Exception deferral.</summary>
    public bool Ed => (Value >> 52 & 1) != 0;

    /// <summary>True when a reserved field or encoding is used. A word that is not present has none.</summary>
    public bool IsReserved => Present && ((Value & ReservedWhenPresent) != 0 || (int)Attribute is 1 or 2 or 3);

    /// <summary>The same with a privilege level of <paramref name="level"/> at the least.</summary>
    public Pte NoMorePrivilegedThan(int level) => Privilege >= level ? this : new Pte((Value & ~(3UL << 7)) | (ulong)level << 7);

    /// <summary>Physical address of <paramref name="va"/>, which lies in this page of 2^<paramref name="shift"/> bytes.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public ulong Translate(ulong va, int shift)
    {
        ulong offset = (1UL << shift) - 1;
        return (Value & Ppn & ~offset) | (va & offset);
    }
}
