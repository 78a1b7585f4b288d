using FastXen.Core;
using FastXen.Loader.Configuration;
using FastXen.Loader.Hosting;
using FastXen.Tests;

namespace FastXen.Loader.Tests;

/// <summary>What becomes of domains whose guests end.</summary>
public sealed class EndActionTests : IDisposable
{
    private static readonly TimeSpan Long = TimeSpan.FromMinutes(10);

    private readonly TemporaryFolder _folder = new();
    private readonly Host _host = new();
    private readonly List<HostEventKind> _events = [];

    public EndActionTests() => _host.Happened += happened =>
    {
        lock (_events) _events.Add(happened.Kind);
    };

    public void Dispose()
    {
        _host.StopAsync(TimeSpan.Zero).Wait();
        _host.Dispose();
        _folder.Dispose();
    }

    private static GuestConfig Parse(string fields) => GuestConfigReader.ParseInline($$"""{ "kernel": "k", {{fields}} }""", "/")[0];

    private HostedDomain Start(EndActions ends, string words = "idle") => _host.Create(GuestConfigReader.ParseInline(
        $$"""{ "name": "guest", "personality": "xen", "memory": "24M", "commandLine": "{{words}}", "kernel": "{{Guests.Xenguest}}" }""", "/")[0] with
    { Ends = ends });

    private int Count(HostEventKind kind)
    {
        lock (_events) return _events.Count(one => one == kind);
    }

    private static async Task Until(Func<bool> condition)
    {
        for (DateTime end = DateTime.UtcNow + Long; !condition(); await Task.Delay(2)) Assert.True(DateTime.UtcNow < end);
    }

    [Fact]
    public async Task A_guest_that_powers_off_is_gone_or_starts_again()
    {
        HostedDomain gone = Start(new EndActions(), "selftest=0");
        Assert.Equal(VcpuStop.PowerOff, await gone.Ended.WaitAsync(Long));
        HostedDomain again = Start(new EndActions(OnPoweroff: EndAction.Restart), "selftest=0");
        await Until(() => again.Domain.Reboots >= 2);
        again.Destroy();
        Assert.Equal(VcpuStop.Requested, await again.Ended.WaitAsync(Long));
    }

    [Fact]
    public async Task A_guest_that_is_kept_is_there_until_it_is_destroyed()
    {
        HostedDomain kept = Start(new EndActions(OnPoweroff: EndAction.Preserve), "selftest=0");
        await Until(() => Count(HostEventKind.Preserved) == 1);
        Assert.Equal((DomainState.ShuttingDown, VcpuStop.PowerOff), (kept.State, kept.Domain.KeptAfter));
        string core = Path.Combine(_folder.Path, "core");
        kept.Domain.DumpCore(core);
        Assert.True(new FileInfo(core).Length > 24 << 20);
        // Nobody is there who could be asked.
        await Assert.ThrowsAsync<HostException>(() => kept.ShutdownAsync(Long, force: false));
        // A new start, on request, ends as the first did.
        await kept.RebootAsync(Long, force: true).WaitAsync(Long);
        await Until(() => Count(HostEventKind.Preserved) == 2);
        kept.Destroy();
        await kept.Ended.WaitAsync(Long);
        Assert.Empty(_host.Domains);
    }

    // Its prompt is told to crash as long as there is one.
    private HostedDomain StartToCrash(EndActions ends)
    {
        HostedDomain domain = Start(ends);
        _ = Task.Run(async () =>
        {
            for (; !domain.Ended.IsCompleted; await Task.Delay(50)) domain.Console.Offer("crash\r"u8);
        });
        return domain;
    }

    [Theory]
    [InlineData(EndAction.CoredumpDestroy)]
    [InlineData(EndAction.CoredumpRestart)]
    public async Task A_guest_that_crashes_leaves_its_core(EndAction action)
    {
        string core = Path.Combine(_folder.Path, "core");
        HostedDomain domain = StartToCrash(new EndActions(OnCrash: action, CoreFile: core));
        await Until(() => Count(HostEventKind.Dumped) >= (action == EndAction.CoredumpRestart ? 2 : 1));
        Assert.True(new FileInfo(core).Length > 24 << 20);
        if (action == EndAction.CoredumpRestart)
        {
            Assert.True(domain.Domain.Reboots >= 1);
            domain.Destroy();
        }
        Assert.Equal(action == EndAction.CoredumpRestart ? VcpuStop.Requested : VcpuStop.Crashed, await domain.Ended.WaitAsync(Long));
    }

