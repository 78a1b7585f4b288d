using System.Runtime.CompilerServices;

namespace FastXen.Mmu;

/// <summary>
/// The engines' TLB for loads and stores: what the architected TLB says, made cheap. An access that hits needs no check at all;
/// one that misses takes the slow path (<see cref="AddressTranslation.Resolve"/>, then <see cref="Fill"/>).
/// </summary>
/// <remarks>
/// Only write-back RAM is filled, and only for accesses that rights, keys, access and dirty bits allow. While PSR.db is set nothing is.
/// A page that may be written may be read, so that semaphores need one look at <see cref="FastEntry.WriteTag"/>.
/// </remarks>
public static unsafe class FastTlb
{
    private const ulong PageMask = ~0xfffUL;

    /// <summary>
    /// Follows a change of PSR (cpl, dt, it, rt, pk, db) or of RSC.pl: a few pointer writes.
    /// Call before the first reference in the new mode.
    /// </summary>
    public static void SelectMode(MmuState* m, ulong psr, int rsePrivilege)
    {
        int cpl = (int)(psr >> PsrBits.CplShift) & 3;
        m->Data = FastTables.Set(&m->Fast, Mode(psr, PsrBits.Dt, cpl));
        m->Rse = FastTables.Set(&m->Fast, Mode(psr, PsrBits.Rt, rsePrivilege & 3));
        CodeTlb.SelectMode(m, psr, cpl);
    }

    /// <summary>Until the next <see cref="SelectMode"/> every data reference takes the slow path (big-endian ones).</summary>
    public static void DisableData(MmuState* m) => m->Data = FastTables.Set(&m->Fast, FastTables.DisabledMode);

    /// <summary>Until the next <see cref="SelectMode"/> every RSE reference takes the slow path.</summary>
    public static void DisableRse(MmuState* m) => m->Rse = FastTables.Set(&m->Fast, FastTables.DisabledMode);

    /// <summary>Host address of a load of <paramref name="size"/> bytes (a power of 2 up to 16), or null: take the slow path.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static byte* TryRead(MmuState* m, ulong va, int size) => TryRead(m->Data, va, size);

    /// <summary>Host address of a store or semaphore of <paramref name="size"/> bytes (a power of 2 up to 16), or null: take the slow path.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static byte* TryWrite(MmuState* m, ulong va, int size) => TryWrite(m->Data, va, size);

    /// <summary>As <see cref="TryRead(MmuState*, ulong, int)"/> with the tables of <see cref="MmuState.Data"/> or <see cref="MmuState.Rse"/>.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static byte* TryRead(FastEntry** tables, ulong va, int size)
    {
        FastEntry* entry = tables[va >> 61] + (va >> FastTables.PageShift & (FastTables.TableEntries - 1));
        // A misaligned address keeps a low bit, which no tag has.
        return (va & (PageMask | (ulong)(uint)(size - 1))) == entry->ReadTag ? (byte*)(va + entry->Addend) : null;
    }

    /// <summary>As <see cref="TryWrite(MmuState*, ulong, int)"/> with the tables of <see cref="MmuState.Data"/> or <see cref="MmuState.Rse"/>.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static byte* TryWrite(FastEntry** tables, ulong va, int size)
    {
        FastEntry* entry = tables[va >> 61] + (va >> FastTables.PageShift & (FastTables.TableEntries - 1));
        return (va & (PageMask | (ulong)(uint)(size - 1))) == entry->WriteTag ? (byte*)(va + entry->Addend) : null;
    }

    /// <summary>
    /// Remembers a page after <see cref="AddressTranslation.Resolve"/> said Ok for an access through <paramref name="tables"/>
    /// (<see cref="MmuState.Data"/> or <see cref="MmuState.Rse"/>) in the mode that is selected. Does nothing where a page must not be remembered.
    /// </summary>
    public static void Fill(MmuState* m, PhysicalMemory memory, FastEntry** tables, ulong va, in Translation t)
    {
        ulong physical = t.PhysicalAddress & PageMask;
        if (t.Attribute != MemoryAttribute.WB || !memory.IsRam(physical, ~PageMask + 1))
            return;
        int mode = FastTables.ModeOf(&m->Fast, tables);
        bool write = true;
        if (mode < FastTables.VirtualModes)
        {
            int privilege = mode & 3;
            bool keys = (mode & 4) != 0 && !t.Unkeyed;
            if (!t.Pte.Accessed || !Allowed(m, t, AccessKind.Read, privilege, keys))
                return;
            write = t.Pte.Dirty && Allowed(m, t, AccessKind.ReadWrite, privilege, keys);
        }
        write &= !t.ReadOnlyFrame;
        FastEntry* table = FastTables.Attach(&m->Fast, mode, (int)(va >> 61), MmuState.RegionId(m, va));
        if (table == null)
            return;
        ulong page = va & PageMask;
        int index = (int)(va >> FastTables.PageShift) & (FastTables.TableEntries - 1);
        FastTables.Touch(&m->Fast, table, index);
        FastEntry* entry = table + index;
        entry->ReadTag = page;
        entry->WriteTag = write ? page : FastEntry.Invalid;
        entry->Addend = (ulong)memory.Base + physical - page;
        entry->PhysicalPage = physical;
    }

    /// <summary>Forgets everything, physical pages included: the domain's memory map changed, or PAL asked.</summary>
    public static void Clear(MmuState* m)
    {
        m->DataVersion++;
        FastTables.Clear(&m->Fast);
        CodeTlb.Clear(m);
    }

    /// <summary>Forgets what the vCPU may have kept of a frame that is gone.</summary>
    public static void Forget(MmuState* m, FrameCacher cacher)
    {
        if (!cacher.IsPlace)
        {
            Clear(m);
            return;
        }

        m->DataVersion++;
        FastTables.ForgetPlace(&m->Fast, cacher.Region, cacher.FirstEntry, FrameCacher.Entries);
    }

    /// <summary>A region register got another region identifier.</summary>
    internal static void RegionChanged(MmuState* m, int region)
    {
        m->CodeVersion++;
        m->DataVersion++;
        FastTables.Detach(&m->Fast, region);
        FastTables.AttachKnown(&m->Fast, region, (uint)m->Rr[region] >> 8);
    }

    /// <summary>A protection key register changed.</summary>
    internal static void KeysChanged(MmuState* m)
    {
        m->DataVersion++;
        FastTables.Discard(&m->Fast, 0xf0);
        CodeTlb.Clear(m);
    }

    /// <summary>A translation left the data TLB.</summary>
    internal static void Purge(MmuState* m, in TlbEntry entry)
    {
        m->DataVersion++;
        FastTables.Purge(&m->Fast, entry.Offset, entry.Rid, entry.Shift);
    }

    /// <summary>All translations left the translation caches.</summary>
    internal static void PurgeAll(MmuState* m)
    {
        m->DataVersion++;
        FastTables.Discard(&m->Fast, (1 << FastTables.VirtualModes) - 1);
        CodeTlb.Clear(m);
    }

    private static bool Allowed(MmuState* m, in Translation t, AccessKind kind, int privilege, bool keys) =>
        Protection.Allows(t.Pte.Rights, t.Pte.Privilege, privilege, kind)
        && (!keys || Protection.CheckKey(m, t.Key, kind) == TranslationOutcome.Ok);

    private static int Mode(ulong psr, ulong translated, int privilege) =>
        (psr & PsrBits.Db) != 0 ? FastTables.DisabledMode
        : (psr & translated) == 0 ? FastTables.PhysicalMode
        : ((psr & PsrBits.Pk) != 0 ? 4 : 0) | privilege;
}
