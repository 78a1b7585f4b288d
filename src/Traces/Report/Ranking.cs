namespace FastXen.Traces.Report;

/// <summary>What all vCPUs of a trace did together, the most frequent first, under names.</summary>
internal static class Ranking
{
    public static List<(string Name, LatencyCounts Latency)> Latencies<TKey>(IEnumerable<Dictionary<TKey, LatencyCounts>> all, Func<TKey, string> name) where TKey : notnull
    {
        Dictionary<string, LatencyCounts> sums = [];
        foreach ((TKey key, LatencyCounts latency) in all.SelectMany(static one => one))
        {
            if (!sums.TryGetValue(name(key), out LatencyCounts? sum))
                sums.Add(name(key), sum = new LatencyCounts());
            sum.Add(latency);
        }

        return [.. sums.Select(static pair => (pair.Key, pair.Value)).OrderByDescending(static pair => pair.Value.Total).ThenBy(static pair => pair.Key, StringComparer.Ordinal)];
    }

    public static List<(string Name, ulong Count)> Counts<TKey, TCount>(IEnumerable<Dictionary<TKey, TCount>> all, Func<TKey, string> name)
        where TKey : notnull
        where TCount : System.Numerics.IBinaryInteger<TCount>
    {
        Dictionary<string, ulong> sums = [];
        foreach ((TKey key, TCount count) in all.SelectMany(static one => one))
            sums[name(key)] = sums.GetValueOrDefault(name(key)) + ulong.CreateTruncating(count);
        return [.. sums.Select(static pair => (pair.Key, pair.Value)).OrderByDescending(static pair => pair.Value).ThenBy(static pair => pair.Key, StringComparer.Ordinal)];
    }

    public static LatencyCounts Sum(IEnumerable<LatencyCounts> all)
    {
        LatencyCounts sum = new();
        foreach (LatencyCounts one in all)
            sum.Add(one);
        return sum;
    }
}
