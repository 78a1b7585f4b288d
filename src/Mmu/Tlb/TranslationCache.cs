using System.Numerics;
using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace FastXen.Mmu;

/// <summary>
/// The instruction or the data translation cache: set-associative by page number and region identifier, with all page sizes
/// in the same sets. A lookup probes one set for each page size that is in use, with vector compares.
/// </summary>
public unsafe struct TranslationCache
{
    /// <summary>Sets; host code computes the number of one as <see cref="SetOf"/> does.</summary>
    public const int Sets = 256;

    /// <summary>Entries of a set, one behind the other.</summary>
    public const int Ways = 8;

    /// <summary>Entries.</summary>
    public const int Entries = Sets * Ways;

    /// <summary>What a region identifier is multiplied by, of which the highest 8 bits are added to the number of the set.</summary>
    public const uint RidFactor = 0x9e37_79b1;

    // Structure of arrays. _space is rid << 8 | page shift; 0 is an empty entry.
    private fixed ulong _offset[Entries];
    private fixed uint _space[Entries];
    private fixed ulong _pte[Entries];
    private fixed uint _key[Entries];
    // Not 0 where something was translated by the entry: only then others may know of it (fast tables, fetched pages).
    private fixed byte _used[Entries];
    private fixed byte _victim[Sets];
    private fixed int _count[64];
    // Bit n is set where pages of 2^n bytes are held.
    private ulong _sizes;

    /// <summary>Where a cache's arrays lie: page addresses, region identifiers and sizes, translations, keys, and whether they were used.</summary>
    public static (nint Offset, nint Space, nint Pte, nint Key, nint Used) Arrays(TranslationCache* t) =>
        ((nint)t->_offset, (nint)t->_space, (nint)t->_pte, (nint)t->_key, (nint)t->_used);

    /// <summary>The entry that translates an address, or -1.</summary>
    internal static int Find(TranslationCache* t, ulong offset, uint rid)
    {
        for (ulong sizes = t->_sizes; sizes != 0; sizes &= sizes - 1)
        {
            int shift = BitOperations.TrailingZeroCount(sizes);
            int entry = FindExact(t, offset & PageSizes.Mask(shift), rid, shift);
            if (entry >= 0)
                return entry;
        }
        return -1;
    }

    /// <summary>The entry of just this page of a region identifier, or -1.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal static int FindExact(TranslationCache* t, ulong page, uint rid, int shift)
    {
        int first = SetOf(page >> shift, rid) * Ways;
        Vector256<ulong> wanted = Vector256.Create(page);
        uint low = Vector256.Equals(Vector256.Load(t->_offset + first), wanted).ExtractMostSignificantBits();
        uint high = Vector256.Equals(Vector256.Load(t->_offset + first + 4), wanted).ExtractMostSignificantBits();
        uint space = Vector256.Equals(Vector256.Load(t->_space + first), Vector256.Create(rid << 8 | (uint)shift)).ExtractMostSignificantBits();
        uint hits = (low | high << 4) & space;
        return hits != 0 ? first + BitOperations.TrailingZeroCount(hits) : -1;
    }

    // Neighbouring pages go to neighbouring sets; regions are spread by a multiplicative hash.
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static int SetOf(ulong pageNumber, uint rid) =>
        (int)(((uint)(pageNumber ^ pageNumber >> 8 ^ pageNumber >> 16) + (rid * RidFactor >> 24)) & (Sets - 1));

    /// <summary>
    /// An entry that has a byte in common with the range of 2^<paramref name="shift"/> bytes, or -1. <paramref name="previous"/>: what the
    /// call before gave for the same range (that entry has been removed), so that purging many costs one scan; -1 at first.
    /// </summary>
    internal static int FindOverlap(TranslationCache* t, ulong offset, uint rid, int shift, int previous)
    {
        ulong range = PageSizes.Mask(shift);
        // Pages that contain the range: at most one of each size.
        for (ulong sizes = t->_sizes >> shift << shift; sizes != 0; sizes &= sizes - 1)
        {
            int size = BitOperations.TrailingZeroCount(sizes);
            int entry = FindExact(t, offset & PageSizes.Mask(size), rid, size);
            if (entry >= 0)
                return entry;
        }
        // Pages inside of the range: probe a few, or scan all.
        ulong smaller = t->_sizes & ((1UL << shift) - 1);
        if (smaller == 0)
            return -1;
        int smallest = BitOperations.TrailingZeroCount(smaller);
        if (shift - smallest > 5)
            return Scan(t, offset & range, range, rid, previous + 1);
        for (; smaller != 0; smaller &= smaller - 1)
        {
            int size = BitOperations.TrailingZeroCount(smaller);
            for (ulong i = 0; i < 1UL << (shift - size); i++)
            {
                int entry = FindExact(t, (offset & range) + (i << size), rid, size);
                if (entry >= 0)
                    return entry;
            }
        }
        return -1;
    }

