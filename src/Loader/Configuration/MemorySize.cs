using System.Globalization;

namespace FastXen.Loader.Configuration;

/// <summary>Sizes as people write them: a whole number and K, M or G (powers of 1024).</summary>
public static class MemorySize
{
    /// <summary>Parses a size such as <c>512M</c>.</summary>
    public static bool TryParse(string text, out ulong bytes)
    {
        bytes = 0;
        if (text.Length < 2) return false;
        int shift = char.ToUpperInvariant(text[^1]) switch { 'K' => 10, 'M' => 20, 'G' => 30, _ => 0 };
        if (shift == 0
            || !ulong.TryParse(text.AsSpan(0, text.Length - 1), NumberStyles.None, CultureInfo.InvariantCulture, out ulong number)
            || number > ulong.MaxValue >> shift)
        {
            return false;
        }
        bytes = number << shift;
        return true;
    }

    /// <summary>Prints a size in the largest unit that divides it.</summary>
    public static string Format(ulong bytes) => bytes switch
    {
        0 => "0",
        _ when bytes % (1UL << 30) == 0 => $"{bytes >> 30}G",
        _ when bytes % (1UL << 20) == 0 => $"{bytes >> 20}M",
        _ when bytes % (1UL << 10) == 0 => $"{bytes >> 10}K",
        _ => $"{bytes} bytes",
    };
}
