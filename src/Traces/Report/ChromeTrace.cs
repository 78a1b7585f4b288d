using System.Text.Json;
using FastXen.Traces.Nettrace;

namespace FastXen.Traces.Report;

/// <summary>
/// A trace as Chrome's trace-event JSON, for Perfetto and chrome://tracing: a process is a domain, a thread a vCPU. Written while the trace is read.
/// </summary>
public sealed class ChromeTrace : IDisposable
{
    private const int FlushedAt = 1 << 16;
    private readonly Utf8JsonWriter json;
    private readonly TraceNames names;
    private readonly Dictionary<(int Domain, int Vcpu, int Thread), long> running = [];
    private readonly HashSet<(int Domain, int Vcpu)> vcpus = [];

    /// <summary>Begins a file.</summary>
    public ChromeTrace(Stream stream, TraceNames names)
    {
        json = new Utf8JsonWriter(stream);
        this.names = names;
        json.WriteStartObject();
        json.WriteString("displayTimeUnit", "ns");
        json.WriteStartArray("traceEvents");
    }

    /// <summary>Adds an event.</summary>
    public void Add(in RecordedEvent e)
    {
        int domain = e.Int("domain");
        if (e.Shape.Id < 7)
        {
            if (e.Shape.Id == 1)
                Name("process_name", domain, 0, $"domain {domain} {e.Text("name")}");
            Instant(e, domain, 0, e.Shape.Name, "p");
            return;
        }

        int vcpu = e.Int("vcpu");
        if (vcpus.Add((domain, vcpu)))
            Name("thread_name", domain, vcpu, $"vcpu {vcpu}");
        switch (e.Shape.Id)
        {
            case 10:
                running[(domain, vcpu, e.Int("thread"))] = e.Time;
                break;
            case 11:
                if (running.Remove((domain, vcpu, e.Int("thread")), out long began))
                    Span(e, domain, vcpu, "running", "scheduling", began, e.Time);
                break;
            case 20:
                Counter(e, domain, $"exits {e.Text("reason")} vcpu {vcpu}", e.Number("count"));
                break;
            case 40:
                Span(e, domain, vcpu, names.Hypercall(e.Int("number")), "hypercall", e.Time - (long)e.Number("duration"), e.Time);
                break;
            case 41:
                Span(e, domain, vcpu, names.Firmware(e.Int("service"), e.Number("index")), "firmware", e.Time - (long)e.Number("duration"), e.Time);
                break;
            case 50:
                Span(e, domain, vcpu, "translation", "translation", e.Time - (long)e.Number("duration"), e.Time);
                break;
            case 70:
                Span(e, domain, vcpu, $"{e.Text("device")} {(e.Int("write") != 0 ? "write" : "read")}", "device", e.Time - (long)e.Number("duration"), e.Time);
                break;
            case 30 or 60:
                Instant(e, domain, vcpu, names.Vector(e.Int("vector")), "t");
                break;
            default:
                Instant(e, domain, vcpu, e.Shape.Name, "t");
                break;
        }
    }

    /// <summary>Ends the file; what still ran at <paramref name="end"/> (nanoseconds) ran until then.</summary>
    public void Finish(long end)
    {
        foreach (((int domain, int vcpu, _), long time) in running)
        {
            Begin("X", domain, vcpu, "running", time);
            json.WriteNumber("dur", (end - time) / 1000.0);
            json.WriteEndObject();
        }

        json.WriteEndArray();
        json.WriteEndObject();
        json.Flush();
    }

    /// <inheritdoc/>
    public void Dispose() => json.Dispose();

    private void Name(string kind, int domain, int vcpu, string name)
    {
        json.WriteStartObject();
        json.WriteString("ph", "M");
        json.WriteString("name", kind);
        json.WriteNumber("pid", domain);
        json.WriteNumber("tid", vcpu);
        json.WriteStartObject("args");
        json.WriteString("name", name);
        json.WriteEndObject();
        json.WriteEndObject();
    }

    private void Span(in RecordedEvent e, int domain, int vcpu, string name, string category, long begin, long end)
    {
        Begin("X", domain, vcpu, name, begin);
        json.WriteString("cat", category);
        json.WriteNumber("dur", (end - begin) / 1000.0);
        End(e);
    }

    private void Instant(in RecordedEvent e, int domain, int vcpu, string name, string scope)
    {
        Begin("i", domain, vcpu, name, e.Time);
        json.WriteString("s", scope);
        End(e);
    }

    private void Counter(in RecordedEvent e, int domain, string name, ulong value)
    {
        Begin("C", domain, 0, name, e.Time);
        json.WriteStartObject("args");
        json.WriteNumber("count", value);
        json.WriteEndObject();
        json.WriteEndObject();
    }

    // Times are microseconds.
    private void Begin(string phase, int domain, int vcpu, string name, long time)
    {
        if (json.BytesPending > FlushedAt)
            json.Flush();
        json.WriteStartObject();
        json.WriteString("ph", phase);
        json.WriteNumber("pid", domain);
        json.WriteNumber("tid", vcpu);
        json.WriteString("name", name);
        json.WriteNumber("ts", time / 1000.0);
    }

    // The fields that are no durations of its own; addresses in hexadecimal.
    private void End(in RecordedEvent e)
    {
        json.WriteStartObject("args");
        foreach ((string field, FieldType type) in e.Shape.Fields)
        {
            if (field is "domain" or "vcpu")
                continue;
            if (type == FieldType.String)
                json.WriteString(field, e.Text(field));
            else if (type == FieldType.Int32 || field is "duration" or "slots" or "waited" or "count")
                json.WriteNumber(field, (long)e.Number(field));
            else
                json.WriteString(field, $"0x{e.Number(field):x}");
        }

        json.WriteEndObject();
        json.WriteEndObject();
    }
}
