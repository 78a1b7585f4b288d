namespace FastXen.Xen.Physdev;

/// <summary>A set of numbers that is kept as ranges. Reading takes no lock; ranges are bounded in number.</summary>
internal sealed class RangeSet
{
    /// <summary>Most ranges.</summary>
    public const int Capacity = 256;

    private readonly Lock _changes = new();
    private volatile Range[] _ranges = [];

    private readonly record struct Range(ulong First, ulong Last);

    /// <summary>True when all numbers from <paramref name="first"/> to <paramref name="last"/> are in it.</summary>
    public bool Contains(ulong first, ulong last)
    {
        foreach (Range range in _ranges)
        {
            if (first >= range.First && last <= range.Last)
                return first <= last;
        }

        return false;
    }

    /// <summary>Takes numbers in. False when there would be too many ranges.</summary>
    public bool Add(ulong first, ulong last)
    {
        lock (_changes)
        {
            var next = new List<Range>(_ranges.Length + 1);
            foreach (Range range in _ranges)
            {
                // Neighbours become one.
                bool apart = range.Last < first && range.Last + 1 != first || last < range.First && last + 1 != range.First;
                if (apart)
                {
                    next.Add(range);
                    continue;
                }

                first = Math.Min(first, range.First);
                last = Math.Max(last, range.Last);
            }

            next.Add(new Range(first, last));
            return Replace(next);
        }
    }

    /// <summary>Takes numbers out. False when there would be too many ranges.</summary>
    public bool Remove(ulong first, ulong last)
    {
        lock (_changes)
        {
            var next = new List<Range>(_ranges.Length + 1);
            foreach (Range range in _ranges)
            {
                if (range.Last < first || last < range.First)
                {
                    next.Add(range);
                    continue;
                }

                if (range.First < first)
                    next.Add(range with { Last = first - 1 });
                if (range.Last > last)
                    next.Add(range with { First = last + 1 });
            }

            return Replace(next);
        }
    }

    private bool Replace(List<Range> next)
    {
        if (next.Count > Capacity)
            return false;
        _ranges = [.. next];
        return true;
    }
}
