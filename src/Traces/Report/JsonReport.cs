using System.Text.Json;

namespace FastXen.Traces.Report;

/// <summary>The report for programs: one JSON object. Durations are nanoseconds.</summary>
public static class JsonReport
{
    /// <summary>Writes it.</summary>
    public static void Write(Utf8JsonWriter json, TraceSummary trace, TraceNames names)
    {
        json.WriteStartObject();
        WriteFields(json, trace, names);
        json.WriteEndObject();
    }

    internal static void WriteFields(Utf8JsonWriter json, TraceSummary trace, TraceNames names)
    {
        json.WriteStartObject("trace");
        json.WriteString("started", trace.Head.Started);
        json.WriteNumber("processId", trace.Head.ProcessId);
        json.WriteNumber("begin", Math.Max(0, trace.Begin));
        json.WriteNumber("duration", trace.Duration);
        json.WriteNumber("lost", trace.Lost);
        json.WriteBoolean("truncated", trace.Truncated);
        json.WriteEndObject();
        Counts(json, "events", trace.Events.Select(static pair => (pair.Key, (ulong)pair.Value)));
        json.WriteStartArray("domains");
        foreach (DomainTrace domain in trace.Domains)
            Domain(json, domain, trace);
        json.WriteEndArray();
        Actions(json, [.. trace.Vcpus], names);
        json.WriteStartArray("vcpus");
        foreach (VcpuTrace vcpu in trace.Vcpus)
        {
            json.WriteStartObject();
            json.WriteNumber("domain", vcpu.Domain);
            json.WriteNumber("vcpu", vcpu.Vcpu);
            json.WriteNumber("runTime", vcpu.RunTime);
            json.WriteNumber("slots", vcpu.Slots);
            json.WriteNumber("slices", vcpu.Slices.Count);
            Counts(json, "switches", Ranking.Counts([vcpu.SwitchReasons], static reason => reason));
            Counts(json, "decisions", Ranking.Counts([vcpu.Decisions], static what => what));
            Actions(json, [vcpu], names);
            json.WriteEndObject();
        }

        json.WriteEndArray();
    }

    private static void Domain(Utf8JsonWriter json, DomainTrace domain, TraceSummary trace)
    {
        json.WriteStartObject();
        json.WriteNumber("domain", domain.Number);
        json.WriteString("name", domain.Name);
        json.WriteNumber("memory", domain.Memory);
        json.WriteString("personality", domain.Personality);
        json.WriteStartArray("life");
        foreach ((long time, string what) in domain.Life)
        {
            json.WriteStartObject();
            json.WriteNumber("time", time - trace.Begin);
            json.WriteString("what", what);
            json.WriteEndObject();
        }

        json.WriteEndArray();
        json.WriteEndObject();
    }

    private static void Actions(Utf8JsonWriter json, IReadOnlyList<VcpuTrace> vcpus, TraceNames names)
    {
        Counts(json, "exits", Ranking.Counts(vcpus.Select(static vcpu => vcpu.Exits), static reason => reason));
        Counts(json, "handlers", Ranking.Counts(vcpus.Select(static vcpu => vcpu.Handlers), static opcode => opcode));
        json.WriteNumber("eachExits", vcpus.Sum(static vcpu => vcpu.EachExits));
        Counts(json, "interruptions", Ranking.Counts(vcpus.Select(static vcpu => vcpu.Interruptions), names.Vector));
        Counts(json, "tlbMisses", Ranking.Counts(vcpus.Select(static vcpu => vcpu.TlbMisses), names.Vector));
        json.WriteNumber("tlbPurges", vcpus.Sum(static vcpu => vcpu.Purges));
        Counts(json, "interrupts", Ranking.Counts(vcpus.Select(static vcpu => vcpu.Interrupts), static vector => $"0x{vector:x2}"));
        Latencies(json, "hypercalls", Ranking.Latencies(vcpus.Select(static vcpu => vcpu.Hypercalls), names.Hypercall));
        Latencies(json, "firmware", Ranking.Latencies(vcpus.Select(static vcpu => vcpu.FirmwareCalls), key => names.Firmware(key.Service, key.Index)));
        Latencies(json, "devices", Ranking.Latencies(vcpus.Select(static vcpu => vcpu.DeviceAccesses), static key => $"{key.Device} {(key.Write ? "write" : "read")}"));
        Latencies(json, "latencies",
        [
            ("wake to run", Ranking.Sum(vcpus.Select(static vcpu => vcpu.WakeToRun))),
            ("translation", Ranking.Sum(vcpus.Select(static vcpu => vcpu.Translations))),
        ]);
        json.WriteNumber("translatedSlots", vcpus.Sum(static vcpu => vcpu.TranslatedSlots));
        json.WriteNumber("translatedBytes", vcpus.Sum(static vcpu => vcpu.TranslatedBytes));
    }

    private static void Counts(Utf8JsonWriter json, string name, IEnumerable<(string Name, ulong Count)> counts)
    {
        json.WriteStartObject(name);
        foreach ((string key, ulong count) in counts)
            json.WriteNumber(key, count);
        json.WriteEndObject();
    }

    private static void Latencies(Utf8JsonWriter json, string name, IEnumerable<(string Name, LatencyCounts Latency)> latencies)
    {
        json.WriteStartArray(name);
        foreach ((string key, LatencyCounts latency) in latencies)
        {
            if (latency.Count == 0)
                continue;
            json.WriteStartObject();
            json.WriteString("name", key);
            json.WriteNumber("count", latency.Count);
            json.WriteNumber("total", latency.Total);
            json.WriteNumber("median", latency.Percentile(0.5));
            json.WriteNumber("p99", latency.Percentile(0.99));
            json.WriteNumber("longest", latency.Longest);
            json.WriteStartArray("histogram");
            foreach ((ulong from, ulong to, long count) in latency.Buckets)
            {
                json.WriteStartArray();
                json.WriteNumberValue(from);
                json.WriteNumberValue(to);
                json.WriteNumberValue(count);
                json.WriteEndArray();
            }

            json.WriteEndArray();
            json.WriteEndObject();
        }

        json.WriteEndArray();
    }
}
