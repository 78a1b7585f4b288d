namespace FastXen.Loader.Configuration;

/// <summary>Guesses what a misspelt name was meant to be.</summary>
internal static class Spelling
{
    /// <summary>The name nearest to a word (by Levenshtein's distance), or null when none is near.</summary>
    public static string? Nearest(string word, ReadOnlySpan<string> names)
    {
        string? nearest = null;
        int least = Math.Min(3, (word.Length / 2) + 1);
        foreach (string name in names)
        {
            int distance = Distance(word, name);
            if (distance >= least) continue;
            least = distance;
            nearest = name;
        }
        return nearest;
    }

    private static int Distance(string a, string b)
    {
        const int Long = 64;
        if (a.Length > Long || b.Length > Long) return int.MaxValue;
        Span<int> row = stackalloc int[b.Length + 1];
        for (int j = 0; j <= b.Length; j++) row[j] = j;
        for (int i = 1; i <= a.Length; i++)
        {
            int diagonal = row[0];
            row[0] = i;
            for (int j = 1; j <= b.Length; j++)
            {
                bool same = char.ToLowerInvariant(a[i - 1]) == char.ToLowerInvariant(b[j - 1]);
                int cost = Math.Min(Math.Min(row[j], row[j - 1]) + 1, diagonal + (same ? 0 : 1));
                (diagonal, row[j]) = (row[j], cost);
            }
        }
        return row[b.Length];
    }
}
