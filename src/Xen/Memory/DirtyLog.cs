using System.Numerics;

namespace FastXen.Xen.Memory;

/// <summary>Which own frames of a domain were written since somebody asked: a bit for each frame number. Any thread; no lock.</summary>
internal sealed class DirtyLog(ulong frames)
{
    private readonly ulong[] _words = new ulong[(frames + 63) / 64];
    private long _marked;

    /// <summary>Frame numbers that have a bit.</summary>
    public ulong Frames => frames;

    /// <summary>Bits that were set since the log was last taken.</summary>
    public long Marked => Volatile.Read(ref _marked);

    /// <summary>The frame was written since.</summary>
    public bool IsDirty(ulong gpfn) => gpfn >= frames || (Volatile.Read(ref _words[gpfn / 64]) >> (int)(gpfn % 64) & 1) != 0;

    /// <summary>The frame is written, or was just now.</summary>
    public void Mark(ulong gpfn)
    {
        if (!IsDirty(gpfn) && (Interlocked.Or(ref _words[gpfn / 64], 1UL << (int)(gpfn % 64)) >> (int)(gpfn % 64) & 1) == 0)
            Interlocked.Increment(ref _marked);
    }

    /// <summary>The bits of 64 frames.</summary>
    public ulong Peek(int word) => Volatile.Read(ref _words[word]);

    /// <summary>As <see cref="Peek"/>, and clears the wanted ones.</summary>
    public ulong Take(int word, ulong wanted)
    {
        ulong taken = Interlocked.And(ref _words[word], ~wanted) & wanted;
        Interlocked.Add(ref _marked, -BitOperations.PopCount(taken));
        return taken;
    }
}
