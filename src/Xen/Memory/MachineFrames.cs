namespace FastXen.Xen.Memory;

/// <summary>
/// The machine's frame numbers: blocks of them that belong to domains. No domain has a frame whose machine number is its own number,
/// and neighbours in a domain's arena are neighbours in the machine. Readers take no lock.
/// </summary>
public sealed unsafe class MachineFrames
{
    // Blocks begin at multiples, so that the alignment of a guest's frames (for DMA) is that of the machine frames.
    private const ulong Alignment = 1 << 12;

    private readonly Lock changes = new();
    private volatile Block[] blocks = [];

    private sealed record Block(ulong First, ulong Count, DomainMemory Owner, ulong FirstGpfn, nuint Host);

    /// <summary>One past the highest machine frame in use.</summary>
    public ulong End => blocks is [.., { } last] ? last.First + last.Count : 0;

    /// <summary>The domain's memory and frame number of a machine frame.</summary>
    public bool TryFind(ulong mfn, out DomainMemory owner, out ulong gpfn)
    {
        Block? block = Find(mfn);
        owner = block?.Owner!;
        gpfn = block == null ? 0 : block.FirstGpfn + (mfn - block.First);
        return block != null;
    }

    /// <summary>Host address of a machine frame, or 0. It is memory only while something keeps the frame.</summary>
    internal nint HostOf(ulong mfn) => Find(mfn) is { } block ? (nint)(block.Host + (mfn - block.First << Frame.Shift)) : 0;

    private Block? Find(ulong mfn)
    {
        Block[] all = blocks;
        int low = 0, high = all.Length - 1;
        while (low <= high)
        {
            int middle = (low + high) >> 1;
            Block block = all[middle];
            if (mfn - block.First < block.Count)
                return block;
            if (mfn < block.First)
                high = middle - 1;
            else
                low = middle + 1;
        }
        return null;
    }

    /// <summary>The machine frame at a host address, or <see cref="Frame.Invalid"/>.</summary>
    internal ulong FrameAt(byte* host)
    {
        foreach (Block block in blocks)
        {
            ulong index = (ulong)host - block.Host >> Frame.Shift;
            if (index < block.Count)
                return block.First + index;
        }
        return Frame.Invalid;
    }

    /// <summary>Takes the lowest free block; returns its first number, which is never <paramref name="firstGpfn"/>.</summary>
    internal ulong Add(DomainMemory owner, ulong count, ulong firstGpfn, byte* host)
    {
        lock (changes)
        {
            Block[] old = blocks;
            ulong first = Alignment;
            int place = 0;
            while (place < old.Length && old[place].First < first + count || first == firstGpfn)
            {
                ulong end = first + 1;
                if (place < old.Length)
                {
                    end = old[place].First + old[place].Count;
                    place++;
                }
                first = Math.Max(first, (end + Alignment - 1) & ~(Alignment - 1));
            }
            blocks = [.. old[..place], new Block(first, count, owner, firstGpfn, (nuint)host), .. old[place..]];
            return first;
        }
    }

    /// <summary>Frees the blocks of a domain.</summary>
    internal void Remove(DomainMemory owner)
    {
        lock (changes)
            blocks = [.. blocks.Where(block => block.Owner != owner)];
    }
}
