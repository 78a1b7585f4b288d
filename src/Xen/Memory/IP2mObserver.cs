namespace FastXen.Xen.Memory;

/// <summary>A translation that is gone. <paramref name="CachedBy"/> names the only TLB slot that may hold it, or <see cref="Many"/>.</summary>
public readonly record struct P2mChange(ulong Gpfn, uint CachedBy)
{
    /// <summary>Any TLB of the domain may hold the translation: flush them.</summary>
    public const uint Many = P2mSlot.CachedByMany;

    /// <summary>No TLB holds the translation.</summary>
    public const uint Nobody = P2mSlot.NotCached;
}

/// <summary>The TLBs of a domain, as its memory sees them.</summary>
public interface IP2mObserver
{
    /// <summary>
    /// Called after translations changed, by the thread that changed them. On return no vCPU of the domain can use an old one: the frames
    /// behind them may go to somebody else. At most <see cref="DomainMemory.MaximumBatch"/> at once.
    /// </summary>
    void Changed(ReadOnlySpan<P2mChange> changes);
}
