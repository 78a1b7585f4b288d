namespace FastXen.Xen.Memory;

/// <summary>
/// Frames of other domains, and pages of the hypervisor's tables, that are mapped in a domain at numbers of its choice (dom0vp_op). What is mapped is pinned: it outlives
/// its removal from its domain, and the domain itself.
/// </summary>
public sealed unsafe class ForeignMappings
{
    private readonly DomainMemory _memory;
    private readonly Lock _gate = new();
    // Never held while vCPUs are waited for.
    private readonly Dictionary<ulong, Mapping> _mappings = [];

    private readonly int _limit;

    internal ForeignMappings(DomainMemory memory, int limit)
    {
        _memory = memory;
        _limit = limit;
    }

    // Without a host address: on its way. Pinned: the frame Gpfn of Owner. Otherwise a page of a table that Owner keeps, or, without an owner, one that is always there.
    private readonly record struct Mapping(nint Host, DomainMemory? Owner, ulong Gpfn, bool IsPinned, bool IsWritable);

    /// <summary>How many there are.</summary>
    public int Count
    {
        get { lock (_gate) return _mappings.Count; }
    }

    /// <summary>
    /// Maps an own frame of another domain at <paramref name="gpfn"/>; a frame of this one's that is there is freed, another such mapping ends. False when there is no
    /// such frame, or something else is at the number. The caller has entered the owner's memory.
    /// </summary>
    public bool Map(ulong gpfn, DomainMemory owner, ulong ownerGpfn, bool writable)
    {
        if (!owner.TryPin(ownerGpfn, out byte* host))
            return false;
        Unmap(gpfn);
        if (Enter(gpfn, new Mapping((nint)host, owner, ownerGpfn, IsPinned: true, writable)))
            return true;
        owner.Unpin(ownerGpfn);
        return false;
    }

    /// <summary>
    /// Maps a page of a table, for reading, where nothing is; true also where it is mapped already. <paramref name="owner"/>: the domain's memory that keeps the page, which
    /// the caller has entered; null for one that is always there.
    /// </summary>
    internal bool MapTable(ulong gpfn, byte* page, DomainMemory? owner)
    {
        P2mEntry there = _memory.Lookup(gpfn);
        if (there.Kind != FrameKind.Hole)
            return there.Kind == FrameKind.Foreign && there.Host == page;
        DomainMemory? other = owner == _memory ? null : owner;
        if (other != null && !other.TryEnter())
            return false;
        if (Enter(gpfn, new Mapping((nint)page, other, 0, IsPinned: false, IsWritable: false)))
            return true;
        other?.Leave();
        return false;
    }

    /// <summary>Ends a mapping: when it returns no vCPU can use it any more. False where there is none.</summary>
    public bool Unmap(ulong gpfn)
    {
        Mapping mapping;
        lock (_gate)
        {
            if (!_mappings.TryGetValue(gpfn, out mapping) || mapping.Host == 0)
                return false;
            _mappings.Remove(gpfn);
        }

        if (!_memory.Unmap(gpfn, FrameKind.Foreign, (byte*)mapping.Host, out P2mChange change))
            return false;
        _memory.Tell(new ReadOnlySpan<P2mChange>(in change));
        Forget(mapping);
        return true;
    }

    /// <summary>Ends all mappings of a domain whose vCPUs have stopped.</summary>
    internal void UnmapAll()
    {
        ulong[] all;
        lock (_gate)
            all = [.. _mappings.Keys];
        foreach (ulong gpfn in all)
            Unmap(gpfn);
    }

    // The place is taken first; until the frame is there nobody can end the mapping.
    private bool Enter(ulong gpfn, Mapping mapping)
    {
        lock (_gate)
        {
            if (_mappings.Count >= _limit || !_mappings.TryAdd(gpfn, default))
                return false;
        }

        bool isMapped = _memory.Map(gpfn, FrameKind.Foreign, (byte*)mapping.Host, mapping.IsWritable);
        lock (_gate)
        {
            if (isMapped)
                _mappings[gpfn] = mapping;
            else
                _mappings.Remove(gpfn);
        }

        return isMapped;
    }

    private static void Forget(Mapping mapping)
    {
        if (mapping.Owner is not { } owner)
            return;
        if (!mapping.IsPinned)
        {
            owner.Leave();
            return;
        }

        // What was written may be code of the owner's.
        if (mapping.IsWritable)
            owner.NotifyWritten(mapping.Gpfn);
        owner.Unpin(mapping.Gpfn);
    }
}
