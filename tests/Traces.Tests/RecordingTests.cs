using System.Diagnostics.Tracing;
using FastXen.Events;
using FastXen.Traces.Nettrace;
using FastXen.Traces.Report;
using FastXen.Traces.Session;
using Microsoft.Diagnostics.Tracing;

namespace FastXen.Traces.Tests;

/// <summary>Recorded by this process of itself, read by FastXen and by Microsoft's TraceEvent.</summary>
public sealed class RecordingTests : IDisposable
{
    private readonly string file = Path.GetTempFileName();

    public void Dispose() => File.Delete(file);

    private static string Value(object? value) => value switch
    {
        int number => ((ulong)number).ToString("x", null),
        ulong number => number.ToString("x", null),
        _ => value?.ToString() ?? "",
    };

    private List<string> ByFastXen(out NettraceReader reader)
    {
        List<string> lines = [];
        using FileStream stream = File.OpenRead(file);
        reader = NettraceReader.Read(stream, Add);
        return lines;

        void Add(in RecordedEvent e)
        {
            string line = $"{e.Shape.Provider} {e.Shape.Id} {e.Shape.Name} {e.Time / 100}";
            foreach ((string name, FieldType type) in e.Shape.Fields)
                line += $" {name}={(type == FieldType.String ? e.Text(name) : Value(e.Number(name)))}";
            lines.Add(line);
        }
    }

    private List<string> ByTraceEvent(out int lost)
    {
        List<string> lines = [];
        using EventPipeEventSource source = new(file);
        source.Dynamic.All += e =>
        {
            string line = $"{e.ProviderName} {(int)e.ID} {e.EventName} {(long)Math.Floor(e.TimeStampRelativeMSec * 10_000 + 1e-4)}";
            for (int i = 0; i < e.PayloadNames.Length; i++)
                line += $" {e.PayloadNames[i]}={Value(e.PayloadValue(i))}";
            lines.Add(line);
        };
        source.Process();
        lost = source.EventsLost;
        return lines;
    }

    [Fact]
    public void Both_readers_find_the_same_events_in_the_same_order()
    {
        FastXenEventSource log = FastXenEventSource.Log;
        using (TraceRecorder recorder = new(file, EventKeywords.All, EventLevel.Verbose))
        {
            log.DomainCreated(1, 2, 1UL << 40, "linux", "platform");
            Thread[] threads = [.. Enumerable.Range(0, 3).Select(vcpu => new Thread(() =>
            {
                for (uint i = 0; i < 2000; i++)
                {
                    log.SwitchIn(1, vcpu, vcpu);
                    log.ExitCount(1, vcpu, ulong.MaxValue - i, "Handler", "Ld1Acq");
                    log.Hypercall(1, vcpu, 17, i, 2, 3, 4, 5, ulong.MaxValue, 1000);
                    log.SwitchOut(1, vcpu, vcpu, i, "Blocked");
                }
            }))];
            Array.ForEach(threads, thread => thread.Start());
            Array.ForEach(threads, thread => thread.Join());
            log.DomainStopped(1, "PowerOff");
            recorder.Dispose();
            Assert.Null(recorder.Failure);
        }

        List<string> ours = ByFastXen(out NettraceReader reader);
        List<string> theirs = ByTraceEvent(out int lost);
        Assert.False(reader.Truncated);
        Assert.Equal((0, Environment.ProcessId), (lost, reader.Head.ProcessId));
        Assert.Equal(0, reader.Lost);
        string[] guests = [.. ours.Where(line => line.StartsWith("FastXen ", StringComparison.Ordinal))];
        Assert.Equal(2 + 3 * 2000 * 4, guests.Length);
        Assert.StartsWith("FastXen 1 DomainCreated", guests[0], StringComparison.Ordinal);
        Assert.Single(guests, line => line.StartsWith("FastXen 5 DomainStopped", StringComparison.Ordinal));
        // Events of several threads need not come in the order of their times; both readers find the same ones.
        Assert.Equal(theirs.Order(), ours.Order());
    }

    [Fact]
    public void Emitting_allocates_nothing()
    {
        using TraceRecorder recorder = new(file, EventKeywords.All, EventLevel.Verbose);
        Emit();
        long before = GC.GetAllocatedBytesForCurrentThread();
        for (int i = 0; i < 100; i++) Emit();
        Assert.Equal(before, GC.GetAllocatedBytesForCurrentThread());

        static void Emit()
        {
            FastXenEventSource.Log.SwitchOut(1, 2, 3, 4, "Blocked");
            FastXenEventSource.Log.Hypercall(1, 2, 3, 4, 5, 6, 7, 8, 9, 10);
            FastXenEventSource.Log.ExitCount(1, 2, 3, "Look", "");
        }
    }

