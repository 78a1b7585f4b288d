using System.Text.Json;
using System.Text.Json.Serialization.Metadata;
using FastXen.Core;
using FastXen.Loader;
using FastXen.Loader.Configuration;
using FastXen.Loader.Hosting;
using FastXen.Loader.Scheduling;
using FastXen.Loader.Xen;
using FastXen.Smp;

namespace FastXen.Control;

/// <summary>Does what requests ask of a host.</summary>
internal sealed class ControlService
{
    private static readonly TimeSpan LongestGrace = TimeSpan.FromDays(1);

    private readonly Host _host;
    private readonly string _socket;
    private readonly Dictionary<string, Func<ControlRequest, CancellationToken, Task<JsonElement>>> _commands;

    public ControlService(Host host, string socket)
    {
        _host = host;
        _socket = socket;
        _commands = new(StringComparer.Ordinal)
        {
            ["list"] = Now(List),
            ["create"] = Now(Create),
            ["pause"] = Now(request => OfDomain(request, static domain => domain.Pause())),
            ["unpause"] = Now(request => OfDomain(request, static domain => domain.Unpause())),
            ["shutdown"] = ShutdownAsync,
            ["reboot"] = RebootAsync,
            ["destroy"] = DestroyAsync,
            ["save"] = SaveAsync,
            ["restore"] = Now(Restore),
            ["rename"] = Now(Rename),
            ["vcpu-list"] = Now(ListVcpus),
            ["vcpu-pin"] = Now(Pin),
            ["vcpu-set"] = Now(SetVcpus),
            ["mem-set"] = Now(SetMemory),
            ["sched-credit"] = Now(Credit),
            ["dump-core"] = Now(DumpCore),
            ["info"] = Now(_ => Json(HostFacts.Read(_host, _socket), ControlJson.Default.HostInfo)),
            ["dmesg"] = Now(Log),
        };
    }

    /// <summary>Time that a guest is given to shut down when a request does not say.</summary>
    public static TimeSpan DefaultGrace => TimeSpan.FromSeconds(60);

    /// <summary>Does one request. What cannot be done is a <see cref="ControlException"/> or a <see cref="LoadException"/>.</summary>
    public Task<JsonElement> AnswerAsync(ControlRequest request, CancellationToken cancellation)
    {
        string command = request.Command ?? throw new ControlException("a request needs a \"command\"");
        return _commands.TryGetValue(command, out var answer)
            ? answer(request, cancellation)
            : throw new ControlException($"there is no command '{Printable(command)}'; known are {string.Join(", ", _commands.Keys)}, console, events, xenstore");
    }

    /// <summary>The domain that a request is about.</summary>
    public HostedDomain DomainOf(ControlRequest request) =>
        _host.Find(Printable(request.Domain ?? throw new ControlException($"'{request.Command}' needs a \"domain\"")));

    /// <summary>A text of a request in an error sentence: short, without control characters.</summary>
    public static string Printable(string text)
    {
        const int Longest = 100;
        string clean = string.Concat(text.Take(Longest).Select(static c => char.IsControl(c) || char.IsSurrogate(c) ? '?' : c));
        return text.Length <= Longest ? clean : clean + "...";
    }

    /// <summary>A domain as <c>list</c> tells it.</summary>
    public DomainInfo Describe(HostedDomain domain) => new()
    {
        Id = domain.Id,
        Name = domain.Name,
        MemoryBytes = domain.Domain.MemoryBytes,
        Vcpus = domain.Domain.Vcpus,
        State = domain.State,
        CpuSeconds = domain.Domain.ProcessorTime.TotalSeconds,
        UptimeSeconds = (_host.Log.Now - domain.Created).TotalSeconds,
        Reboots = domain.Domain.Reboots,
        Kernel = domain.Config.Kernel,
        Config = domain.Config.Source,
    };

    private JsonElement List(ControlRequest request)
    {
        IEnumerable<HostedDomain> domains = request.Domain is null ? _host.Domains : [DomainOf(request)];
        return Json([.. domains.Select(Describe)], ControlJson.Default.ListDomainInfo);
    }

    private JsonElement Create(ControlRequest request)
    {
        IReadOnlyList<GuestConfig> configs = request switch
        {
            { Config: { } text, File: null } => GuestConfigReader.ParseInline(text, request.Folder ?? "/"),
            { File: { } file, Config: null } when Path.IsPathFullyQualified(file) => GuestConfigReader.ReadAll(file),
            _ => throw new ControlException("'create' needs a \"file\" (a whole path) or a \"config\" (the text)"),
        };
        List<DomainDone> made = [];
        foreach (GuestConfig config in configs)
        {
            HostedDomain domain = _host.Create(config);
            made.Add(new DomainDone { Id = domain.Id, Name = domain.Name });
        }
        return Json(made, ControlJson.Default.ListDomainDone);
    }

