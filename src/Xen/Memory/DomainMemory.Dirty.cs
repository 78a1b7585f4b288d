namespace FastXen.Xen.Memory;

// The log of frames that are written, for who copies the memory of a domain that runs (domctl's shadow_op).
public sealed unsafe partial class DomainMemory
{
    private volatile DirtyLog? dirty;

    /// <summary>How many frames the log has bits for; null while nothing is logged.</summary>
    public ulong? LoggedFrames => dirty?.Frames;

    /// <summary>How many frames were written since the log was last taken.</summary>
    public long WrittenFrames => dirty?.Marked ?? 0;

    /// <summary>Begins a log in which nothing is written yet; when this returns, whatever is written is. False where there is one.</summary>
    public bool BeginLog()
    {
        if (Interlocked.CompareExchange(ref dirty, new DirtyLog(arenaFrames), null) != null)
            return false;
        ForgetAll();
        return true;
    }

    /// <summary>Ends the log.</summary>
    public void EndLog() => dirty = null;

    /// <summary>
    /// Copies the log of the first frames, a bit for each; false where there is no log. <paramref name="clears"/>: what is written from now on is in the next one. A
    /// frame that somebody else has pinned may be written at any time, and is in all.
    /// </summary>
    public bool ReadLog(Span<ulong> bits, ulong frames, bool clears)
    {
        if (dirty is not { } log)
            return false;
        frames = Math.Min(frames, log.Frames);
        for (int word = 0; (ulong)word * 64 < frames; word++)
        {
            ulong wanted = frames - ((ulong)word * 64) is < 64 and var rest ? (1UL << (int)rest) - 1 : ulong.MaxValue;
            bits[word] = (clears ? log.Take(word, wanted) : log.Peek(word)) & wanted;
        }

        // Who found the bit set writes on without a look at it until it has forgotten the frame: that is over before the copy is used.
        if (clears)
            ForgetAll();
        for (ulong gpfn = 0; gpfn < frames; gpfn++)
        {
            if (IsPinned(gpfn))
                bits[(int)(gpfn / 64)] |= 1UL << (int)(gpfn % 64);
        }

        return true;
    }

    /// <summary>A vCPU that refers to an own frame keeps a translation by which it may write: false while that has to be noticed.</summary>
    internal bool MayWriteUnseen(ulong gpfn, bool writes)
    {
        if (dirty is not { } log)
            return true;
        if (!writes)
            return log.IsDirty(gpfn);
        // Who takes the bit from here on has the translation forgotten.
        log.Mark(gpfn);
        return true;
    }

    // After the write: who copies the frame before it has it in the next log.
    private void NoteWritten(ulong gpfn)
    {
        if (gpfn < arenaFrames)
            dirty?.Mark(gpfn);
    }

    private void ForgetAll()
    {
        var everything = new P2mChange(0, P2mChange.Many);
        Tell(new ReadOnlySpan<P2mChange>(in everything));
    }
}
