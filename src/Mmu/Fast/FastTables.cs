using System.Numerics;
using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;

namespace FastXen.Mmu;

/// <summary>
/// The pool of fast tables and who uses them. A table belongs to one region identifier, region number and mode, and outlives
/// a change of the region register, so that a return to the address space finds it as it was.
/// </summary>
/// <remarks>
/// Invariant: every entry of a virtual table is backed by a translation that is now in the data TLB; every pointer of every
/// set points to a table, the empty one where none is attached.
/// </remarks>
public unsafe struct FastTables
{
    internal const int Tables = 96;
    internal const int PageShift = 12;
    /// <summary>Entries of a table.</summary>
    public const int TableEntries = 1024;
    // Modes: privilege level (bits 1:0) and PSR.pk (bit 2); physical; and the one in which every access takes the slow path.
    internal const int VirtualModes = 8, PhysicalMode = 8, DisabledMode = 9, Modes = 10;
    private const uint NoOwner = ~0u;
    private const int BlockEntries = TableEntries / 64;

    // Pointers to tables: 8, by region number, for each mode.
    private fixed ulong _sets[Modes * 8];
    // Whose a table is: rid 31:8, region number 5:3, mode 2:0.
    private fixed uint _owner[Tables];
    private fixed ulong _lastUse[Tables];
    // Blocks of entries of each table (a bit each) that may hold something, so that a table is emptied at the cost of what is in it.
    private fixed ulong _filled[Tables + 2];
    private ulong _clock;
    private FastEntry* _pool;

    private static FastEntry* Empty(FastTables* f) => f->_pool + Tables * TableEntries;
    private static FastEntry* Physical(FastTables* f) => f->_pool + (Tables + 1) * TableEntries;
    private static FastEntry* Table(FastTables* f, int table) => f->_pool + table * TableEntries;

    /// <summary>The 8 table pointers of a mode.</summary>
    internal static FastEntry** Set(FastTables* f, int mode) => (FastEntry**)f->_sets + mode * 8;

    internal static int ModeOf(FastTables* f, FastEntry** set) => (int)(set - (FastEntry**)f->_sets) / 8;

    internal static void Allocate(FastTables* f)
    {
        f->_pool = (FastEntry*)NativeMemory.AlignedAlloc((nuint)((Tables + 2) * TableEntries * sizeof(FastEntry)), 4096);
        // Nobody knows what is in fresh memory.
        new Span<ulong>(f->_filled, Tables + 2).Fill(~0UL);
        Invalidate(f, Empty(f));
    }

    internal static void Free(FastTables* f) => NativeMemory.AlignedFree(f->_pool);

    /// <summary>Forgets everything.</summary>
    internal static void Clear(FastTables* f)
    {
        for (int i = 0; i < Modes * 8; i++)
            f->_sets[i] = (ulong)Empty(f);
        new Span<uint>(f->_owner, Tables).Fill(NoOwner);
        new Span<ulong>(f->_lastUse, Tables).Clear();
        f->_clock = 0;
        Invalidate(f, Physical(f));
        // Physical addresses that may be cacheable RAM are below 2^50.
        Set(f, PhysicalMode)[0] = Physical(f);
    }

    /// <summary>The table for a page of the given region, attached to its set; null where nothing may be filled.</summary>
    internal static FastEntry* Attach(FastTables* f, int mode, int region, uint rid)
    {
        FastEntry** pointer = Set(f, mode) + region;
        if (mode >= VirtualModes || *pointer != Empty(f))
            return *pointer != Empty(f) ? *pointer : null;
        uint owner = rid << 8 | (uint)region << 3 | (uint)mode;
        int table = new Span<uint>(f->_owner, Tables).IndexOf(owner);
        if (table < 0)
        {
            table = Oldest(f);
            f->_owner[table] = owner;
            Invalidate(f, Table(f, table));
        }
        return *pointer = Table(f, table);
    }

    // The table that has been detached for the longest time. At most 64 are attached, so there is one.
    private static int Oldest(FastTables* f)
    {
        int oldest = -1;
        for (int i = 0; i < Tables; i++)
        {
            uint owner = f->_owner[i];
            if (owner == NoOwner)
                return i;
            if (Set(f, (int)owner & 7)[owner >> 3 & 7] != Table(f, i) && (oldest < 0 || f->_lastUse[i] < f->_lastUse[oldest]))
                oldest = i;
        }
        return oldest;
    }

    /// <summary>Detaches the tables of a region in all modes: its region register changed.</summary>
    internal static void Detach(FastTables* f, int region)
    {
        f->_clock++;
        for (int mode = 0; mode < VirtualModes; mode++)
        {
            FastEntry** pointer = Set(f, mode) + region;
            if (*pointer != Empty(f))
            {
                f->_lastUse[(*pointer - f->_pool) / TableEntries] = f->_clock;
                *pointer = Empty(f);
            }
        }
    }

