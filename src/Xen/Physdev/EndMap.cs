using FastXen.Xen.Memory;

namespace FastXen.Xen.Physdev;

/// <summary>A page of a domain's in which it looks whether it has to end an interrupt (physdev.h, <c>pirq_eoi_gmfn</c>): a bit for each pirq.</summary>
internal sealed unsafe class EndMap
{
    private readonly DomainMemory _memory;
    private readonly ulong _gpfn;
    private readonly ulong* _bits;

    // Pinned: it stays where it is, whatever the domain does with its number.
    private EndMap(DomainMemory memory, ulong gpfn, byte* page, bool unmasks)
    {
        _memory = memory;
        _gpfn = gpfn;
        _bits = (ulong*)page;
        Unmasks = unmasks;
    }

    /// <summary>Ending an interrupt unmasks its channel, too (the first version of the operation).</summary>
    public bool Unmasks { get; }

    /// <summary>Takes an own frame as the page; null where the domain has none there.</summary>
    public static EndMap? Open(DomainMemory memory, ulong gpfn, bool unmasks) =>
        memory.TryPin(gpfn, out byte* page) ? new EndMap(memory, gpfn, page, unmasks) : null;

    /// <summary>Says whether an interrupt has to be ended. Not after <see cref="Close"/>.</summary>
    public void Set(int pirq, bool needsEnd)
    {
        ref ulong word = ref _bits[pirq >> 6];
        if (needsEnd)
            Interlocked.Or(ref word, 1UL << pirq);
        else
            Interlocked.And(ref word, ~(1UL << pirq));
    }

    /// <summary>Lets go of the page.</summary>
    public void Close() => _memory.Unpin(_gpfn);
}
