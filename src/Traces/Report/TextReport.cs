using System.Globalization;

namespace FastXen.Traces.Report;

/// <summary>The report for a terminal.</summary>
public sealed class TextReport
{
    private const int Columns = 80;
    private const int Rows = 12;
    private static readonly char[] Shades = [' ', '▁', '▂', '▃', '▄', '▅', '▆', '▇', '█'];

    private readonly TextWriter output;
    private readonly TraceSummary trace;
    private readonly TraceNames names;

    private TextReport(TextWriter output, TraceSummary trace, TraceNames names)
    {
        this.output = output;
        this.trace = trace;
        this.names = names;
    }

    /// <summary>Writes it.</summary>
    public static void Write(TextWriter output, TraceSummary trace, TraceNames names) => new TextReport(output, trace, names).Write();

    private void Write()
    {
        VcpuTrace[] vcpus = [.. trace.Vcpus];
        Line($"{Seconds(trace.Duration)}, {trace.Events.Values.Sum()} events, {vcpus.Length} vCPUs, process {trace.Head.ProcessId}, {trace.Head.Started:u}");
        if (trace.Lost != 0)
            Line($"{trace.Lost} events were dropped: there were more than could be written; trace fewer keywords or no verbose ones");
        if (trace.Truncated)
            Line($"the trace has no end: its process died");
        foreach (DomainTrace domain in trace.Domains)
            Line($"domain {domain.Number} {domain.Name}: {string.Join(", ", domain.Life.Select(life => $"{life.What} at {Seconds(life.Time - trace.Begin)}"))}");

        TimeLine(vcpus);
        Latencies("hypercalls", Ranking.Latencies(vcpus.Select(static vcpu => vcpu.Hypercalls), names.Hypercall));
        Counts("exits from translated code", Ranking.Counts(vcpus.Select(static vcpu => vcpu.Exits), static reason => reason));
        Counts("exits for the handler of an instruction", Ranking.Counts(vcpus.Select(static vcpu => vcpu.Handlers), static opcode => opcode));
        Counts("interruptions", Ranking.Counts(vcpus.Select(static vcpu => vcpu.Interruptions), names.Vector));
        Counts("TLB misses", Ranking.Counts(vcpus.Select(static vcpu => vcpu.TlbMisses), names.Vector));
        Counts("external interrupts", Ranking.Counts(vcpus.Select(static vcpu => vcpu.Interrupts), static vector => $"0x{vector:x2}"));
        Latencies("firmware calls", Ranking.Latencies(vcpus.Select(static vcpu => vcpu.FirmwareCalls), key => names.Firmware(key.Service, key.Index)));
        Latencies("device registers", Ranking.Latencies(vcpus.Select(static vcpu => vcpu.DeviceAccesses), static key => $"{key.Device} {(key.Write ? "write" : "read")}"));
        LatencyCounts translations = Ranking.Sum(vcpus.Select(static vcpu => vcpu.Translations));
        if (translations.Count != 0)
        {
            Latencies("translation", [("regions", translations)]);
            long slots = vcpus.Sum(static vcpu => vcpu.TranslatedSlots);
            Line($"  {slots} guest slots, {(double)vcpus.Sum(static vcpu => vcpu.TranslatedBytes) / Math.Max(1, slots):F1} bytes of host code each");
        }

        Histogram("hypercall duration", Ranking.Sum(vcpus.SelectMany(static vcpu => vcpu.Hypercalls.Values)));
        Histogram("wake to run", Ranking.Sum(vcpus.Select(static vcpu => vcpu.WakeToRun)));
        Counts("events", trace.Events.Select(static pair => (pair.Key, (ulong)pair.Value)));
    }