    /// <summary>Attaches what there is for a region's new identifier, in all modes.</summary>
    internal static void AttachKnown(FastTables* f, int region, uint rid)
    {
        Vector256<uint> wanted = Vector256.Create(rid << 8 | (uint)region << 3);
        for (int i = 0; i < Tables; i += 8)
        {
            Vector256<uint> owners = Vector256.Load(f->_owner + i) & Vector256.Create(~7u);
            for (uint hits = Vector256.Equals(owners, wanted).ExtractMostSignificantBits(); hits != 0; hits &= hits - 1)
            {
                int table = i + BitOperations.TrailingZeroCount(hits);
                if (f->_owner[table] != NoOwner)
                    Set(f, (int)f->_owner[table] & 7)[region] = Table(f, table);
            }
        }
    }

    /// <summary>Forgets the tables of all virtual modes in <paramref name="modes"/> (a bit for each).</summary>
    internal static void Discard(FastTables* f, int modes)
    {
        for (int i = 0; i < Tables; i++)
        {
            if ((modes >> ((int)f->_owner[i] & 7) & 1) != 0)
                f->_owner[i] = NoOwner;
        }
        for (int i = 0; i < VirtualModes * 8; i++)
        {
            if ((modes >> (i / 8) & 1) != 0)
                f->_sets[i] = (ulong)Empty(f);
        }
    }

    /// <summary>Removes a page of 2^<paramref name="shift"/> bytes from all tables of a region identifier.</summary>
    internal static void Purge(FastTables* f, ulong offset, uint rid, int shift)
    {
        for (int i = 0; i < Tables; i += 8)
        {
            Vector256<uint> rids = Vector256.ShiftRightLogical(Vector256.Load(f->_owner + i), 8);
            for (uint hits = Vector256.Equals(rids, Vector256.Create(rid)).ExtractMostSignificantBits(); hits != 0; hits &= hits - 1)
            {
                int table = i + BitOperations.TrailingZeroCount(hits);
                // A table without owner looks like one of region identifier 0xffffff; there is nothing in it that matters.
                Purge(Table(f, table), offset | (ulong)(f->_owner[table] >> 3 & 7) << 61, shift);
            }
        }
    }

    private static void Purge(FastEntry* table, ulong va, int shift)
    {
        ulong mask = ~((1UL << shift) - 1);
        int count = shift - PageShift < 10 ? 1 << (shift - PageShift) : TableEntries;
        // Low pages of a range are consecutive entries; a range of the table's reach or more covers all.
        for (int i = 0, index = (int)(va >> PageShift); i < count; i++, index++)
        {
            FastEntry* entry = table + (index & (TableEntries - 1));
            if (((entry->ReadTag ^ va) & mask) == 0)
                entry->ReadTag = entry->WriteTag = FastEntry.Invalid;
        }
    }

    /// <summary>Removes some consecutive entries, inside of a block, from all tables of a region number.</summary>
    internal static void ForgetPlace(FastTables* f, int region, int first, int count)
    {
        Vector256<uint> wanted = Vector256.Create((uint)region << 3), nobody = Vector256.Create(NoOwner);
        for (int i = 0; i < Tables; i += 8)
        {
            Vector256<uint> owners = Vector256.Load(f->_owner + i);
            Vector256<uint> found = Vector256.Equals(owners & Vector256.Create(7u << 3), wanted) & ~Vector256.Equals(owners, nobody);
            for (uint hits = found.ExtractMostSignificantBits(); hits != 0; hits &= hits - 1)
                Remove(f, i + BitOperations.TrailingZeroCount(hits), first, count);
        }

        // Physical addresses of data have no region; those of a place are found here, too.
        Remove(f, Tables + 1, first, count);
    }

    private static void Remove(FastTables* f, int table, int first, int count)
    {
        if ((f->_filled[table] >> (first / BlockEntries) & 1) == 0)
            return;
        for (FastEntry* entry = Table(f, table) + first, end = entry + count; entry < end; entry++)
            entry->ReadTag = entry->WriteTag = FastEntry.Invalid;
    }

    /// <summary>Says that an entry of a table, at this index, is about to be filled.</summary>
    internal static void Touch(FastTables* f, FastEntry* table, int index) => f->_filled[(table - f->_pool) / TableEntries] |= 1UL << (index / BlockEntries);

    private static void Invalidate(FastTables* f, FastEntry* table)
    {
        ref ulong filled = ref f->_filled[(table - f->_pool) / TableEntries];
        if (filled == ~0UL)
        {
            new Span<byte>(table, TableEntries * sizeof(FastEntry)).Fill(0xff);
            filled = 0;
        }

        for (; filled != 0; filled &= filled - 1)
            new Span<byte>(table + BitOperations.TrailingZeroCount(filled) * BlockEntries, BlockEntries * sizeof(FastEntry)).Fill(0xff);
    }
}
