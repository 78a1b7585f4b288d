namespace FastXen.Xen.Memory;

// Frames of others, and device windows, among the domain's frames.
public sealed unsafe partial class DomainMemory
{
    /// <summary>
    /// Maps a frame of another party, which the caller has pinned, at a frame number. An own frame there is released first, as the
    /// interface has it; any other mapping is in the way. <paramref name="kind"/>: Granted or Foreign.
    /// </summary>
    public bool Map(ulong gpfn, FrameKind kind, byte* host, bool writable)
    {
        if (gpfn - Frame.WindowStart < Frame.WindowFrames)
            return false;
        P2mSlot* slot = table.FindOrAdd(gpfn);
        if (slot == null)
            return false;
        if (new P2mEntry(Volatile.Read(ref slot->Mapping)).Kind == FrameKind.Ram)
            Release(gpfn);
        if (!Replace(slot, FrameKind.Hole, null, kind, host, writable))
            return false;
        deviceReach?.Add(host, writable);
        Expose(gpfn);
        return true;
    }

    /// <summary>
    /// Takes a mapping away. False when what is there is not of that kind or not that frame. The frame may be unpinned only after
    /// <paramref name="change"/> was given to <see cref="Tell(ReadOnlySpan{P2mChange})"/>.
    /// </summary>
    public bool Unmap(ulong gpfn, FrameKind kind, byte* host, out P2mChange change)
    {
        P2mSlot* slot = table.Find(gpfn);
        if (slot == null || !Replace(slot, kind, host, FrameKind.Hole, null, false, out P2mEntry old))
        {
            change = default;
            return false;
        }
        Expose(gpfn);
        deviceReach?.Remove(host, old.IsWritable);
        change = new P2mChange(gpfn, TakeCachers(slot));
        return true;
    }

    /// <summary>Makes the vCPUs forget translations; on return none of them can use one.</summary>
    public void Tell(ReadOnlySpan<P2mChange> changes)
    {
        foreach (P2mChange change in changes)
        {
            if (change.CachedBy != P2mSlot.NotCached)
            {
                Observer?.Changed(changes);
                return;
            }
        }
    }

    /// <summary>Shows device registers at a frame number. False when something else is there.</summary>
    public bool AddMmio(ulong gpfn)
    {
        P2mSlot* slot = table.FindOrAdd(gpfn);
        return slot != null && Replace(slot, FrameKind.Hole, null, FrameKind.Mmio, null, true);
    }

    /// <summary>Takes device registers away.</summary>
    public bool RemoveMmio(ulong gpfn)
    {
        P2mSlot* slot = table.Find(gpfn);
        if (slot == null || !Replace(slot, FrameKind.Mmio, null, FrameKind.Hole, null, false))
            return false;
        Tell(slot, gpfn);
        return true;
    }
}
