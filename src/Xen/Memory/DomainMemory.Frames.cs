namespace FastXen.Xen.Memory;

// The domain's own frames: in and out of the domain, and pinned for others.
public sealed unsafe partial class DomainMemory
{
    /// <summary>Most frames that <see cref="Release(ReadOnlySpan{ulong})"/> takes out at once.</summary>
    public const int MaximumBatch = 512;

    /// <summary>
    /// Puts an own, zero-filled frame at its number (populate_physmap). False when there is something already, when the number is
    /// outside of the arena, past <see cref="Maximum"/>, or when the frame that was there last is still mapped by another domain.
    /// </summary>
    public bool Populate(ulong gpfn)
    {
        P2mSlot* slot = gpfn < arenaFrames ? table.FindOrAdd(gpfn) : null;
        if (slot == null || !Reserve())
            return false;
        if (Interlocked.CompareExchange(ref slot->Backing, P2mSlot.InUse, 0) == 0)
        {
            var old = new P2mEntry(Volatile.Read(ref slot->Mapping));
            ulong next = old.Next(FrameKind.Ram, arena.Base + (gpfn << Frame.Shift), writable: true).Word;
            if (old.Kind == FrameKind.Hole && Interlocked.CompareExchange(ref slot->Mapping, next, old.Word) == old.Word)
            {
                Expose(gpfn);
                NoteWritten(gpfn);
                return true;
            }

            // Its part of the budget goes with the frame.
            Abandon(slot, gpfn);
        }
        else
        {
            Budget?.Return(Frame.Size);
        }
        Interlocked.Decrement(ref populated);
        return false;
    }

    /// <summary>Populates the numbers from <paramref name="first"/> on, in a domain that is being made; those where something is stay as they are.</summary>
    public void Populate(ulong first, ulong count)
    {
        for (ulong gpfn = first; gpfn < first + count; gpfn++)
            Populate(gpfn);
    }

    /// <summary>
    /// Takes an own frame out of the domain (decrease_reservation). Its content is lost, at once or when the last pin is undone. False
    /// when there is no own frame.
    /// </summary>
    public bool Release(ulong gpfn)
    {
        if (gpfn >= arenaFrames)
            return false;
        P2mSlot* slot = table.Find(gpfn);
        if (slot == null || !Replace(slot, FrameKind.Ram, null, FrameKind.Hole, null, false))
            return false;
        Expose(gpfn);
        Tell(slot, gpfn);
        Interlocked.Decrement(ref populated);
        Abandon(slot, gpfn);
        return true;
    }

    /// <summary>
    /// As <see cref="Release(ulong)"/>, of at most <see cref="MaximumBatch"/> frames that the vCPUs forget together. Returns how many of the first it took out: the
    /// next one is not an own frame.
    /// </summary>
    public int Release(ReadOnlySpan<ulong> gpfns)
    {
        Span<P2mChange> changes = stackalloc P2mChange[MaximumBatch];
        int done = 0;
        for (; done < gpfns.Length; done++)
        {
            ulong gpfn = gpfns[done];
            P2mSlot* slot = gpfn < arenaFrames ? table.Find(gpfn) : null;
            if (slot == null || !Replace(slot, FrameKind.Ram, null, FrameKind.Hole, null, false))
                break;
            Expose(gpfn);
            changes[done] = new P2mChange(gpfn, TakeCachers(slot));
        }

        Tell(changes[..done]);
        Interlocked.Add(ref populated, -done);
        for (int k = 0; k < done; k++)
            Abandon(table.Find(gpfns[k]), gpfns[k]);
        return done;
    }

    /// <summary>
    /// Puts own, zero-filled frames at the lowest free numbers from <paramref name="from"/> on that begin at a multiple of their count, a power of 2
    /// (increase_reservation). False where there is no room or the domain may not have as many.
    /// </summary>
    public bool PopulateAnywhere(ulong count, ulong from, out ulong first)
    {
        for (first = from; first + count <= arenaFrames; first += count)
        {
            ulong done = 0;
            while (done < count && Populate(first + done))
                done++;
            if (done == count)
                return true;
            Undo(first, done);
            if (Populated + (long)count > Maximum)
                return false;
        }

        return false;
    }

    /// <summary>Populates all of an extent, or nothing of it.</summary>
    public bool PopulateExtent(ulong first, ulong count)
    {
        for (ulong done = 0; done < count; done++)
        {
            if (Populate(first + done))
                continue;
            Undo(first, done);
            return false;
        }

        return true;
    }

    private void Undo(ulong first, ulong count)
    {
        while (count-- > 0)
            Release(first + count);
    }

    /// <summary>Puts one of the hypervisor's pages, zero-filled, into the window; returns its host address. Once for each number.</summary>
    public byte* AddFixed(ulong gpfn)
    {
        ulong index = gpfn - Frame.WindowStart;
        if (index >= Frame.WindowFrames)
            throw new ArgumentOutOfRangeException(nameof(gpfn), $"0x{gpfn:x} is outside of the hypervisor's window");
        P2mSlot* slot = table.FindOrAdd(gpfn);
        byte* host = HostPages.Align(windowAllocation) + (index << Frame.Shift);
        if (slot == null || !Replace(slot, FrameKind.Hole, null, FrameKind.Fixed, host, writable: true))
            throw new InvalidOperationException($"frame 0x{gpfn:x} of the hypervisor's window is taken");
        Volatile.Write(ref slot->Backing, P2mSlot.InUse);
        return host;
    }