    private async Task<JsonElement> ShutdownAsync(ControlRequest request, CancellationToken cancellation)
    {
        HostedDomain domain = DomainOf(request);
        Task<VcpuStop> ended = domain.ShutdownAsync(Grace(request), request.Force);
        return await DoneAsync(domain, ended, request.Wait, cancellation);
    }

    private async Task<JsonElement> RebootAsync(ControlRequest request, CancellationToken cancellation)
    {
        HostedDomain domain = DomainOf(request);
        Task rebooted = domain.RebootAsync(Grace(request), request.Force);
        if (request.Wait || rebooted.IsFaulted) await rebooted.WaitAsync(cancellation);
        return Done(domain, null);
    }

    private async Task<JsonElement> DestroyAsync(ControlRequest request, CancellationToken cancellation)
    {
        HostedDomain domain = DomainOf(request);
        domain.Destroy();
        return await DoneAsync(domain, domain.Ended, wait: true, cancellation);
    }

    private async Task<JsonElement> SaveAsync(ControlRequest request, CancellationToken cancellation)
    {
        HostedDomain domain = DomainOf(request);
        if (request.File is not { } file || !Path.IsPathFullyQualified(file)) throw new ControlException("'save' needs a \"file\" (a whole path)");
        await domain.SaveAsync(file, request.Checkpoint, Grace(request)).WaitAsync(cancellation);
        return Done(domain, null);
    }

    private JsonElement Restore(ControlRequest request)
    {
        if (request.File is not { } file || !Path.IsPathFullyQualified(file)) throw new ControlException("'restore' needs a \"file\" (a whole path)");
        return Done(_host.Create(SaveFile.ReadConfig(file)), null);
    }

    private JsonElement Rename(ControlRequest request)
    {
        HostedDomain domain = DomainOf(request);
        _host.Rename(domain, Printable(request.Name ?? throw new ControlException("'rename' needs a \"name\"")));
        return Done(domain, null);
    }

    private JsonElement ListVcpus(ControlRequest request)
    {
        List<VcpuInfo> vcpus = [];
        foreach (HostedDomain domain in request.Domain is null ? _host.Domains : [DomainOf(request)])
        {
            DomainScheduling scheduling = domain.Domain.Scheduling;
            IReadOnlyList<ScheduledVcpu> scheduled = scheduling.Vcpus;
            for (int number = 0; number < domain.Domain.Vcpus; number++)
            {
                // None between two machines.
                VcpuStatistics? now = number < scheduled.Count ? scheduled[number].Statistics : null;
                (ulong hard, ulong soft) = scheduling.Affinity(number);
                vcpus.Add(new VcpuInfo
                {
                    Id = domain.Id,
                    Name = domain.Name,
                    Vcpu = number,
                    HostThread = now?.HostThread,
                    State = now?.Phase ?? VcpuPhase.Detached,
                    CpuSeconds = now?.RunTime.TotalSeconds ?? 0,
                    HardAffinity = HostThreadSet.Format(hard, scheduling.HostThreads),
                    SoftAffinity = HostThreadSet.Format(soft, scheduling.HostThreads),
                });
            }
        }
        return Json(vcpus, ControlJson.Default.ListVcpuInfo);
    }

    private JsonElement Pin(ControlRequest request)
    {
        HostedDomain domain = DomainOf(request);
        DomainScheduling time = domain.Domain.Scheduling;
        ulong? hard = Set(request.Cpus, "cpus"), soft = Set(request.SoftCpus, "softCpus");
        if (hard is null && soft is null) throw new ControlException("'vcpu-pin' needs \"cpus\" or \"softCpus\"");
        int last = domain.Domain.Vcpus - 1;
        if (request.Vcpu is < 0 || request.Vcpu > last) throw new ControlException($"{domain.Name} has vcpus 0 to {last}, not {request.Vcpu}");
        try
        {
            for (int vcpu = request.Vcpu ?? 0; vcpu <= (request.Vcpu ?? last); vcpu++) time.Pin(vcpu, hard, soft);
        }
        catch (ArgumentException)
        {
            throw new ControlException($"\"{request.Cpus}\" names none of the host threads, which are 0 to {time.HostThreads - 1}");
        }
        return Done(domain, null);
    }

    private static ulong? Set(string? text, string field)
    {
        if (text is null) return null;
        return HostThreadSet.TryParse(text, out ulong cpus) ? cpus : throw new ControlException($"\"{field}\": expected {HostThreadSet.Form}, found \"{Printable(text)}\"");
    }

