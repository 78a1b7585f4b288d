using System.Text;
using System.Text.Json;
using FastXen.Traces.Report;

namespace FastXen.Traces.Tests;

public sealed class ReportTests(SyntheticTrace synthetic) : IClassFixture<SyntheticTrace>
{
    private const int Rounds = SyntheticTrace.Rounds;

    private static readonly TraceNames Names = new() { Hypercall = number => number == 29 ? "sched_op" : $"number {number}", Vector = vector => $"vector {vector:x}" };

    private TraceSummary Summary()
    {
        using FileStream stream = File.OpenRead(synthetic.File);
        return TraceSummary.Read(stream);
    }

    private JsonElement Json()
    {
        using MemoryStream stream = new();
        using (Utf8JsonWriter json = new(stream)) JsonReport.Write(json, Summary(), Names);
        return JsonDocument.Parse(stream.ToArray()).RootElement;
    }

    [Fact]
    public void Everything_is_counted_where_it_belongs()
    {
        TraceSummary trace = Summary();
        Assert.Equal((0, false), (trace.Lost, trace.Truncated));
        Assert.Equal([(1, "linux </script>", "platform"), (2, "worker", "xen")], trace.Domains.Select(domain => (domain.Number, domain.Name, domain.Personality)));
        Assert.Equal(["created", "started", "stopped: PowerOff", "destroyed"], trace.Domains.First().Life.Select(life => life.What));
        Assert.Equal([(1, 0), (1, 1), (2, 0)], trace.Vcpus.Select(vcpu => (vcpu.Domain, vcpu.Vcpu)));
        foreach (VcpuTrace vcpu in trace.Vcpus)
        {
            // The first one runs when the trace ends.
            bool open = vcpu is { Domain: 1, Vcpu: 0 };
            Assert.Equal(Rounds + (open ? 1 : 0), vcpu.Slices.Count);
            Assert.Equal(open ? new() { ["Blocked"] = Rounds, [""] = 1 } : new() { ["Blocked"] = Rounds }, vcpu.SwitchReasons);
            Assert.Equal(12345UL * Rounds, vcpu.Slots);
            Assert.Equal(vcpu.Slices.Sum(slice => slice.End - slice.Start), vcpu.RunTime);
            Assert.All(vcpu.Slices.Zip(vcpu.Slices.Skip(1)), pair => Assert.True(pair.First.End <= pair.Second.Start));
            Assert.Equal(Rounds, vcpu.WakeToRun.Count);
            Assert.Equal(new() { ["Handler"] = 100UL * Rounds, ["Look"] = 11UL * Rounds }, vcpu.Exits);
            Assert.Equal(new() { ["Ld8"] = 100UL * Rounds }, vcpu.Handlers);
            Assert.Equal((Rounds, Rounds), (vcpu.EachExits, vcpu.Purges));
            Assert.Equal(new() { [0x3000] = Rounds }, vcpu.Interruptions);
            Assert.Equal(new() { [0x0800] = Rounds }, vcpu.TlbMisses);
            Assert.Equal(new() { [0xef] = Rounds }, vcpu.Interrupts);
            Assert.Equal((Rounds, 20L * Rounds, 1000L * Rounds), (vcpu.Translations.Count, vcpu.TranslatedSlots, vcpu.TranslatedBytes));
            Assert.Equal(vcpu.Domain == 2 ? Rounds : 0, vcpu.Hypercalls.GetValueOrDefault(29)?.Count ?? 0);
            Assert.Equal(vcpu.Domain == 2 ? Rounds / 5 * 50_000UL : 0, vcpu.Hypercalls.GetValueOrDefault(18)?.Total ?? 0);
            Assert.Equal(vcpu.Domain == 1 ? Rounds : 0, vcpu.DeviceAccesses.GetValueOrDefault(("uart", true))?.Count ?? 0);
            Assert.Equal(vcpu.Domain == 1 ? Rounds * 700UL : 0, vcpu.FirmwareCalls.GetValueOrDefault((0, 29UL))?.Total ?? 0);
        }
    }

    [Fact]
    public void The_text_names_what_took_most()
    {
        StringWriter output = new();
        TextReport.Write(output, Summary(), Names);
        string text = output.ToString();
        string[] lines = text.Split('\n');
        int hypercalls = Array.FindIndex(lines, line => line.StartsWith("hypercalls", StringComparison.Ordinal));
        // By time: the rare one took longer.
        Assert.StartsWith("  number 18", lines[hypercalls + 1], StringComparison.Ordinal);
        Assert.StartsWith("  sched_op", lines[hypercalls + 2], StringComparison.Ordinal);
        Assert.Contains($"  {100 * 3 * Rounds,8}    90.1%", text.Replace("  Handler                         ", "  ", StringComparison.Ordinal), StringComparison.Ordinal);
        Assert.Equal(3, lines.Count(line => line.Contains("% ", StringComparison.Ordinal) && line.Contains("slots; Blocked", StringComparison.Ordinal)));
        Assert.Contains("domain 2 worker: created at ", text, StringComparison.Ordinal);
        Assert.Contains($"wake to run: {3 * Rounds}", text, StringComparison.Ordinal);
        Assert.DoesNotContain("dropped", text, StringComparison.Ordinal);
    }

