using FastXen.Core.Decode;

namespace FastXen.Core.Translate;

/// <summary>Adds up what regions counted, over all generations of code.</summary>
internal sealed unsafe class ProfileCollector
{
    private sealed class Entry
    {
        public RegionState Last;
        public ulong Executions, ExecutedSlots, Exits;
        public readonly Dictionary<Opcode, ulong> Handlers = [];
    }

    private readonly Dictionary<(ulong Ip, ulong CodePa, uint Context, ulong Cfm), Entry> entries = [];

    /// <summary>Takes the counts of all regions of the arena's generation, which are 0 afterwards.</summary>
    public void Collect(CodeArena arena)
    {
        for (int number = arena.FirstRegion; number < arena.EndRegion; number++)
        {
            RegionState* region = arena.Region(number);
            if (region->Executions == 0)
                continue;
            Entry entry = EntryOf(region);
            entry.Executions += region->Executions;
            entry.ExecutedSlots += region->ExecutedSlots;
            entry.Last = *region;
            region->Executions = region->ExecutedSlots = 0;
        }

        for (int number = arena.FirstSite; number < arena.EndSite; number++)
        {
            ExitSite* site = arena.Site(number);
            if (site->Count == 0)
                continue;
            Entry entry = EntryOf(site->Region);
            if (site->Kind == ExitKind.Handler)
                entry.Handlers[site->Opcode] = entry.Handlers.GetValueOrDefault(site->Opcode) + site->Count;
            else
                entry.Exits += site->Count;
            site->Count = 0;
        }
    }

    /// <summary>The regions in which most slots ran. <paramref name="describe"/> gives a region's guest code.</summary>
    public IReadOnlyList<RegionProfile> Hottest(int count, Func<RegionState, IReadOnlyList<string>> describe) =>
        [.. entries.Values.OrderByDescending(entry => entry.ExecutedSlots).Take(count).Select(entry => new RegionProfile(
            entry.Last.Ip & ~0xFUL, (int)entry.Last.Ip & 3, entry.Executions, entry.ExecutedSlots, entry.Last.Slots, entry.Last.HostBytes,
            [.. entry.Handlers.OrderByDescending(pair => pair.Value).Select(pair => KeyValuePair.Create(pair.Key.ToString(), pair.Value))],
            entry.Exits, describe(entry.Last)))];

    private Entry EntryOf(RegionState* region)
    {
        var key = (region->Ip, region->CodePa, region->Context, region->Cfm);
        if (!entries.TryGetValue(key, out Entry? entry))
            entries.Add(key, entry = new Entry { Last = *region });
        return entry;
    }
}
