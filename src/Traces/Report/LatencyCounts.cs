using System.Numerics;

namespace FastXen.Traces.Report;

/// <summary>Durations in nanoseconds, counted in buckets of a quarter of a power of two: a percentile is off by an eighth at most.</summary>
public sealed class LatencyCounts
{
    private const int PerOctave = 4;
    private readonly long[] buckets = new long[64 * PerOctave];

    /// <summary>How many.</summary>
    public long Count { get; private set; }

    /// <summary>Their sum.</summary>
    public ulong Total { get; private set; }

    /// <summary>The longest one.</summary>
    public ulong Longest { get; private set; }

    /// <summary>Their mean.</summary>
    public double Mean => Count == 0 ? 0 : (double)Total / Count;

    /// <summary>Buckets that are not empty: lower bound, upper bound (exclusive), count.</summary>
    public IEnumerable<(ulong From, ulong To, long Count)> Buckets
    {
        get
        {
            for (int i = 0; i < buckets.Length; i++)
            {
                if (buckets[i] != 0)
                    yield return (Lowest(i), Lowest(i + 1), buckets[i]);
            }
        }
    }

    /// <summary>Adds one.</summary>
    public void Add(ulong duration)
    {
        Count++;
        Total += duration;
        Longest = Math.Max(Longest, duration);
        buckets[BucketOf(duration)]++;
    }

    /// <summary>Adds all of another one.</summary>
    public void Add(LatencyCounts other)
    {
        Count += other.Count;
        Total += other.Total;
        Longest = Math.Max(Longest, other.Longest);
        for (int i = 0; i < buckets.Length; i++)
            buckets[i] += other.buckets[i];
    }

    /// <summary>The duration that a share (0 to 1) of all does not exceed; the middle of its bucket.</summary>
    public ulong Percentile(double share)
    {
        long wanted = Math.Max(1, (long)Math.Ceiling(Count * share));
        for (int i = 0; i < buckets.Length; i++)
        {
            wanted -= buckets[i];
            if (wanted <= 0)
                return Math.Min(Longest, (Lowest(i) + Lowest(i + 1)) / 2);
        }

        return Longest;
    }

    // The power of two, then the two bits below it.
    private static int BucketOf(ulong duration)
    {
        if (duration < PerOctave)
            return (int)duration;
        int octave = BitOperations.Log2(duration);
        return octave * PerOctave + (int)(duration >> (octave - 2) & 3);
    }

    private static ulong Lowest(int bucket)
    {
        int octave = bucket / PerOctave;
        if (bucket < 2 * PerOctave)
            return (ulong)Math.Min(bucket, PerOctave);
        return octave >= 64 ? ulong.MaxValue : (PerOctave + (ulong)bucket % PerOctave) << (octave - 2);
    }
}
