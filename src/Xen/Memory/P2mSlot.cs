namespace FastXen.Xen.Memory;

/// <summary>A place in the P2M table: the translation, who caches it, and the state of the domain's own frame of that number.</summary>
internal struct P2mSlot
{
    /// <summary>No TLB holds the translation.</summary>
    public const uint NotCached = 0;

    /// <summary>More than one TLB slot may hold the translation.</summary>
    public const uint CachedByMany = uint.MaxValue;

    /// <summary>In <see cref="Backing"/>: the frame is the domain's; low bits count pins.</summary>
    public const uint InUse = 1U << 31;

    /// <summary>In <see cref="Backing"/>: the content is being given back to the host.</summary>
    public const uint Discarding = 1U << 30;

    /// <summary>Pins in <see cref="Backing"/> stay below.</summary>
    public const uint PinLimit = 1U << 29;

    /// <summary>A <see cref="P2mEntry"/>.</summary>
    public ulong Mapping;

    /// <summary>Name of the only TLB slot with the translation, or one of the constants.</summary>
    public uint CachedBy;

    /// <summary>
    /// The own frame, whatever is mapped at its number now: 0 when free; with pins it outlives its removal from the domain
    /// (a grant that is still mapped elsewhere), and the number cannot be populated until the last pin is gone.
    /// </summary>
    public uint Backing;
}
