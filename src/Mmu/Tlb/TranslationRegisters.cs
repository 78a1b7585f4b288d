using System.Numerics;
using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace FastXen.Mmu;

/// <summary>The instruction or the data translation registers: pinned by software, searched by vector compares.</summary>
public unsafe struct TranslationRegisters
{
    /// <summary>Slots implemented.</summary>
    public const int Slots = 64;
    private const ulong Empty = ~0UL;

    // Structure of arrays. An empty slot has a Rid that no region has.
    private fixed ulong _base[Slots];
    private fixed ulong _mask[Slots];
    private fixed ulong _rid[Slots];
    private fixed ulong _pte[Slots];
    private fixed uint _key[Slots];
    private fixed byte _shift[Slots];
    // Slots at and above are empty; a multiple of the vector's length.
    private int _used;

    internal static void Clear(TranslationRegisters* t)
    {
        t->_used = Slots;
        for (int slot = 0; slot < Slots; slot++)
            Remove(t, slot);
    }

    /// <summary>The slot that translates an address, or -1.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal static int Find(TranslationRegisters* t, ulong offset, uint rid) => FirstOverlap(t, offset, ~0UL, rid, 0);

    /// <summary>The first slot from <paramref name="from"/> on that has a byte in common with the range, or -1. The range is of <paramref name="mask"/>'s size.</summary>
    internal static int FirstOverlap(TranslationRegisters* t, ulong offset, ulong mask, uint rid, int from)
    {
        Vector256<ulong> o = Vector256.Create(offset), m = Vector256.Create(mask), r = Vector256.Create((ulong)rid);
        for (int i = from & ~3; i < t->_used; i += 4)
        {
            Vector256<ulong> differ = (Vector256.Load(t->_base + i) ^ o) & Vector256.Load(t->_mask + i) & m;
            Vector256<ulong> hit = Vector256.Equals(differ, Vector256<ulong>.Zero) & Vector256.Equals(Vector256.Load(t->_rid + i), r);
            uint hits = hit.ExtractMostSignificantBits();
            if (i < from)
                hits &= 0xfu << (from - i);
            if (hits != 0)
                return i + BitOperations.TrailingZeroCount(hits);
        }
        return -1;
    }

    internal static void Set(TranslationRegisters* t, int slot, ulong offset, uint rid, int shift, Pte pte, uint key)
    {
        ulong mask = PageSizes.Mask(shift);
        t->_base[slot] = offset & mask;
        t->_mask[slot] = mask;
        t->_rid[slot] = rid;
        t->_pte[slot] = pte.Value;
        t->_key[slot] = key;
        t->_shift[slot] = (byte)shift;
        t->_used = Math.Max(t->_used, (slot | 3) + 1);
    }

    internal static void Remove(TranslationRegisters* t, int slot)
    {
        t->_rid[slot] = Empty;
        t->_base[slot] = t->_mask[slot] = t->_pte[slot] = 0;
        t->_key[slot] = 0;
        t->_shift[slot] = 0;
        while (t->_used > 0 && t->_rid[t->_used - 1] == Empty && t->_rid[t->_used - 2] == Empty
            && t->_rid[t->_used - 3] == Empty && t->_rid[t->_used - 4] == Empty)
            t->_used -= 4;
    }

    internal static bool IsEmpty(TranslationRegisters* t, int slot) => t->_rid[slot] == Empty;

    internal static TlbEntry Entry(TranslationRegisters* t, int slot) =>
        new(t->_base[slot], (uint)t->_rid[slot], t->_shift[slot], new Pte(t->_pte[slot]), t->_key[slot]);

    /// <summary>The contents of a slot, or null when it is empty (PAL_VM_TR_READ, dumps).</summary>
    public static TlbEntry? Read(TranslationRegisters* t, int slot) =>
        (uint)slot < Slots && !IsEmpty(t, slot) ? Entry(t, slot) : null;
}

/// <summary>One translation: <paramref name="Offset"/> is the page's address in its region (61 bits).</summary>
public readonly record struct TlbEntry(ulong Offset, uint Rid, int Shift, Pte Pte, uint Key);