    /// <summary>
    /// Keeps an own frame (RAM or one of the window) where it is until <see cref="Unpin"/>, even if the domain gives it up or dies.
    /// False when the domain has no own frame there, or too many pins.
    /// </summary>
    public bool TryPin(ulong gpfn, out byte* host)
    {
        host = null;
        if (!TryEnter())
            return false;
        P2mSlot* slot = gpfn < arenaFrames || gpfn - Frame.WindowStart < Frame.WindowFrames ? table.Find(gpfn) : null;
        if (slot != null)
        {
            uint backing = Volatile.Read(ref slot->Backing);
            while ((backing & P2mSlot.InUse) != 0 && (backing & ~P2mSlot.InUse) < P2mSlot.PinLimit)
            {
                uint seen = Interlocked.CompareExchange(ref slot->Backing, backing + 1, backing);
                if (seen == backing)
                {
                    host = OwnFrame(gpfn);
                    return true;
                }
                backing = seen;
            }
        }
        Leave();
        return false;
    }

    /// <summary>Undoes one <see cref="TryPin"/>. Nobody may use the host address any more.</summary>
    public void Unpin(ulong gpfn)
    {
        P2mSlot* slot = table.Find(gpfn);
        uint backing = Volatile.Read(ref slot->Backing);
        while (true)
        {
            uint next = backing == 1 ? P2mSlot.Discarding : backing - 1;
            uint seen = Interlocked.CompareExchange(ref slot->Backing, next, backing);
            if (seen == backing)
                break;
            backing = seen;
        }
        if (backing == 1)
            Discard(slot, gpfn);
        Leave();
    }

    /// <summary>Host address of a frame that the caller has pinned.</summary>
    internal byte* PinnedFrame(ulong gpfn) => OwnFrame(gpfn);

    /// <summary>The number can have an own frame: nothing is there, and nothing of what was there is in use.</summary>
    public bool IsVacant(ulong gpfn)
    {
        P2mSlot* slot = gpfn < arenaFrames ? table.FindOrAdd(gpfn) : null;
        return slot != null && new P2mEntry(Volatile.Read(ref slot->Mapping)).Kind == FrameKind.Hole && Volatile.Read(ref slot->Backing) == 0;
    }

    /// <summary>True when another party has pinned the own frame.</summary>
    public bool IsPinned(ulong gpfn)
    {
        P2mSlot* slot = table.Find(gpfn);
        return slot != null && (Volatile.Read(ref slot->Backing) & ~P2mSlot.InUse) is not 0 and not P2mSlot.Discarding;
    }

    /// <summary>Tells the engines that a host-side device wrote an own frame: code that was translated from it is dropped.</summary>
    public void NotifyWritten(ulong gpfn)
    {
        NoteWritten(gpfn);
        if (gpfn < arenaFrames)
            arena.NotifyWritten(gpfn << Frame.Shift, Frame.Size);
    }

    private byte* OwnFrame(ulong gpfn) => gpfn < arenaFrames
        ? arena.Base + (gpfn << Frame.Shift)
        : HostPages.Align(windowAllocation) + (gpfn - Frame.WindowStart << Frame.Shift);

    private bool Reserve()
    {
        if (Interlocked.Increment(ref populated) <= Maximum && Budget?.TryTake(Frame.Size) != false)
            return true;
        Interlocked.Decrement(ref populated);
        return false;
    }

    // The frame left the domain: free it, or leave that to the last pin.
    private void Abandon(P2mSlot* slot, ulong gpfn)
    {
        NoteWritten(gpfn);
        uint backing = Volatile.Read(ref slot->Backing);
        while (true)
        {
            uint next = backing == P2mSlot.InUse ? P2mSlot.Discarding : backing & ~P2mSlot.InUse;
            uint seen = Interlocked.CompareExchange(ref slot->Backing, next, backing);
            if (seen == backing)
                break;
            backing = seen;
        }
        if (backing == P2mSlot.InUse)
            Discard(slot, gpfn);
    }

    private void Discard(P2mSlot* slot, ulong gpfn)
    {
        HostPages.Discard(OwnFrame(gpfn));
        Volatile.Write(ref slot->Backing, 0);
        Budget?.Return(Frame.Size);
    }

    // Replaces a mapping of the given kind (and host frame, where one is given). Bounded: another change of kind ends it.
    private static bool Replace(P2mSlot* slot, FrameKind kind, byte* host, FrameKind next, byte* nextHost, bool writable) =>
        Replace(slot, kind, host, next, nextHost, writable, out _);

    private static bool Replace(P2mSlot* slot, FrameKind kind, byte* host, FrameKind next, byte* nextHost, bool writable, out P2mEntry old)
    {
        while (true)
        {
            old = new P2mEntry(Volatile.Read(ref slot->Mapping));
            if (old.Kind != kind || host != null && old.Host != host)
                return false;
            if (Interlocked.CompareExchange(ref slot->Mapping, old.Next(next, nextHost, writable).Word, old.Word) == old.Word)
                return true;
        }
    }

    private void Tell(P2mSlot* slot, ulong gpfn)
    {
        var change = new P2mChange(gpfn, TakeCachers(slot));
        if (change.CachedBy != P2mSlot.NotCached)
            Tell(new ReadOnlySpan<P2mChange>(in change));
    }

    private static uint TakeCachers(P2mSlot* slot) => Interlocked.Exchange(ref slot->CachedBy, P2mSlot.NotCached);
}
