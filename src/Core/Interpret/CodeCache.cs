using System.Runtime.InteropServices;
using FastXen.Core.Decode;
using FastXen.Core.Sharing;

namespace FastXen.Core.Interpret;

/// <summary>
/// The decoded code of a domain by physical page. A page that is given up is not touched before all vCPUs have passed a look-point: they may
/// be executing from it. All but <see cref="FindRecent"/> under the domain's gate.
/// </summary>
internal sealed unsafe class CodeCache : IDisposable
{
    /// <summary>Most pages that are kept decoded (24 KiB each): more than Linux and its user tests run code in (2400), 74 MiB.</summary>
    public const int Capacity = 3072;

    // Pages are looked up at every crossing of a page, without a lock: the ones seen last, by the low bits of their number.
    private const int RecentPages = 1024;
    private readonly nint[] recent = new nint[RecentPages];
    private readonly Dictionary<ulong, nint> pages = [];
    private readonly Stack<nint> free = [];
    private readonly CodeEpochs epochs;
    private readonly Action<nint> giveBack;

    /// <summary>Makes an empty cache.</summary>
    public CodeCache(CodeEpochs epochs)
    {
        this.epochs = epochs;
        giveBack = free.Push;
    }

    /// <summary>Pages in use.</summary>
    public int Count => pages.Count;

    /// <summary>True when there is no room for one more page.</summary>
    public bool IsFull => pages.Count >= Capacity;

    /// <summary>Slots of a page that was used not long ago, or null. Any thread of a vCPU that runs.</summary>
    public Instruction* FindRecent(ulong physical)
    {
        var page = (Instruction*)Volatile.Read(ref recent[Place(physical)]);
        return page != null && CodePage.PhysicalOf(page) == physical ? page : null;
    }

    /// <summary>Slots of a page, or null.</summary>
    public Instruction* Find(ulong physical) => (Instruction*)pages.GetValueOrDefault(physical);

    /// <summary>Slots of a page, made undecoded where there are none. There is room for it.</summary>
    public Instruction* Page(ulong physical)
    {
        if (!pages.TryGetValue(physical, out nint page))
        {
            page = free.Count > 0 ? free.Pop() : (nint)NativeMemory.AlignedAlloc((nuint)(CodePage.Slots * sizeof(Instruction)), 64);
            CodePage.Clear((Instruction*)page, physical);
            pages.Add(physical, page);
        }

        Volatile.Write(ref recent[Place(physical)], page);
        return (Instruction*)page;
    }

    /// <summary>Takes a page out of the tables; false where there is none. An epoch is to begin.</summary>
    public bool TakeOut(ulong physical)
    {
        if (!pages.Remove(physical, out nint page))
            return false;
        epochs.Retire(giveBack, page);
        if (recent[Place(physical)] == page)
            Volatile.Write(ref recent[Place(physical)], 0);
        return true;
    }

    /// <summary>Takes all pages out of the tables. An epoch is to begin.</summary>
    public void TakeOutAll()
    {
        foreach (nint page in pages.Values)
            epochs.Retire(giveBack, page);
        pages.Clear();
        Array.Clear(recent);
    }

    private static int Place(ulong physical) => (int)(physical >> 12) & (RecentPages - 1);

    /// <summary>Frees all pages; no vCPU runs any more.</summary>
    public void Dispose()
    {
        TakeOutAll();
        epochs.Begin();
        while (free.TryPop(out nint page))
            NativeMemory.AlignedFree((void*)page);
    }
}
