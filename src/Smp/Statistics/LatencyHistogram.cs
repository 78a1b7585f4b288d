using System.Numerics;

namespace FastXen.Smp;

/// <summary>Times by their magnitude: bucket n counts those from 2^(n-1) to 2^n - 1 nanoseconds. One thread at a time writes; any may read.</summary>
public sealed class LatencyHistogram
{
    private readonly long[] counts = new long[64];

    internal void Add(long nanoseconds) => counts[BitOperations.Log2((ulong)Math.Max(nanoseconds, 0)) + (nanoseconds > 0 ? 1 : 0)]++;

    /// <summary>The counts, by magnitude.</summary>
    public IReadOnlyList<long> Counts => counts;

    /// <summary>An upper bound, in nanoseconds, of the given fraction (0 to 1) of all times; 0 when there are none.</summary>
    public long Quantile(double fraction)
    {
        long total = 0;
        foreach (long count in counts)
            total += count;
        long below = (long)Math.Ceiling(total * fraction);
        for (int magnitude = 0; magnitude < counts.Length; magnitude++)
        {
            below -= counts[magnitude];
            if (below <= 0)
                return total == 0 ? 0 : magnitude == 63 ? long.MaxValue : (1L << magnitude) - 1;
        }

        return 0;
    }
}
