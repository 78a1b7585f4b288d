using System.Runtime.InteropServices;

namespace FastXen.Core.Translate;

/// <summary>What a region is made for. Frame: sof, sol, sor of CFM; bit 31 where rotation bases are not 0.</summary>
internal readonly record struct RegionKey(ulong Ip, ulong PhysicalPage, uint Context, uint Frame);

/// <summary>
/// The regions of a domain by what they were made for: open addressing with linear probes. Finding takes no lock; all else is done by one
/// thread at a time, under the domain's gate.
/// </summary>
/// <remarks>
/// An entry's key is written before its region, and never again while the table is in use: a region that is taken out leaves its key.
/// When these, or the regions, become too many, a new table takes the place of the old one.
/// </remarks>
internal sealed unsafe class RegionTable : IDisposable
{
    private const int Smallest = 1 << 8;

    private struct Entry
    {
        public ulong Ip, PhysicalPage;
        public uint Context, Frame;

        // 0: the entry is free; 1: the region was taken out; otherwise a RegionState or NoCode.
        public nint Region;
    }

    // The entries follow.
    private struct Header
    {
        public uint Mask;
        public fixed uint Unused[15];
    }

    private const nint TakenOut = 1;

    /// <summary>Stands for an entry for which no code can be made.</summary>
    public static readonly RegionState* NoCode = (RegionState*)2;

    private readonly Action<nint> retire;
    private nint table;
    private int used;

    /// <summary>Makes an empty table. <paramref name="retire"/> gets tables that are used no more, for <see cref="Free"/> when nobody reads them.</summary>
    public RegionTable(Action<nint> retire)
    {
        this.retire = retire;
        table = (nint)Allocate(Smallest);
    }

    /// <summary>Regions, and entries without code.</summary>
    public int Count { get; private set; }

    /// <summary>A region, <see cref="NoCode"/>, or null where nothing is known. Any thread of a vCPU that runs; the region may have been taken out just now.</summary>
    public RegionState* Find(in RegionKey key)
    {
        _ = Place((Header*)Volatile.Read(ref table), key, out nint known);
        return known == TakenOut ? null : (RegionState*)known;
    }

    /// <summary>Adds a region, or <see cref="NoCode"/>, whose key is not in the table.</summary>
    public void Add(in RegionKey key, RegionState* region)
    {
        if ((used + 1) * 4L > (Table->Mask + 1) * 3L)
            Rebuild();
        Entry* entry = Place(Table, key, out nint before);
        if (before == 0)
        {
            used++;
            entry->Ip = key.Ip;
            entry->PhysicalPage = key.PhysicalPage;
            entry->Context = key.Context;
            entry->Frame = key.Frame;
        }

        Count++;
        Volatile.Write(ref entry->Region, (nint)region);
    }

    /// <summary>Takes a region out.</summary>
    public void Remove(in RegionKey key)
    {
        Entry* entry = Place(Table, key, out nint before);
        if (before is 0 or TakenOut)
            return;
        Count--;
        Volatile.Write(ref entry->Region, TakenOut);
    }

    /// <summary>Takes all out.</summary>
    public void Clear()
    {
        if (used != 0)
            Replace(Allocate(Smallest), 0);
        Count = 0;
    }

    /// <summary>All regions, without those that have no code.</summary>
    public IEnumerable<nint> Regions()
    {
        for (uint k = 0; k <= MaskOf; k++)
        {
            nint region = RegionAt(k);
            if (region is not (0 or TakenOut) && region != NoCodeAddress)
                yield return region;
        }
    }

    private static nint NoCodeAddress => (nint)NoCode;

    private Header* Table => (Header*)table;

    private uint MaskOf => Table->Mask;

    private nint RegionAt(uint k) => Entries(Table)[k].Region;

    // The key's entry, or the free one at which its search ends (there always is one), and the region that it had.
    private static Entry* Place(Header* table, in RegionKey key, out nint region)
    {
        Entry* entries = Entries(table);
        uint mask = table->Mask;
        for (uint k = Hash(key) & mask; ; k = (k + 1) & mask)
        {
            Entry* entry = entries + k;
            region = Volatile.Read(ref entry->Region);
            if (region == 0 || (entry->Ip == key.Ip && entry->PhysicalPage == key.PhysicalPage && entry->Context == key.Context && entry->Frame == key.Frame))
                return entry;
        }
    }

    private static Entry* Entries(Header* table) => (Entry*)(table + 1);

    // The high half of a product depends on all bits below.
    private static uint Hash(in RegionKey key)
    {
        ulong mixed = (key.Ip >> 4 | key.Ip << 60) ^ key.PhysicalPage << 13 ^ ((ulong)key.Frame << 32 | key.Context) * 0xD6E8_FEB8_6659_FD93;
        return (uint)(mixed * 0x9E37_79B9_7F4A_7C15 >> 32);
    }

    // Room for twice as many as there are.
    private void Rebuild()
    {
        int size = Smallest;
        while (size < 3 * (Count + 1))
            size *= 2;
        Header* larger = Allocate(size);
        int kept = 0;
        Entry* entries = Entries(Table);
        for (uint k = 0; k <= Table->Mask; k++)
        {
            if (entries[k].Region is 0 or TakenOut)
                continue;
            *Place(larger, new RegionKey(entries[k].Ip, entries[k].PhysicalPage, entries[k].Context, entries[k].Frame), out _) = entries[k];
            kept++;
        }

        Replace(larger, kept);
    }

    private void Replace(Header* other, int kept)
    {
        nint old = table;
        Volatile.Write(ref table, (nint)other);
        used = kept;
        retire(old);
    }

    private static Header* Allocate(int entries)
    {
        nuint size = (nuint)(sizeof(Header) + entries * sizeof(Entry));
        var made = (Header*)NativeMemory.AlignedAlloc(size, 64);
        NativeMemory.Clear(made, size);
        made->Mask = (uint)entries - 1;
        return made;
    }

    /// <summary>Frees a table that nobody reads any more.</summary>
    public static void Free(nint old) => NativeMemory.AlignedFree((void*)old);

    /// <summary>Frees the table; no vCPU runs any more.</summary>
    public void Dispose() => Free(table);
}
