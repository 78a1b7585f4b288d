using System.Collections.Concurrent;
using System.Diagnostics.Tracing;
using FastXen.Tests;
using Microsoft.Diagnostics.NETCore.Client;
using Microsoft.Diagnostics.Tracing;

namespace FastXen.EndToEnd.Tests.Tracing;

/// <summary>What dotnet-trace and dotnet-counters do, by the library under them, to the executable while it runs.</summary>
public sealed class DiagnosticsPortTests : IDisposable
{
    private readonly FastXenProcess _guest = new("run", "--kernel", Guests.Worker, "--memory", "96M", "--vcpus", "1");

    public DiagnosticsPortTests()
    {
        while (_guest.Output.Length == 0) Thread.Sleep(10);
    }

    public void Dispose() => _guest.Dispose();

    // Events of a session until there were enough.
    private static void Watch(int process, EventPipeProvider provider, Func<TraceEvent, bool> enough)
    {
        using EventPipeSession session = new DiagnosticsClient(process).StartEventPipeSession(provider, requestRundown: false);
        using EventPipeEventSource source = new(session.EventStream);
        using CancellationTokenSource guard = new(FastXenProcess.HangGuard);
        guard.Token.Register(session.Stop);
        bool done = false;
        source.Dynamic.All += e =>
        {
            if (done || !enough(e)) return;
            done = true;
            // The stream ends behind what is buffered; a session cannot be stopped by the thread that reads it.
            Task.Run(session.Stop);
        };
        source.Process();
        Assert.True(done, "the session ended before all was seen");
    }

    [Fact]
    public void A_session_from_outside_sees_events()
    {
        HashSet<string> seen = [];
        Watch(_guest.Id, new EventPipeProvider("FastXen", EventLevel.Verbose, -1), e =>
        {
            if (e.ProviderName != "FastXen") return false;
            seen.Add(e.EventName);
            if (e.EventName == "InterruptInjected") Assert.Equal((1, 0), ((int)e.PayloadByName("domain"), (int)e.PayloadByName("vcpu")));
            return seen.IsSupersetOf(["InterruptInjected", "Interruption", "DeviceAccess", "Exit"]);
        });
    }

    [Fact]
    public void Counters_are_seen_from_outside()
    {
        // As dotnet-counters asks (the source that carries metrics over EventPipe, keyword TimeSeriesValues).
        EventPipeProvider provider = new("System.Diagnostics.Metrics", EventLevel.Informational, 2, new Dictionary<string, string>
        {
            ["SessionId"] = "fastxen-test",
            ["Metrics"] = "FastXen",
            ["RefreshInterval"] = "0.2",
            ["MaxTimeSeries"] = "1000",
            ["MaxHistograms"] = "10",
        });
        ConcurrentDictionary<string, string> values = [];
        Watch(_guest.Id, provider, e =>
        {
            if (!e.EventName.Contains("ValuePublished", StringComparison.Ordinal) || (string)e.PayloadByName("meterName") != "FastXen") return false;
            values[(string)e.PayloadByName("instrumentName")] = (string)e.PayloadByName("tags");
            return values.Count >= 9;
        });
        Assert.Superset(
            new HashSet<string> { "fastxen.domain.count", "fastxen.vcpu.count", "fastxen.vcpu.time", "fastxen.vcpu.slots", "fastxen.vcpu.slices", "fastxen.vcpu.exits", "fastxen.translations" },
            values.Keys.ToHashSet());
        Assert.Contains("vcpu=0", values["fastxen.vcpu.time"], StringComparison.Ordinal);
        Assert.Contains("reason=", values["fastxen.vcpu.exits"], StringComparison.Ordinal);
    }
}
