using System.Text;
using FastXen.Core;
using FastXen.Loader.Configuration;
using FastXen.Loader.Hosting;
using FastXen.Platform.Uart;
using FastXen.Smp;
using FastXen.Tests;
using FastXen.Xen;

namespace FastXen.Loader.Tests;

/// <summary>Domains of one process, with the small guests of native/.</summary>
public sealed class HostTests : IDisposable
{
    private static readonly TimeSpan Long = TimeSpan.FromMinutes(10);

    private readonly Host _host = new();
    private readonly List<HostEvent> _events = [];

    public HostTests() => _host.Happened += happened =>
    {
        lock (_events) _events.Add(happened);
    };

    public void Dispose() => _host.Dispose();

    private static GuestConfig Config(string name, string kernel) => GuestConfigReader.ParseInline(
        $$"""{ "name": "{{name}}", "memory": "96M", "kernel": "{{kernel}}" }""", "/")[0];

    private HostedDomain Start(string name, string? kernel = null) => _host.Create(Config(name, kernel ?? Guests.Idle));

    private HostEventKind[] EventsOf(int id)
    {
        lock (_events) return [.. _events.Where(happened => happened.Id == id).Select(static happened => happened.Kind)];
    }

    /// <summary>Reads a console until a text has come.</summary>
    private static async Task Expect(HostedDomain domain, string text, ConsoleReader? from = null)
    {
        ConsoleReader reader = from ?? domain.Console.OpenReader();
        StringBuilder all = new();
        byte[] bytes = new byte[4096];
        while (!all.ToString().Contains(text, StringComparison.Ordinal))
        {
            int count = await reader.ReadAsync(bytes).AsTask().WaitAsync(Long);
            Assert.True(count > 0, $"{domain.Name} ended without \"{text}\": {all}");
            all.Append(Encoding.Latin1.GetString(bytes, 0, count));
        }
    }

    // A guest listens to its power button a moment after it said that it is there.
    private static async Task OnceItListens(Func<Task> ask)
    {
        while (true)
        {
            try
            {
                await ask();
                return;
            }
            catch (HostException)
            {
                await Task.Delay(1);
            }
        }
    }

    [Theory]
    [InlineData(false, false)]
    [InlineData(true, false)]
    [InlineData(false, true)]
    public async Task A_domain_that_a_toolstack_made_and_never_started_ends_by_whoever_asks(bool hasVcpus, bool byShutdown)
    {
        HostedDomain domain = _host.CreateEmpty(0, "a test").Domain;
        XenDomain made = _host.Xen.Directory.Find((ushort)domain.Id)!;
        if (hasVcpus)
        {
            Assert.Equal(0, _host.Xen.Control!.SetVcpus(made, 2));
            Assert.All(_host.Xen.MachineOf(made)!.Vcpus, static vcpu => Assert.Equal(EngineKind.Translator, vcpu.Processor.Engine));
        }
        if (byShutdown) await domain.ShutdownAsync(Long, force: true).WaitAsync(Long);
        else
        {
            domain.Destroy();
            await domain.Ended.WaitAsync(Long);
        }
        Assert.Empty(_host.Domains);
        Assert.Null(_host.Xen.Directory.Find((ushort)domain.Id));
    }

    // A backend with a defect of its own: what the interface forbids.
    private sealed class BrokenConsole : ICharacterBackend
    {
        public void Write(ReadOnlySpan<byte> bytes) => throw new InvalidOperationException("the console is broken");

        public void Connect(ICharacterInput input)
        {
        }
    }

    [Fact]
    public async Task A_device_that_breaks_ends_its_domain_with_a_report_and_no_other()
    {
        using Host host = new() { OpenConsole = static domain => domain.Name == "broken" ? new BrokenConsole() : null };
        HostedDomain sound = host.Create(Config("sound", Guests.Idle)), broken = host.Create(Config("broken", Guests.Idle));
        Assert.Equal(VcpuStop.Crashed, await broken.Ended.WaitAsync(Long));
        Assert.Contains("InvalidOperationException: the console is broken", Assert.Single(broken.Reports), StringComparison.Ordinal);
        Assert.Equal([sound], host.Domains);
        await Expect(sound, "idle");
        await OnceItListens(() => sound.ShutdownAsync(Long, force: false));
        Assert.Equal(VcpuStop.PowerOff, await sound.Ended.WaitAsync(Long));
        await host.StopAsync(TimeSpan.Zero);
    }

