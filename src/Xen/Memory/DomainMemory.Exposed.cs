namespace FastXen.Xen.Memory;

// The P2M as guests read it (arch-ia64.h, expose_p2m): a page table's lowest level, one word for each frame number of the arena.
public sealed unsafe partial class DomainMemory
{
    /// <summary>Frame numbers of one page of the table.</summary>
    public const ulong FramesPerTable = Frame.Size / sizeof(ulong);

    // Present, accessed, dirty, privilege level 2, access rights 3: what a page table of Linux's has.
    private const ulong Leaf = 1 | 1 << 5 | 1 << 6 | 2 << 7 | 3 << 9;

    private readonly Lock exposing = new();
    private nint exposed;

    private int ExposedFrames => (int)((arenaFrames + FramesPerTable - 1) / FramesPerTable);

    /// <summary>
    /// The page of the table that describes <paramref name="first"/> and the numbers behind it, a multiple of <see cref="FramesPerTable"/>; null where none of them
    /// has a frame of the domain's. It follows the domain's memory from now on, and stays for as long as the domain.
    /// </summary>
    internal byte* ExposedTable(ulong first)
    {
        if (first >= arenaFrames)
            return null;
        lock (exposing)
        {
            if (exposed == 0)
                Volatile.Write(ref exposed, (nint)HostPages.Allocate(ExposedFrames));
        }

        // Changes write their word themselves; those from before did not.
        Interlocked.MemoryBarrier();
        for (ulong gpfn = first; gpfn < Math.Min(first + FramesPerTable, arenaFrames); gpfn++)
            Expose(gpfn);
        return HostPages.Align((byte*)exposed) + first * sizeof(ulong);
    }

    // Behind a change of the number's entry: whoever is last writes what is there.
    private void Expose(ulong gpfn)
    {
        nint table = Volatile.Read(ref exposed);
        if (table == 0 || gpfn >= arenaFrames)
            return;
        ref ulong word = ref ((ulong*)HostPages.Align((byte*)table))[gpfn];
        P2mEntry entry;
        do
        {
            entry = Lookup(gpfn);
            ulong mfn = entry.Host == null ? Frame.Invalid : MachineFrameOf(gpfn);
            Volatile.Write(ref word, mfn == Frame.Invalid ? 0 : mfn << Frame.Shift | Leaf);
            Interlocked.MemoryBarrier();
        }
        while (Lookup(gpfn).Word != entry.Word);
    }

    private void FreeExposed()
    {
        if (exposed != 0)
            HostPages.Free((byte*)exposed, ExposedFrames);
    }
}