    /// <summary>Events of two host threads may cross in a trace: a vCPU that moves comes before it leaves.</summary>
    [Fact]
    public void A_vcpu_that_moves_keeps_its_slices_though_events_cross()
    {
        using (TraceRecorder recorder = new(file, EventKeywords.All, EventLevel.Verbose))
        {
            FastXenEventSource.Log.SwitchIn(1, 0, 10);
            FastXenEventSource.Log.SwitchIn(1, 0, 11);
            FastXenEventSource.Log.SwitchOut(1, 0, 10, 100, "Preempted");
            FastXenEventSource.Log.SwitchOut(1, 0, 11, 23, "Blocked");
        }

        using FileStream stream = File.OpenRead(file);
        VcpuTrace vcpu = Assert.Single(TraceSummary.Read(stream).Vcpus);
        Assert.Equal((123UL, 2), (vcpu.Slots, vcpu.Slices.Count));
        Assert.Equal([10, 11], vcpu.Slices.Select(slice => slice.Thread));
    }

    [Fact]
    public void A_trace_that_ends_early_is_read_up_to_there()
    {
        using (TraceRecorder recorder = new(file, EventKeywords.All, EventLevel.Verbose))
        {
            for (int i = 0; i < 30_000; i++) FastXenEventSource.Log.TlbMiss(1, 0, 0x400, 1, 2);
        }

        int whole = ByFastXen(out _).Count;
        byte[] bytes = File.ReadAllBytes(file);
        File.WriteAllBytes(file, bytes[..(bytes.Length / 2)]);
        List<string> some = ByFastXen(out NettraceReader reader);
        Assert.True(reader.Truncated);
        Assert.InRange(some.Count, 1, whole - 1);
    }

    [Theory]
    [InlineData("")]
    [InlineData("Nettrace")]
    [InlineData("no trace at all, but a text")]
    public void What_is_no_trace_is_refused(string text)
    {
        File.WriteAllText(file, text);
        if (text.Length > 8) Assert.Throws<TraceException>(() => ByFastXen(out _));
        else Assert.Equal((0, true), (ByFastXen(out NettraceReader reader).Count, reader.Truncated));
    }

    [Fact]
    public void Damaged_traces_end_with_a_sentence()
    {
        using (TraceRecorder recorder = new(file, EventKeywords.All, EventLevel.Verbose))
        {
            for (int i = 0; i < 100; i++) FastXenEventSource.Log.SwitchOut(1, 0, 1, 2, "Blocked");
        }

        byte[] good = File.ReadAllBytes(file);
        Random random = new(1);
        for (int round = 0; round < 500; round++)
        {
            byte[] bad = (byte[])good.Clone();
            for (int k = 0; k < 3; k++) bad[random.Next(bad.Length)] = (byte)random.Next(256);
            try
            {
                NettraceReader.Read(new MemoryStream(bad), (in RecordedEvent e) => e.Text("reason"));
            }
            catch (TraceException e)
            {
                Assert.NotEmpty(e.Message);
            }
        }
    }

    [Fact]
    public void Keywords_and_levels_have_names()
    {
        Assert.Equal(FastXenEventSource.Keywords.Lifecycle | FastXenEventSource.Keywords.Exits | FastXenEventSource.Keywords.Tlb, TraceSelection.ReadKeywords("exits, TLB"));
        Assert.Equal((long)FastXenEventSource.Keywords.Interrupts * 2 - 1, (long)TraceSelection.ReadKeywords("all"));
        Assert.Equal(EventLevel.Verbose, TraceSelection.ReadLevel("Verbose"));
        Assert.Contains("scheduling", Assert.Throws<TraceException>(() => TraceSelection.ReadKeywords("exit")).Message, StringComparison.Ordinal);
        Assert.Contains("'loud'", Assert.Throws<TraceException>(() => TraceSelection.ReadLevel("loud")).Message, StringComparison.Ordinal);
        Assert.Contains("/nowhere/", Assert.Throws<TraceException>(() => new TraceRecorder("/nowhere/t", EventKeywords.All, EventLevel.Verbose)).Message, StringComparison.Ordinal);
    }
}