    [Fact]
    public async Task Domains_have_ids_from_1_and_names_of_their_own()
    {
        HostedDomain first = Start("first"), second = Start("second");
        Assert.Equal((1, 2), (first.Id, second.Id));
        Assert.Equal([first, second], _host.Domains);
        Assert.Same(second, _host.Find("second"));
        Assert.Same(first, _host.Find("1"));
        Assert.Equal("there is no domain '3'", Assert.Throws<HostException>(() => _host.Find("3")).Message);
        Assert.Contains("there is a domain 'first' already", Assert.Throws<HostException>(() => Start("first")).Message);

        first.Destroy();
        Assert.Equal(VcpuStop.Requested, await first.Ended.WaitAsync(Long));
        Assert.Equal([second], _host.Domains);
        // Its name is free, its number is not used again.
        HostedDomain third = Start("first");
        Assert.Equal(3, third.Id);
        _host.Rename(third, "2");
        Assert.Same(third, _host.Find("2"));
        Assert.Throws<HostException>(() => _host.Rename(third, "second"));
        Assert.Throws<HostException>(() => _host.Rename(third, "a name"));
        Assert.Equal([HostEventKind.Created, HostEventKind.Destroyed], EventsOf(1));
        await _host.StopAsync(TimeSpan.Zero);
        Assert.Empty(_host.Domains);
        Assert.Contains("shutting down", Assert.Throws<HostException>(() => Start("late")).Message);
    }

    [Fact]
    public async Task A_config_that_cannot_be_used_leaves_nothing_behind()
    {
        Assert.Throws<ImageException>(() => Start("name", "/none"));
        Assert.Empty(_host.Domains);
        Start("name").Destroy();
        await _host.StopAsync(TimeSpan.Zero);
    }

    [Fact]
    public async Task A_guest_that_listens_shuts_down_and_reboots_when_asked()
    {
        HostedDomain domain = Start("guest");
        ConsoleReader reader = domain.Console.OpenReader();
        await Expect(domain, "idle", reader);
        await OnceItListens(() => domain.RebootAsync(Long, force: false).WaitAsync(Long));
        Assert.Equal(1, domain.Domain.Reboots);
        await Expect(domain, "idle", reader);
        await OnceItListens(() => domain.ShutdownAsync(Long, force: false).WaitAsync(Long));
        Assert.Equal(VcpuStop.PowerOff, await domain.Ended);
        Assert.Contains(HostEventKind.Rebooted, EventsOf(1));
        Assert.Equal(HostEventKind.PoweredOff, EventsOf(1)[^1]);
    }

    [Fact]
    public async Task A_guest_that_does_not_listen_is_only_forced()
    {
        HostedDomain domain = Start("deaf", Guests.Demo);
        HostException e = await Assert.ThrowsAsync<HostException>(() => domain.ShutdownAsync(Long, force: false));
        Assert.Contains("does not listen to its power button", e.Message);
        Assert.Equal(VcpuStop.PowerOff, await domain.Ended.WaitAsync(Long));
    }

    [Fact]
    public async Task A_guest_that_does_not_obey_loses_its_power()
    {
        HostedDomain domain = Start("slow");
        await Expect(domain, "idle");
        await OnceItListens(() => domain.ShutdownAsync(TimeSpan.Zero, force: false));
        VcpuStop reason = await domain.Ended;
        Assert.True(reason is VcpuStop.Requested or VcpuStop.PowerOff);
    }

    [Fact]
    public async Task One_that_breaks_ends_alone_with_its_report()
    {
        HostedDomain bystander = Start("bystander", Guests.Worker);
        BreakingPlace place = new();
        using Host broken = new() { OpenConsole = _ => place };
        HostedDomain domain = broken.Create(Config("broken", Guests.Idle));
        place.Broken = true;
        await Expect(domain, "idle");
        await Assert.ThrowsAsync<TimeoutException>(() => domain.Ended.WaitAsync(TimeSpan.Zero));
        domain.Domain.Reset();
        Assert.Equal(VcpuStop.Crashed, await domain.Ended.WaitAsync(Long));
        Assert.Contains("an invariant broke", Assert.Single(domain.Reports));
        Assert.Contains(broken.Log.Read(), line => line.Text.StartsWith("broken (1): internal error", StringComparison.Ordinal));
        Assert.Empty(broken.Domains);
        await Expect(bystander, " ok", bystander.Console.OpenReader(fromOldest: false));
        await _host.StopAsync(TimeSpan.Zero);
    }

    [Fact]
    public async Task A_paused_domain_does_nothing_until_it_is_unpaused()
    {
        HostedDomain domain = Start("worker", Guests.Worker);
        await Expect(domain, " ok");
        domain.Pause();
        domain.Pause();
        Assert.Equal(DomainState.Paused, domain.State);
        TimeSpan used = domain.Domain.ProcessorTime;
        ConsoleReader after = domain.Console.OpenReader(fromOldest: false);
        await Assert.ThrowsAsync<HostException>(() => domain.ShutdownAsync(Long, force: false));
        Assert.Equal(used, domain.Domain.ProcessorTime);
        domain.Unpause();
        await Expect(domain, " ok", after);
        // What came first may have been on its way before the pause.
        await WaitFor(() => domain.Domain.ProcessorTime > used);
        domain.Pause();
        domain.Destroy();
        Assert.Equal(VcpuStop.Requested, await domain.Ended.WaitAsync(Long));
        Assert.Equal([HostEventKind.Created, HostEventKind.Paused, HostEventKind.Unpaused, HostEventKind.Paused, HostEventKind.Destroyed], EventsOf(1));
    }

