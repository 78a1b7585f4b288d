using FastXen.Events;
using FastXen.Traces.Nettrace;

namespace FastXen.Traces.Report;

/// <summary>What a report is made of: a whole trace, counted.</summary>
public sealed class TraceSummary
{
    private readonly SortedDictionary<(int Domain, int Vcpu), VcpuTrace> vcpus = [];
    private readonly SortedDictionary<int, DomainTrace> domains = [];
    private (int Domain, int Vcpu) lastKey = (-1, -1);
    private VcpuTrace? last;

    private TraceSummary() { }

    /// <summary>What the trace says of itself.</summary>
    public TraceHead Head { get; private set; } = new(default, 0);

    /// <summary>From the first event of FastXen to the last one, nanoseconds.</summary>
    public long Duration => End - Begin;

    /// <summary>Time of the first event.</summary>
    public long Begin { get; private set; } = -1;

    /// <summary>Time of the last event.</summary>
    public long End { get; private set; } = -1;

    /// <summary>Events of FastXen, by name.</summary>
    public SortedDictionary<string, long> Events { get; } = new(StringComparer.Ordinal);

    /// <summary>Events that were dropped.</summary>
    public long Lost { get; private set; }

    /// <summary>The process died before the trace was complete.</summary>
    public bool Truncated { get; private set; }

    /// <summary>The vCPUs in order.</summary>
    public IEnumerable<VcpuTrace> Vcpus => vcpus.Values;

    /// <summary>The domains in order.</summary>
    public IEnumerable<DomainTrace> Domains => domains.Values;

    /// <summary>Reads a trace; <paramref name="also"/> is given each event of FastXen as well, in order.</summary>
    public static TraceSummary Read(Stream stream, EventReceiver? also = null)
    {
        TraceSummary summary = new();
        NettraceReader reader = NettraceReader.Read(stream, (in RecordedEvent e) =>
        {
            if (e.Shape.Provider != FastXenEventSource.SourceName)
                return;
            summary.Add(e);
            also?.Invoke(e);
        });
        summary.Head = reader.Head;
        summary.Lost = reader.Lost;
        summary.Truncated = reader.Truncated;
        foreach (VcpuTrace vcpu in summary.vcpus.Values)
        {
            foreach (int thread in vcpu.Running.Keys.ToArray())
                EndSlice(vcpu, thread, summary.End, 0, "");
        }

        return summary;
    }

    private void Add(in RecordedEvent e)
    {
        if (Begin < 0)
            Begin = e.Time;
        End = e.Time;
        Count(Events, e.Shape.Name, 1);
        int domain = e.Int("domain");
        switch (e.Shape.Id)
        {
            case 1:
                DomainTrace created = Domain(domain);
                created.Name = e.Text("name");
                created.Memory = e.Number("memory");
                created.Personality = e.Text("personality");
                created.Life.Add((e.Time, "created"));
                break;
            case 2 or 3 or 4 or 6:
                Domain(domain).Life.Add((e.Time, e.Shape.Name["Domain".Length..].ToLowerInvariant()));
                break;
            case 5:
                Domain(domain).Life.Add((e.Time, $"stopped: {e.Text("reason")}"));
                break;
            default:
                Add(e, Vcpu(domain, e.Int("vcpu")));
                break;
        }
    }

    private static void Add(in RecordedEvent e, VcpuTrace vcpu)
    {
        switch (e.Shape.Id)
        {
            case 10:
                if (vcpu.WokenAt >= 0)
                    vcpu.WakeToRun.Add((ulong)(e.Time - vcpu.WokenAt));
                vcpu.WokenAt = -1;
                vcpu.Running[e.Int("thread")] = e.Time;
                break;
            case 11:
                EndSlice(vcpu, e.Int("thread"), e.Time, e.Number("slots"), e.Text("reason"));
                break;
            case 12:
                if (vcpu.WokenAt < 0 && vcpu.Running.Count == 0)
                    vcpu.WokenAt = e.Time;
                Count(vcpu.Decisions, e.Shape.Name, 1);
                break;
            case 13 or 14:
                Count(vcpu.Decisions, e.Shape.Name, 1);
                break;
            case 20:
                Count(vcpu.Exits, e.Text("reason"), e.Number("count"));
                if (e.Text("opcode") is { Length: > 0 } opcode)
                    Count(vcpu.Handlers, opcode, e.Number("count"));
                break;
            case 21:
                vcpu.EachExits++;
                break;
            case 30:
                Count(vcpu.Interruptions, e.Int("vector"), 1);
                break;
            case 40:
                Latency(vcpu.Hypercalls, e.Int("number"), e.Number("duration"));
                break;
            case 41:
                // What is not a procedure's number is an argument, and would make each call another kind.
                int service = e.Int("service");
                Latency(vcpu.FirmwareCalls, (service, service < 2 ? e.Number("index") : 0), e.Number("duration"));
                break;
            case 50:
                vcpu.Translations.Add(e.Number("duration"));
                vcpu.TranslatedSlots += e.Int("slots");
                vcpu.TranslatedBytes += e.Int("bytes");
                break;
            case 60:
                Count(vcpu.TlbMisses, e.Int("vector"), 1);
                break;
            case 61:
                vcpu.Purges++;
                break;
            case 70:
                Latency(vcpu.DeviceAccesses, (e.Text("device"), e.Int("write") != 0), e.Number("duration"));
                break;
            case 80:
                Count(vcpu.Interrupts, e.Int("vector"), 1);
                break;
        }
    }

    private static void EndSlice(VcpuTrace vcpu, int thread, long end, ulong slots, string reason)
    {
        if (!vcpu.Running.Remove(thread, out long begin))
            return;
        vcpu.Slices.Add(new RunSlice(begin, end, thread, slots, reason));
        vcpu.RunTime += end - begin;
        vcpu.Slots += slots;
        Count(vcpu.SwitchReasons, reason, 1);
    }

    private VcpuTrace Vcpu(int domain, int vcpu)
    {
        if (lastKey == (domain, vcpu) && last is not null)
            return last;
        lastKey = (domain, vcpu);
        if (!vcpus.TryGetValue(lastKey, out last))
            vcpus.Add(lastKey, last = new VcpuTrace(domain, vcpu));
        return last;
    }

    private DomainTrace Domain(int number)
    {
        if (!domains.TryGetValue(number, out DomainTrace? domain))
            domains.Add(number, domain = new DomainTrace(number));
        return domain;
    }

    private static void Count<TKey>(IDictionary<TKey, long> counts, TKey key, long more) where TKey : notnull =>
        counts[key] = counts.TryGetValue(key, out long before) ? before + more : more;

    private static void Count<TKey>(Dictionary<TKey, ulong> counts, TKey key, ulong more) where TKey : notnull =>
        counts[key] = counts.TryGetValue(key, out ulong before) ? before + more : more;

    private static void Latency<TKey>(Dictionary<TKey, LatencyCounts> counts, TKey key, ulong duration) where TKey : notnull
    {
        if (!counts.TryGetValue(key, out LatencyCounts? latency))
            counts.Add(key, latency = new LatencyCounts());
        latency.Add(duration);
    }
}
