using System.Globalization;

namespace FastXen.Loader.Configuration;

/// <summary>Sets of host threads as Xen writes sets of processors: <c>all</c>, <c>0-3,5</c>, <c>0-7,^2</c>. A bit for each.</summary>
public static class HostThreadSet
{
    /// <summary>What a set looks like, for messages.</summary>
    public const string Form = "\"all\", or numbers and ranges from 0 to 63 with commas, such as \"0-3,5\" or \"0-7,^2\"";

    /// <summary>Reads a set; false when the text is none, or the set is empty.</summary>
    public static bool TryParse(string text, out ulong set)
    {
        set = 0;
        if (text == "all")
        {
            set = ulong.MaxValue;
            return true;
        }
        ulong without = 0;
        foreach (string part in text.Split(','))
        {
            string item = part.Trim();
            bool excluded = item.StartsWith('^');
            string[] ends = (excluded ? item[1..] : item).Split('-');
            if (ends.Length > 2 || !TryNumber(ends[0], out int first) || !TryNumber(ends[^1], out int last) || first > last) return false;
            ulong range = ulong.MaxValue >> (63 - (last - first)) << first;
            if (excluded) without |= range;
            else set |= range;
        }
        set &= ~without;
        return set != 0;
    }

    /// <summary>The shortest text for a set of <paramref name="count"/> host threads.</summary>
    public static string Format(ulong set, int count)
    {
        ulong all = count >= 64 ? ulong.MaxValue : (1UL << count) - 1;
        if ((set & all) == all) return "all";
        List<string> parts = [];
        for (int first = 0; first < count; first++)
        {
            if ((set >> first & 1) == 0) continue;
            int last = first;
            while (last + 1 < count && (set >> (last + 1) & 1) != 0) last++;
            parts.Add(first == last ? $"{first}" : $"{first}-{last}");
            first = last;
        }
        return string.Join(',', parts);
    }

    private static bool TryNumber(string text, out int number) =>
        int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out number) && number < 64;
}
