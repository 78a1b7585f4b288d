namespace FastXen.Mmu;

/// <summary>
/// The memory of the host that paravirtualized domains live in: frames of 16 KiB (the page of Xen/ia64), named by machine frame number.
/// One reservation for the process, so that a frame has one address whichever domain maps it. A domain gets its frames as a
/// slice; a frame that others hold (grants, transfers) outlives the slice's owner. Any thread.
/// </summary>
public sealed unsafe class MachineMemory : IDisposable
{
    /// <summary>log2 of the bytes of a frame.</summary>
    public const int FrameShift = 14;

    /// <summary>Bytes of a frame.</summary>
    public const int FrameSize = 1 << FrameShift;

    /// <summary>Owner of a frame that nobody has.</summary>
    public const uint NoOwner = 0;

    // Behind the last frame, and in front of the first: an access that starts in a frame reaches nothing of the host's.
    private const ulong Guard = 1UL << 16;
    // So that slices can lie on host huge pages.
    private const ulong SliceAlignment = 1UL << 21;

    private readonly byte* _reservation;
    private readonly FrameState* _frames;
    private readonly Lock _lock = new();
    // Free ranges in frames, by begin.
    private readonly SortedDictionary<ulong, ulong> _free = [];
    private bool _disposed;

    /// <summary>Who has a frame, and how often it is held.</summary>
    private struct FrameState
    {
        /// <summary>1 + the owner's domain id; 0 where there is none.</summary>
        public uint Owner;

        /// <summary>References: one of the owner's P2M, one of each mapping by another domain.</summary>
        public int References;
    }

    /// <summary>Host address of machine address 0.</summary>
    public byte* Base { get; }

    /// <summary>One past the highest machine address, in bytes.</summary>
    public ulong Span { get; }

    /// <summary>Frames that no domain has.</summary>
    public ulong FreeFrames { get; private set; }

    /// <summary>Reserves address space for <paramref name="span"/> bytes of frames (a multiple of 2 MiB). Nothing is used until frames are taken.</summary>
    public MachineMemory(ulong span = 1UL << 40)
    {
        if (span == 0 || span % SliceAlignment != 0)
            throw new ArgumentOutOfRangeException(nameof(span), $"0x{span:x} is not a multiple of 2 MiB");
        Span = span;
        _reservation = HostMapping.Reserve((nuint)(span + SliceAlignment + 2 * Guard));
        Base = (byte*)(((ulong)_reservation + Guard + SliceAlignment - 1) & ~(SliceAlignment - 1));
        _frames = (FrameState*)HostMapping.Reserve(FramesBytes);
        HostMapping.CommitSmall((byte*)_frames, FramesBytes);
        // Frame 0 is nobody's: a number that was never set names no memory.
        _free.Add(SliceAlignment >> FrameShift, (span - SliceAlignment) >> FrameShift);
        FreeFrames = (span - SliceAlignment) >> FrameShift;
    }

    private nuint FramesBytes => (nuint)((Span >> FrameShift) * (ulong)sizeof(FrameState));

    /// <summary>Host address of a frame.</summary>
    public byte* Host(ulong mfn) => Base + (mfn << FrameShift);

    /// <summary>
    /// Takes <paramref name="count"/> contiguous frames, zero-filled, for a domain; each has one reference. False where there is no room.
    /// <paramref name="huge"/>: in the host's huge pages where it has them (not for domains that touch little of their memory).
    /// </summary>
    public bool TryTake(int domain, ulong count, bool huge, out ulong first)
    {
        ulong alignment = huge ? SliceAlignment >> FrameShift : 1;
        lock (_lock)
        {
            ObjectDisposedException.ThrowIf(_disposed, this);
            foreach ((ulong begin, ulong length) in _free)
            {
                first = (begin + alignment - 1) & ~(alignment - 1);
                ulong skipped = first - begin;
                if (count == 0 || length < skipped || length - skipped < count)
                    continue;
                _free.Remove(begin);
                AddFree(begin, skipped);
                AddFree(first + count, length - skipped - count);
                FreeFrames -= count;
                Commit(first, count, huge);
                new Span<FrameState>(_frames + first, checked((int)count)).Fill(new FrameState { Owner = (uint)domain + 1, References = 1 });
                return true;
            }
        }

        first = 0;
        return false;
    }

    private void AddFree(ulong begin, ulong length)
    {
        if (length != 0)
            _free.Add(begin, length);
    }

    private void Commit(ulong first, ulong count, bool huge)
    {
        if (huge)
            HostMapping.Commit(Host(first), (nuint)(count << FrameShift));
        else
            HostMapping.CommitSmall(Host(first), (nuint)(count << FrameShift));
    }

    /// <summary>The domain that owns a frame; null where none does.</summary>
    public int? OwnerOf(ulong mfn) => mfn < Span >> FrameShift && Volatile.Read(ref _frames[mfn].Owner) is var owner and not NoOwner ? (int)owner - 1 : null;

    /// <summary>A frame changes hands (grant transfer). Its references stay.</summary>
    public void SetOwner(ulong mfn, int domain) => Volatile.Write(ref _frames[mfn].Owner, (uint)domain + 1);

    /// <summary>Holds a frame once more; false where nobody has it.</summary>
    public bool TryHold(ulong mfn)
    {
        ref int references = ref _frames[mfn].References;
        for (int seen = Volatile.Read(ref references); seen > 0;)
        {
            int found = Interlocked.CompareExchange(ref references, seen + 1, seen);
            if (found == seen)
                return true;
            seen = found;
        }

        return false;
    }

    /// <summary>Lets <paramref name="count"/> frames go; those with no other reference give their memory back to the host.</summary>
    public void Release(ulong first, ulong count = 1)
    {
        ulong end = first + count;
        for (ulong mfn = first; mfn < end;)
        {
            ulong begin = mfn;
            while (mfn < end && Drop(mfn))
                mfn++;
            if (mfn != begin)
                Recycle(begin, mfn - begin);
            else
                mfn++;
        }
    }

    // True when that was the last reference.
    private bool Drop(ulong mfn)
    {
        int left = Interlocked.Decrement(ref _frames[mfn].References);
        return left >= 0 ? left == 0 : throw new InvalidOperationException($"machine frame 0x{mfn:x} was released more often than it was held");
    }

    // Frames without references become free, joined with their neighbours.
    private void Recycle(ulong first, ulong count)
    {
        lock (_lock)
        {
            if (_disposed)
                return;
            HostMapping.Decommit(Host(first), (nuint)(count << FrameShift));
            new Span<FrameState>(_frames + first, (int)count).Clear();
            FreeFrames += count;
            ulong begin = first, end = first + count;
            if (Before(first) is { } before)
            {
                begin = before;
                _free.Remove(before);
            }

            if (_free.Remove(end, out ulong behind))
                end += behind;
            _free.Add(begin, end - begin);
        }
    }

    // The free range that ends right in front of a frame.
    private ulong? Before(ulong mfn)
    {
        foreach ((ulong begin, ulong length) in _free)
        {
            if (begin > mfn)
                return null;
            if (begin + length == mfn)
                return begin;
        }

        return null;
    }

    /// <summary>Gives everything back to the host. No vCPU may still run.</summary>
    public void Dispose()
    {
        lock (_lock)
        {
            if (_disposed)
                return;
            _disposed = true;
            HostMapping.Release((byte*)_frames, FramesBytes);
            HostMapping.Release(_reservation, (nuint)(Span + SliceAlignment + 2 * Guard));
        }
    }
}