    private static int Scan(TranslationCache* t, ulong start, ulong range, uint rid, int from)
    {
        Vector256<ulong> wanted = Vector256.Create(start), mask = Vector256.Create(range);
        for (int i = from & ~7; i < Entries; i += 8)
        {
            uint hits = Vector256.Equals(Vector256.ShiftRightLogical(Vector256.Load(t->_space + i), 8), Vector256.Create(rid)).ExtractMostSignificantBits();
            if (hits == 0)
                continue;
            uint low = Vector256.Equals(Vector256.Load(t->_offset + i) & mask, wanted).ExtractMostSignificantBits();
            uint high = Vector256.Equals(Vector256.Load(t->_offset + i + 4) & mask, wanted).ExtractMostSignificantBits();
            for (hits &= low | high << 4; hits != 0; hits &= hits - 1)
            {
                int entry = i + BitOperations.TrailingZeroCount(hits);
                // Region identifier 0 is also that of empty entries.
                if (!IsEmpty(t, entry))
                    return entry;
            }
        }
        return -1;
    }

    /// <summary>The entry in which the next insertion for this page goes. It may be in use.</summary>
    internal static int Place(TranslationCache* t, ulong offset, uint rid, int shift)
    {
        int set = SetOf((offset & PageSizes.Mask(shift)) >> shift, rid);
        int first = set * Ways;
        uint free = Vector256.Equals(Vector256.Load(t->_space + first), Vector256<uint>.Zero).ExtractMostSignificantBits();
        return first + (free != 0 ? BitOperations.TrailingZeroCount(free) : t->_victim[set]++ % Ways);
    }

    internal static void Set(TranslationCache* t, int entry, ulong offset, uint rid, int shift, Pte pte, uint key)
    {
        t->_offset[entry] = offset & PageSizes.Mask(shift);
        t->_space[entry] = rid << 8 | (uint)shift;
        t->_pte[entry] = pte.Value;
        t->_key[entry] = key;
        t->_used[entry] = 0;
        t->_count[shift]++;
        t->_sizes |= 1UL << shift;
    }

    /// <summary>Gives an entry another translation for its page.</summary>
    internal static void Replace(TranslationCache* t, int entry, Pte pte, uint key)
    {
        t->_pte[entry] = pte.Value;
        t->_key[entry] = key;
        t->_used[entry] = 0;
    }

    /// <summary>Something is being translated by an entry.</summary>
    internal static void Use(TranslationCache* t, int entry) => t->_used[entry] = 1;

    /// <summary>True when something was translated by an entry since it was set.</summary>
    internal static bool IsUsed(TranslationCache* t, int entry) => t->_used[entry] != 0;

    /// <summary>True when an entry's translation is this one.</summary>
    internal static bool Holds(TranslationCache* t, int entry, Pte pte, uint key) => t->_pte[entry] == pte.Value && t->_key[entry] == key;

    internal static bool IsEmpty(TranslationCache* t, int entry) => t->_space[entry] == 0;

    internal static void Remove(TranslationCache* t, int entry)
    {
        int shift = (int)(t->_space[entry] & 0xff);
        t->_space[entry] = 0;
        if (--t->_count[shift] == 0)
            t->_sizes &= ~(1UL << shift);
    }

    internal static void Clear(TranslationCache* t)
    {
        new Span<uint>(t->_space, Entries).Clear();
        new Span<int>(t->_count, 64).Clear();
        t->_sizes = 0;
    }

    internal static TlbEntry Entry(TranslationCache* t, int entry) =>
        new(t->_offset[entry], t->_space[entry] >> 8, (int)(t->_space[entry] & 0xff), new Pte(t->_pte[entry]), t->_key[entry]);

    /// <summary>The contents of an entry, or null when it is empty (comparison of processors, dumps).</summary>
    public static TlbEntry? Read(TranslationCache* t, int entry) => (uint)entry < Entries && !IsEmpty(t, entry) ? Entry(t, entry) : null;
}
