using System.Text;
using System.Text.Json;

namespace FastXen.Traces.Report;

/// <summary>The report as one page that needs nothing else: tables, and a time line to zoom into.</summary>
public static class HtmlPage
{
    // What a browser draws without delay.
    private const int MostSlices = 200_000;
    private const string Place = "\"@report@\"";

    /// <summary>Writes it.</summary>
    public static void Write(Stream stream, TraceSummary trace, TraceNames names)
    {
        using StreamReader reader = new(typeof(HtmlPage).Assembly.GetManifestResourceStream("report.html")!);
        string[] page = reader.ReadToEnd().Split(Place);
        stream.Write(Encoding.UTF8.GetBytes(page[0]));
        // The writer's encoder escapes < and &: the text cannot end the script that it is in.
        using (Utf8JsonWriter json = new(stream))
        {
            json.WriteStartObject();
            JsonReport.WriteFields(json, trace, names);
            TimeLines(json, trace);
            json.WriteEndObject();
        }

        stream.Write(Encoding.UTF8.GetBytes(page[1]));
    }

    private static void TimeLines(Utf8JsonWriter json, TraceSummary trace)
    {
        VcpuTrace[] vcpus = [.. trace.Vcpus.Where(static vcpu => vcpu.Slices.Count != 0)];
        List<string> reasons = [.. vcpus.SelectMany(static vcpu => vcpu.SwitchReasons.Keys).Distinct().Order(StringComparer.Ordinal)];
        long gap = 0;
        while (vcpus.Sum(vcpu => Joined(vcpu.Slices, gap).Count()) > MostSlices)
            gap = gap == 0 ? 1000 : gap * 2;
        json.WriteNumber("joined", gap);
        json.WriteStartArray("reasons");
        reasons.ForEach(json.WriteStringValue);
        json.WriteEndArray();
        json.WriteStartArray("lines");
        foreach (VcpuTrace vcpu in vcpus)
        {
            json.WriteStartObject();
            json.WriteNumber("domain", vcpu.Domain);
            json.WriteNumber("vcpu", vcpu.Vcpu);
            json.WriteStartArray("slices");
            foreach (RunSlice slice in Joined(vcpu.Slices, gap))
            {
                json.WriteNumberValue(slice.Start - trace.Begin);
                json.WriteNumberValue(slice.End - slice.Start);
                json.WriteNumberValue(slice.Thread);
                json.WriteNumberValue(slice.Slots);
                json.WriteNumberValue(reasons.IndexOf(slice.Reason));
            }

            json.WriteEndArray();
            json.WriteEndObject();
        }

        json.WriteEndArray();
    }

    // Slices on one thread with less than a gap between them become one.
    private static IEnumerable<RunSlice> Joined(List<RunSlice> slices, long gap)
    {
        RunSlice? open = null;
        foreach (RunSlice slice in slices)
        {
            if (open is { } before && gap > 0 && slice.Start - before.End < gap && slice.Thread == before.Thread)
            {
                open = before with { End = slice.End, Slots = before.Slots + slice.Slots, Reason = slice.Reason };
                continue;
            }

            if (open is { } complete)
                yield return complete;
            open = slice;
        }

        if (open is { } last)
            yield return last;
    }
}
