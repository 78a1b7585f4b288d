namespace FastXen.Core.Tests.Multimedia;

/// <summary>Parallel operations one lane at a time on wide integers: slow, and too simple to be wrong in the ways vectors are.</summary>
internal static class LaneModel
{
    internal static readonly ulong[] Edges =
    [
        0, 1, ulong.MaxValue, 0x7fff_ffff_ffff_ffff, 0x8000_0000_0000_0000, 0x7f80_0001_ff00_807f, 0x7fff_8000_0001_ffff,
        0x8000_7fff_ffff_0001, 0x8080_7f7f_0101_fefe, 0x0080_ff80_007f_ff7f, 0x7fff_ffff_8000_0000, 0x0000_0001_ffff_ffff, 0x4000_c000_2000_e000,
    ];

    /// <summary>Applies a function of two lanes to all lanes and cuts the results to the lane's width.</summary>
    internal static ulong Map(int width, bool xSigned, bool ySigned, ulong x, ulong y, Func<long, long, long> f)
    {
        ulong result = 0;
        for (int shift = 0; shift < 64; shift += width)
            result |= ((ulong)f(Lane(x, shift, width, xSigned), Lane(y, shift, width, ySigned)) & Mask(width)) << shift;
        return result;
    }

    internal static long Lane(ulong x, int shift, int width, bool signed)
    {
        ulong lane = x >> shift & Mask(width);
        return signed ? (long)(lane << (64 - width)) >> (64 - width) : (long)lane;
    }

    internal static long ClampSigned(long v, int width) => long.Clamp(v, -(1L << (width - 1)), (1L << (width - 1)) - 1);

    internal static long ClampUnsigned(long v, int width) => long.Clamp(v, 0, (1L << width) - 1);

    /// <summary>Calls <paramref name="check"/> with all pairs of edges and with random mixtures of them.</summary>
    internal static void ForEachPair(Action<ulong, ulong> check)
    {
        foreach (ulong x in Edges)
            foreach (ulong y in Edges)
                check(x, y);
        var random = new Random(20061);
        for (int n = 0; n < 2000; n++)
            check(Mixture(random), Mixture(random));
    }

    private static ulong Mixture(Random random)
    {
        ulong mask = (ulong)random.NextInt64(long.MinValue, long.MaxValue);
        return (ulong)random.NextInt64(long.MinValue, long.MaxValue) & mask | Edges[random.Next(Edges.Length)] & ~mask;
    }

    private static ulong Mask(int width) => ulong.MaxValue >> (64 - width);
}