    [Fact]
    public void The_json_has_the_sums_and_each_vcpu()
    {
        JsonElement json = Json();
        Assert.Equal(3 * Rounds, json.GetProperty("events").GetProperty("SwitchOut").GetInt64());
        Assert.Equal(3 * Rounds * 100, json.GetProperty("exits").GetProperty("Handler").GetInt64());
        JsonElement call = json.GetProperty("hypercalls")[1];
        Assert.Equal(("sched_op", Rounds), (call.GetProperty("name").GetString(), call.GetProperty("count").GetInt32()));
        Assert.Equal(Rounds, call.GetProperty("histogram").EnumerateArray().Sum(bucket => bucket[2].GetInt32()));
        Assert.InRange(call.GetProperty("median").GetInt64(), 1100, 1400);
        Assert.Equal(3, json.GetProperty("vcpus").GetArrayLength());
        Assert.Equal(Rounds, json.GetProperty("vcpus")[2].GetProperty("interruptions").GetProperty("vector 3000").GetInt64());
    }

    [Fact]
    public void The_chrome_trace_nests_and_has_all_slices()
    {
        using MemoryStream output = new();
        using (FileStream stream = File.OpenRead(synthetic.File))
        using (ChromeTrace chrome = new(output, Names))
            chrome.Finish(TraceSummary.Read(stream, chrome.Add).End);
        JsonElement[] events = [.. JsonDocument.Parse(output.ToArray()).RootElement.GetProperty("traceEvents").EnumerateArray()];
        Assert.All(events, e => Assert.True(e.TryGetProperty("ph", out _) && e.TryGetProperty("pid", out _) && e.TryGetProperty("tid", out _)));
        Assert.All(events.Where(e => Phase(e) != "M"), e => Assert.True(e.GetProperty("ts").GetDouble() >= 0));
        Assert.Equal(3 * Rounds + 1, events.Count(e => Phase(e) == "X" && Name(e) == "running"));
        Assert.Equal(Rounds, events.Count(e => Name(e) == "sched_op"));
        Assert.Equal(["domain 1 linux </script>", "domain 2 worker"], events.Where(e => Name(e) == "process_name").Select(e => e.GetProperty("args").GetProperty("name").GetString()));
        Assert.Equal(3, events.Count(e => Name(e) == "thread_name"));

        static string? Phase(JsonElement e) => e.GetProperty("ph").GetString();

        static string? Name(JsonElement e) => e.GetProperty("name").GetString();
    }

    [Fact]
    public void The_page_is_complete_in_itself()
    {
        using MemoryStream output = new();
        HtmlPage.Write(output, Summary(), Names);
        string page = Encoding.UTF8.GetString(output.ToArray());
        Assert.DoesNotContain("http", page, StringComparison.OrdinalIgnoreCase);
        // The name of a domain does not end the data.
        Assert.Equal(2, page.Split("</script>").Length - 1);
        string data = page.Split("id=\"report\">")[1].Split("</script>")[0];
        JsonElement json = JsonDocument.Parse(data).RootElement;
        Assert.Equal((3 * Rounds + 1) * 5, json.GetProperty("lines").EnumerateArray().Sum(line => line.GetProperty("slices").GetArrayLength()));
        Assert.Equal(0, json.GetProperty("joined").GetInt64());
    }

    [Fact]
    public void Percentiles_are_near_the_truth()
    {
        LatencyCounts counts = new();
        Random random = new(7);
        List<ulong> all = [];
        for (int i = 0; i < 10_000; i++)
        {
            ulong value = (ulong)Math.Exp(random.NextDouble() * 25);
            all.Add(value);
            counts.Add(value);
        }

        all.Sort();
        foreach (double share in (double[])[0.01, 0.5, 0.9, 0.99])
            Assert.InRange((double)counts.Percentile(share) / all[(int)(share * all.Count) - 1], 0.85, 1.15);
        Assert.Equal(all[^1], counts.Longest);
        Assert.Equal(10_000, counts.Buckets.Sum(bucket => bucket.Count));
        Assert.All(counts.Buckets, bucket => Assert.Equal(bucket.Count, all.Count(value => value >= bucket.From && value < bucket.To)));
        LatencyCounts none = new();
        Assert.Equal((0UL, 0.0), (none.Percentile(0.5), none.Mean));
    }
}
