using System.Globalization;

namespace FastXen.Loader.Configuration;

/// <summary>Sets of host threads as xl's users write them: <c>all</c>, <c>0-3,5</c>, <c>0-7,^2</c>.</summary>
public static class CpuSet
{
    /// <summary>What a text has to be.</summary>
    public const string Rule = "\"all\", or numbers of host threads such as \"0-3,5\" or \"0-7,^2\"";

    private const int Most = 64;

    /// <summary>Parses a set, a bit for each host thread. An empty one is none.</summary>
    public static bool TryParse(string text, out ulong cpus)
    {
        cpus = 0;
        foreach (string part in text.Split(','))
        {
            ReadOnlySpan<char> range = part.AsSpan().Trim();
            bool without = range.StartsWith("^");
            if (without) range = range[1..];
            if (!TryRange(range, out ulong bits)) return false;
            cpus = without ? cpus & ~bits : cpus | bits;
        }
        return cpus != 0;
    }

    /// <summary>Prints a set; <paramref name="hostThreads"/>: how many there are.</summary>
    public static string Format(ulong cpus, int hostThreads)
    {
        ulong all = Bits(0, hostThreads - 1);
        if ((cpus & all) == all) return "all";
        List<string> parts = [];
        for (int first = 0; first < hostThreads; first++)
        {
            if ((cpus >> first & 1) == 0) continue;
            int last = first;
            while (last + 1 < hostThreads && (cpus >> (last + 1) & 1) != 0) last++;
            parts.Add(first == last ? $"{first}" : $"{first}-{last}");
            first = last;
        }
        return parts.Count == 0 ? "-" : string.Join(',', parts);
    }

    private static bool TryRange(ReadOnlySpan<char> text, out ulong bits)
    {
        bits = ulong.MaxValue;
        if (text.SequenceEqual("all")) return true;
        int dash = text.IndexOf('-');
        bool good = TryNumber(dash < 0 ? text : text[..dash], out int first) & TryNumber(dash < 0 ? text : text[(dash + 1)..], out int last) && first <= last;
        bits = good ? Bits(first, last) : 0;
        return good;
    }

    private static bool TryNumber(ReadOnlySpan<char> text, out int number) =>
        int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out number) && number < Most;

    private static ulong Bits(int first, int last) => (ulong.MaxValue >> (Most - 1 - last)) & (ulong.MaxValue << first);
}