    [Fact]
    public async Task Shares_and_affinities_outlive_a_reboot()
    {
        using Host host = new() { HostThreads = 2 };
        HostedDomain domain = host.Create(Config("guest", Guests.Idle) with { Credit = new CreditParameters(512, 80), Cpus = 0b10 });
        domain.Domain.Scheduling.Credit = new CreditParameters(100, 0);
        await Expect(domain, "idle");
        domain.Domain.Scheduling.Pin(0, hard: null, soft: 0b10);
        await domain.RebootAsync(TimeSpan.Zero, force: true).WaitAsync(Long);
        Assert.Equal(new CreditParameters(100, 0), domain.Domain.Scheduling.Credit);
        ConsoleReader reader = domain.Console.OpenReader(fromOldest: false);
        await domain.RebootAsync(TimeSpan.Zero, force: true).WaitAsync(Long);
        await Expect(domain, "idle", reader);
        ScheduledVcpu vcpu = Assert.Single(domain.Domain.Scheduling.Vcpus);
        Assert.Equal((0b10UL, 0b10UL, 1), (vcpu.HardAffinity, vcpu.SoftAffinity, vcpu.Statistics.HostThread));
        await host.StopAsync(TimeSpan.Zero);
        Assert.Empty(host.Scheduler!.Domains);
    }

    /// <summary>Domains of a toolstack that left them as it made them: without vCPUs, paused.</summary>
    [Fact]
    public async Task Domains_that_never_ran_end_with_the_host()
    {
        HostedDomain domain = _host.CreateEmpty(0, "a test").Domain, other = _host.CreateEmpty(0, "a test").Domain;
        other.Destroy();
        Assert.Equal(VcpuStop.Requested, await other.Ended.WaitAsync(Long));
        await _host.StopAsync(TimeSpan.Zero).WaitAsync(Long);
        Assert.True(domain.Ended.IsCompleted);
        Assert.Empty(_host.Domains);
    }

    [Fact]
    public void The_log_keeps_its_latest_lines()
    {
        HostLog log = new();
        for (int n = 0; n < 2000; n++) log.Write($"line {n}");
        IReadOnlyList<HostLogLine> lines = log.Read(clear: true);
        Assert.Equal("line 1999", lines[^1].Text);
        Assert.Equal(1024, lines.Count);
        Assert.Equal(lines.OrderBy(static line => line.Time), lines);
        Assert.Empty(log.Read());
    }

    // A place whose device cannot be connected again after a reset.
    private sealed class BreakingPlace : Platform.Uart.ICharacterBackend
    {
        public volatile bool Broken;

        public void Write(ReadOnlySpan<byte> bytes)
        {
        }

        public void Connect(Platform.Uart.ICharacterInput input)
        {
            if (Broken) throw new InvalidOperationException("an invariant broke");
        }
    }

    [Fact]
    public async Task Paused_domain_does_not_run_and_can_be_destroyed()
    {
        HostedDomain domain = Start("paused", Guests.Worker);
        await WaitFor(() => domain.Domain.ProcessorTime > TimeSpan.Zero);
        Assert.True(domain.Domain.Scheduling.Pause());
        Assert.False(domain.Domain.Scheduling.Pause());
        TimeSpan used = domain.Domain.ProcessorTime;
        await Task.Delay(50);
        Assert.Equal(used, domain.Domain.ProcessorTime);
        domain.Destroy();
        Assert.Equal(VcpuStop.Requested, await domain.Ended.WaitAsync(Long));
    }

    [Fact]
    public async Task Shares_and_affinity_come_from_the_config_and_can_be_changed()
    {
        GuestConfig config = Config("shared", Guests.Idle) with { HostThreads = 2, Credit = new CreditParameters(512, 150), Cpus = 2 };
        HostedDomain domain = _host.Create(config);
        await WaitFor(() => domain.Domain.Scheduling.Vcpus.Count == 1);
        ScheduledVcpu vcpu = domain.Domain.Scheduling.Vcpus[0];
        Assert.Equal((512, 150, 2UL), (vcpu.Domain.Credit.Weight, vcpu.Domain.Credit.Cap, vcpu.HardAffinity));
        domain.Domain.Scheduling.Credit = new CreditParameters(100, 0);
        domain.Domain.Scheduling.Pin(0, hard: 1, soft: null);
        Assert.Equal((100, 1UL), (vcpu.Domain.Credit.Weight, vcpu.HardAffinity));
        Assert.Throws<ArgumentException>(() => domain.Domain.Scheduling.Pin(0, hard: 4, soft: null));
        Assert.Equal("config: cpus: names none of the 2 host threads (0 to 1)", Assert.Throws<ConfigException>(() => _host.Create(config with { Name = "b", Cpus = 4 })).Message);
        Assert.Equal("config: hostThreads: this process has 2 already, found 3", Assert.Throws<ConfigException>(() => _host.Create(config with { Name = "c", HostThreads = 3 })).Message);
        domain.Destroy();
        await domain.Ended.WaitAsync(Long);
    }

    private static async Task WaitFor(Func<bool> condition)
    {
        using CancellationTokenSource end = new(Long);
        while (!condition()) await Task.Delay(5, end.Token);
    }
}