    // A row for each vCPU: how much of each column's time it had a host thread.
    private void TimeLine(VcpuTrace[] vcpus)
    {
        if (trace.Duration <= 0 || vcpus.All(static vcpu => vcpu.Slices.Count == 0))
            return;
        Head($"time line: a column is {Duration((ulong)(trace.Duration / Columns))}; running, slots, slices that ended as");
        foreach (VcpuTrace vcpu in vcpus)
        {
            double[] busy = new double[Columns];
            double column = (double)trace.Duration / Columns;
            foreach (RunSlice slice in vcpu.Slices)
            {
                double from = (slice.Start - trace.Begin) / column, to = (slice.End - trace.Begin) / column;
                for (int i = (int)from; i < Columns && i < to; i++)
                    busy[i] += Math.Min(to, i + 1) - Math.Max(from, i);
            }

            string shades = string.Concat(busy.Select(share => Shades[(int)Math.Clamp(Math.Ceiling(share * (Shades.Length - 1) - 0.01), 0, Shades.Length - 1)]));
            string reasons = string.Join(", ", Ranking.Counts([vcpu.SwitchReasons], static reason => reason).Select(static pair => $"{pair.Name} {pair.Count}"));
            Line($"  {$"{vcpu.Domain}.{vcpu.Vcpu}",-6}|{shades}| {100.0 * vcpu.RunTime / trace.Duration,5:F1}% {vcpu.Slots} slots; {reasons}");
        }
    }

    private void Counts(string title, IEnumerable<(string Name, ulong Count)> counts)
    {
        (string Name, ulong Count)[] all = [.. counts];
        if (all.Length == 0)
            return;
        ulong sum = all.Aggregate(0UL, static (sum, one) => sum + one.Count);
        Head($"{title}: {sum}");
        foreach ((string name, ulong count) in all.Take(Rows))
            Line($"  {name,-32}{count,14}{100.0 * count / Math.Max(1, sum),8:F1}%");
        if (all.Length > Rows)
            Line($"  and {all.Length - Rows} others");
    }

    private void Latencies(string title, List<(string Name, LatencyCounts Latency)> all)
    {
        if (all.Count == 0)
            return;
        Head($"{title,-34}{"count",14}{"time",12}{"median",12}{"99%",12}{"longest",12}");
        foreach ((string name, LatencyCounts latency) in all.Take(Rows))
            Line($"  {name,-32}{latency.Count,14}{Duration(latency.Total),12}{Duration(latency.Percentile(0.5)),12}{Duration(latency.Percentile(0.99)),12}{Duration(latency.Longest),12}");
        if (all.Count > Rows)
            Line($"  and {all.Count - Rows} others");
    }

    private void Histogram(string title, LatencyCounts latency)
    {
        if (latency.Count == 0)
            return;
        Head($"{title}: {latency.Count}");
        // By powers of two: four buckets each.
        var octaves = latency.Buckets.GroupBy(static bucket => System.Numerics.BitOperations.Log2(bucket.From | 1))
            .Select(static octave => (Octave: octave.Key, Count: octave.Sum(static bucket => bucket.Count))).ToArray();
        long most = octaves.Max(static octave => octave.Count);
        foreach ((int octave, long count) in octaves)
            Line($"  {Duration(1UL << octave),10} {count,12} {new string('█', (int)Math.Max(1, count * 50 / most))}");
    }

    private static string Seconds(long nanoseconds) => string.Create(CultureInfo.InvariantCulture, $"{nanoseconds / 1e9:F3} s");

    private static string Duration(ulong nanoseconds) => nanoseconds switch
    {
        < 1_000 => string.Create(CultureInfo.InvariantCulture, $"{nanoseconds} ns"),
        < 1_000_000 => string.Create(CultureInfo.InvariantCulture, $"{nanoseconds / 1e3:F1} us"),
        < 1_000_000_000 => string.Create(CultureInfo.InvariantCulture, $"{nanoseconds / 1e6:F1} ms"),
        _ => Seconds((long)nanoseconds),
    };

    private void Head(FormattableString text)
    {
        output.WriteLine();
        Line(text);
    }

    private void Line(FormattableString text) => output.WriteLine(text.ToString(CultureInfo.InvariantCulture));
}