    [Fact]
    public async Task A_core_that_cannot_be_written_is_told()
    {
        HostedDomain domain = StartToCrash(new EndActions(OnCrash: EndAction.CoredumpDestroy, CoreFile: Path.Combine(_folder.Path, "no", "core")));
        Assert.Equal(VcpuStop.Crashed, await domain.Ended.WaitAsync(Long));
        Assert.Contains(_host.Log.Read(), static line => line.Text.Contains("its core cannot be written", StringComparison.Ordinal));
    }

    [Fact]
    public async Task A_guest_that_crashes_and_is_kept_shows_it()
    {
        HostedDomain domain = StartToCrash(new EndActions(OnCrash: EndAction.Preserve));
        await Until(() => domain.State == DomainState.Crashed);
        await _host.StopAsync(TimeSpan.Zero);
        Assert.True(domain.Ended.IsCompleted);
    }

    [Fact]
    public void Actions_and_reservations_are_read_and_written()
    {
        GuestConfig config = Parse("""
            "onPoweroff": "restart", "onReboot": "preserve", "onCrash": "coredump-restart", "coreFile": "/c", "reservation": { "period": 100, "slice": 25, "extraTime": true }
            """);
        Assert.Equal(new EndActions(EndAction.Restart, EndAction.Preserve, EndAction.CoredumpRestart, "/c"), config.Ends);
        Assert.Equal((100.0, 25.0, true), (config.Reservation!.Period.TotalMilliseconds, config.Reservation.Slice.TotalMilliseconds, config.Reservation.ExtraTime));
        GuestConfig again = GuestConfigReader.ParseInline(System.Text.Encoding.UTF8.GetString(GuestConfigWriter.Write(config)), "/")[0];
        Assert.Equal((config.Ends, config.Reservation), (again.Ends, again.Reservation));
        Assert.Equal(new EndActions(EndAction.Destroy, EndAction.Restart, EndAction.Destroy), Parse("\"vcpus\": 1").Ends);
    }

    [Theory]
    [InlineData("\"onPoweroff\": \"coredump-destroy\"", "config: onPoweroff: expected destroy, restart or preserve, found \"coredump-destroy\"")]
    [InlineData("\"onCrash\": \"explode\"", "config: onCrash: expected destroy, restart, preserve, coredump-destroy or coredump-restart, found \"explode\"")]
    [InlineData("\"onCrash\": \"coredump-destroy\"", "config: coreFile: expected a file name for the core that \"onCrash\" asks for, found nothing")]
    [InlineData("\"coreFile\": \"c\"", "config: coreFile: \"onCrash\" asks for no core")]
    [InlineData("\"reservation\": { \"period\": 10, \"slice\": 11 }", "config: reservation.slice: expected milliseconds from 1 to the period's 10, found \"11\"")]
    [InlineData("\"reservation\": { \"slice\": 1 }", "config: reservation.period: expected milliseconds from 1 to 10000, found nothing")]
    public void What_is_wrong_is_said(string fields, string sentence) => Assert.Equal(sentence, Assert.Throws<ConfigException>(() => Parse(fields)).Message);

    [Fact]
    public async Task A_reservation_of_the_config_is_the_schedulers()
    {
        using Host host = new() { HostThreads = 2 };
        GuestConfig config = GuestConfigReader.ParseInline(
            $$"""{ "memory": "96M", "kernel": "{{Guests.Idle}}", "vcpus": 2, "reservation": { "period": 100, "slice": 60 } }""", "/")[0];
        HostedDomain domain = host.Create(config);
        await Until(() => host.Scheduler!.Domains.Any(static one => one.RealTime is { Slice.TotalMilliseconds: 60 }));
        // What is left is not enough for another one; three would never fit.
        HostedDomain other = host.Create(config with { Name = "other" });
        Assert.Equal(VcpuStop.Crashed, await other.Ended.WaitAsync(Long));
        Assert.Equal(["other cannot have its reservation: those of other domains leave too little of the host threads"], other.Reports);
        Assert.Contains("config: reservation: 4 vcpus with 60 of 100 ms each are more than 2 host threads have",
            Assert.Throws<ConfigException>(() => host.Create(config with { Name = "third", Vcpus = 4 })).Message);
        Assert.False(domain.Ended.IsCompleted);
        await host.StopAsync(TimeSpan.Zero);
    }
}
