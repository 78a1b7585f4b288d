namespace FastXen.Loader.Images;

/// <summary>Where a domain's RAM is, and what of it the loader must leave alone.</summary>
/// <param name="Ram">RAM, ascending.</param>
/// <param name="Reserved">What the firmware occupies in it.</param>
public sealed record MemoryLayout(IReadOnlyList<MemoryRange> Ram, IReadOnlyList<MemoryRange> Reserved)
{
    /// <summary>RAM in bytes.</summary>
    public ulong Size => Ram.Aggregate(0UL, static (sum, range) => sum + range.Length);

    /// <summary>One past the highest RAM address.</summary>
    public ulong End => Ram.Count == 0 ? 0 : Ram[^1].End;

    /// <summary>The highest place for so many bytes that is aligned, in RAM and free; null where there is none.</summary>
    public MemoryRange? FindHighest(ulong length, ulong alignment, IReadOnlyList<MemoryRange> taken)
    {
        MemoryRange? best = null;
        foreach (MemoryRange ram in Ram)
        {
            ulong end = ram.End;
            // Each round ends below an obstacle that it met, so there are no more rounds than obstacles.
            while (end >= length && end - length >= ram.Start)
            {
                ulong start = (end - length) / alignment * alignment;
                if (start < ram.Start) break;
                MemoryRange place = new(start, start + length);
                if (LowestObstacle(place, taken) is { } obstacle)
                {
                    end = obstacle;
                    continue;
                }
                best = place;
                break;
            }
        }
        return best;
    }

    private ulong? LowestObstacle(MemoryRange place, IReadOnlyList<MemoryRange> taken)
    {
        ulong? lowest = null;
        foreach (MemoryRange range in Reserved.Concat(taken))
        {
            if (range.Overlaps(place) && (lowest is null || range.Start < lowest)) lowest = range.Start;
        }
        return lowest;
    }
}
