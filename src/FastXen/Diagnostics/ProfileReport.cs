using System.Globalization;
using FastXen.Core;

namespace FastXen.Diagnostics;

/// <summary>The hottest translated regions, for a human.</summary>
internal static class ProfileReport
{
    private const int MostHandlers = 12;

    /// <summary>Writes a paragraph for each region. <paramref name="retired"/>: all slots that ran, translated or not.</summary>
    public static void Write(TextWriter output, IReadOnlyList<RegionProfile> regions, ulong retired)
    {
        foreach (RegionProfile region in regions)
        {
            double share = retired == 0 ? 0 : 100.0 * region.ExecutedSlots / retired, bytes = (double)region.HostBytes / Math.Max(region.Slots, 1);
            output.WriteLine(string.Create(
                CultureInfo.InvariantCulture,
                $"{share,5:F1}%  0x{region.Ip:x}.{region.Slot}: {region.ExecutedSlots} slots in {region.Executions} executions, {region.Slots} slots long, {bytes:F1} host bytes a slot, {region.Exits} exits"));
            if (region.Handlers.Count != 0)
                output.WriteLine($"        handlers: {string.Join(", ", region.Handlers.Take(MostHandlers).Select(pair => $"{pair.Key} {pair.Value}"))}");
            foreach (string line in region.Guest)
                output.WriteLine($"        {line}");
            output.WriteLine();
        }
    }
}