    // An unmodified kernel takes its processors out of use itself: the machine has no way to ask for that.
    private JsonElement SetVcpus(ControlRequest request)
    {
        HostedDomain domain = DomainOf(request);
        int all = domain.Domain.Vcpus;
        int count = request.Count ?? throw new ControlException("'vcpu-set' needs a \"count\"");
        if (count < 1 || count > all) throw new ControlException($"{domain.Name} was made with {all} vcpus: expected 1 to {all}, found {count}");
        CheckCanBeAsked(domain);
        return domain.Domain.AskForVcpus(count) || count == all ? Done(domain, null) : throw new ControlException(
            $"{domain.Name} has the platform personality, whose kernel decides which of its {all} vcpus are online: in the guest, write 0 or 1 to /sys/devices/system/cpu/cpuN/online");
    }

    private JsonElement SetMemory(ControlRequest request)
    {
        HostedDomain domain = DomainOf(request);
        string text = request.Memory ?? throw new ControlException("'mem-set' needs a \"memory\"");
        if (!MemorySize.TryParse(text, out ulong bytes)) throw new ControlException($"\"memory\": expected a size such as \"512M\" or \"1G\", found \"{Printable(text)}\"");
        ulong most = domain.Config.Memory;
        if (bytes < 1 << 20 || bytes > most) throw new ControlException($"{domain.Name} was made with {MemorySize.Format(most)}: expected 1M to that, found {Printable(text)}");
        CheckCanBeAsked(domain);
        return domain.Domain.AskForMemory(bytes) ? Done(domain, null) : throw new ControlException(
            $"{domain.Name} has the platform personality, whose memory is what it was made with: only a domain on the Xen interface gives memory back");
    }

    private static void CheckCanBeAsked(HostedDomain domain)
    {
        if (domain.Domain.CannotBeAsked is { } reason) throw new ControlException($"{domain.Name} {reason}: it cannot be asked from here");
    }

    private JsonElement Credit(ControlRequest request)
    {
        bool change = request.Weight is not null || request.Cap is not null;
        if (change)
        {
            HostedDomain domain = DomainOf(request);
            DomainScheduling time = domain.Domain.Scheduling;
            CreditParameters credit = time.Credit;
            try
            {
                time.Credit = new CreditParameters(request.Weight ?? credit.Weight, request.Cap ?? credit.Cap);
            }
            catch (ArgumentException)
            {
                throw new ControlException($"expected a weight from 1 to {CreditParameters.MaximumWeight} and a cap from 0 to {CreditParameters.MaximumCap}");
            }
        }
        IEnumerable<HostedDomain> domains = request.Domain is null ? _host.Domains : [DomainOf(request)];
        return Json([.. domains.Select(static domain =>
            new CreditInfo(domain.Id, domain.Name, domain.Domain.Scheduling.Credit.Weight, domain.Domain.Scheduling.Credit.Cap))], ControlJson.Default.ListCreditInfo);
    }

    private JsonElement DumpCore(ControlRequest request)
    {
        if (request.File is not { } file || !Path.IsPathFullyQualified(file)) throw new ControlException("'dump-core' needs a \"file\" (a whole path)");
        return OfDomain(request, domain => domain.Domain.DumpCore(file));
    }

    private JsonElement OfDomain(ControlRequest request, Action<HostedDomain> what)
    {
        HostedDomain domain = DomainOf(request);
        what(domain);
        return Done(domain, null);
    }

    private JsonElement Log(ControlRequest request) =>
        Json([.. _host.Log.Read(request.Clear).Select(static line => new LogLine(line.Time.TotalSeconds, line.Text))], ControlJson.Default.ListLogLine);

    // What was refused is known at once.
    private static async Task<JsonElement> DoneAsync(HostedDomain domain, Task<VcpuStop> ended, bool wait, CancellationToken cancellation) =>
        Done(domain, wait || ended.IsFaulted ? await ended.WaitAsync(cancellation) : null);

    private static JsonElement Done(HostedDomain domain, VcpuStop? reason) =>
        Json(new DomainDone { Id = domain.Id, Name = domain.Name, Ended = reason?.ToString() }, ControlJson.Default.DomainDone);

    private static TimeSpan Grace(ControlRequest request) => request.Grace switch
    {
        null => DefaultGrace,
        >= 0 and { } seconds when seconds <= LongestGrace.TotalSeconds => TimeSpan.FromSeconds(seconds),
        _ => throw new ControlException($"\"grace\": expected seconds from 0 to {LongestGrace.TotalSeconds}"),
    };

    private static Func<ControlRequest, CancellationToken, Task<JsonElement>> Now(Func<ControlRequest, JsonElement> answer) =>
        (request, _) => Task.FromResult(answer(request));

    private static JsonElement Json<T>(T value, JsonTypeInfo<T> type) => JsonSerializer.SerializeToElement(value, type);
}
