using System.Runtime.InteropServices;
using FastXen.Core.Decode;

namespace FastXen.Core.Interpret;

/// <summary>
/// The decoded code of one vCPU by physical page. Bounded: when <see cref="Capacity"/> pages are in use, all of them are reused.
/// Code is forgotten where fc.i, fc or a device wrote (SDM vol 1, 4.4.6.2: other writes need not be noticed).
/// </summary>
public sealed unsafe class CodeCache : IDisposable
{
    /// <summary>Most pages that are kept decoded (24 KiB each): more than Linux and its user tests run code in (2400), 74 MiB.</summary>
    public const int Capacity = 3072;

    // Pages are looked up at every crossing of a page: the ones seen last, by the low bits of their number.
    private const int RecentPages = 1024;
    private readonly (ulong Physical, nint Slots)[] recent = new (ulong, nint)[RecentPages];
    private readonly Dictionary<ulong, nint> pages = [];
    private readonly Stack<nint> free = [];

    /// <summary>Raised when decoded pages were dropped, so that the vCPU looks its current page up again.</summary>
    public event Action? Dropped;

    /// <summary>Raised with the physical address of each page of which bundles were forgotten.</summary>
    public event Action<ulong>? Forgotten;

    /// <summary>Makes an empty cache.</summary>
    public CodeCache() => ForgetRecent();

    /// <summary>Slots of the page at <paramref name="physical"/> (4 KiB aligned), made undecoded where there are none.</summary>
    public Instruction* Page(ulong physical)
    {
        ref (ulong Physical, nint Slots) place = ref recent[(int)(physical >> 12) & (RecentPages - 1)];
        if (place.Physical != physical)
            place = (physical, (nint)Find(physical));
        return (Instruction*)place.Slots;
    }

    private Instruction* Find(ulong physical)
    {
        if (pages.TryGetValue(physical, out nint known))
            return (Instruction*)known;
        if (pages.Count >= Capacity)
            Clear();
        nint page = free.Count > 0 ? free.Pop() : (nint)NativeMemory.AlignedAlloc((nuint)(CodePage.Slots * sizeof(Instruction)), 64);
        CodePage.Clear((Instruction*)page);
        pages.Add(physical, page);
        return (Instruction*)page;
    }

    /// <summary>Forgets decoded bundles in [address, address + length).</summary>
    public void Forget(ulong address, ulong length)
    {
        if (length == 0)
            return;
        ulong last = address + length - 1;
        for (ulong page = address & ~0xFFFUL; page <= last; page += CodePage.Size)
        {
            if (!pages.TryGetValue(page, out nint slots))
                continue;
            int first = page >= address ? 0 : (int)(address - page) >> 4;
            int end = last - page >= CodePage.Size ? CodePage.Size / 16 : ((int)(last - page) >> 4) + 1;
            CodePage.Forget((Instruction*)slots, first, end - first);
            Forgotten?.Invoke(page);
        }
    }

    /// <summary>Forgets everything.</summary>
    public void Clear()
    {
        foreach (nint page in pages.Values)
            free.Push(page);
        pages.Clear();
        ForgetRecent();
        Dropped?.Invoke();
    }

    // No page has an odd address.
    private void ForgetRecent() => Array.Fill(recent, (CodePage.NoAddress, 0));

    /// <inheritdoc/>
    public void Dispose()
    {
        Clear();
        while (free.TryPop(out nint page))
            NativeMemory.AlignedFree((void*)page);
    }
}
