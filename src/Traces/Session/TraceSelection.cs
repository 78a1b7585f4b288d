using System.Diagnostics.Tracing;
using FastXen.Events;

namespace FastXen.Traces.Session;

/// <summary>What to record, as command lines spell it.</summary>
public static class TraceSelection
{
    /// <summary>The names of keywords.</summary>
    public static IReadOnlyDictionary<string, EventKeywords> Keywords { get; } = new Dictionary<string, EventKeywords>(StringComparer.OrdinalIgnoreCase)
    {
        ["lifecycle"] = FastXenEventSource.Keywords.Lifecycle,
        ["scheduling"] = FastXenEventSource.Keywords.Scheduling,
        ["exits"] = FastXenEventSource.Keywords.Exits,
        ["interruptions"] = FastXenEventSource.Keywords.Interruptions,
        ["hypercalls"] = FastXenEventSource.Keywords.Hypercalls,
        ["firmware"] = FastXenEventSource.Keywords.Firmware,
        ["translation"] = FastXenEventSource.Keywords.Translation,
        ["tlb"] = FastXenEventSource.Keywords.Tlb,
        ["devices"] = FastXenEventSource.Keywords.Devices,
        ["interrupts"] = FastXenEventSource.Keywords.Interrupts,
    };

    /// <summary>Keywords with commas between them, or "all". Lifecycle is always among them: a report wants names.</summary>
    public static EventKeywords ReadKeywords(string text)
    {
        EventKeywords keywords = FastXenEventSource.Keywords.Lifecycle;
        foreach (string name in text.Split(',', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries))
        {
            if (name.Equals("all", StringComparison.OrdinalIgnoreCase))
                keywords = Keywords.Values.Aggregate((a, b) => a | b);
            else if (Keywords.TryGetValue(name, out EventKeywords keyword))
                keywords |= keyword;
            else
                throw new TraceException($"there is no trace keyword '{name}'; there are all, {string.Join(", ", Keywords.Keys)}");
        }

        return keywords;
    }

    /// <summary>"informational" or "verbose".</summary>
    public static EventLevel ReadLevel(string text) => text.ToLowerInvariant() switch
    {
        "informational" or "info" => EventLevel.Informational,
        "verbose" => EventLevel.Verbose,
        _ => throw new TraceException($"the trace level is informational or verbose, not '{text}'"),
    };
}
