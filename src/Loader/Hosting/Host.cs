using System.Collections.Concurrent;
using System.Globalization;
using FastXen.Core;
using FastXen.Loader.Configuration;
using FastXen.Loader.Xen;
using FastXen.Platform.Net.Switch;
using FastXen.Platform.Uart;
using FastXen.Smp;
using FastXen.Xen;
using FastXen.Xen.Memory;

namespace FastXen.Loader.Hosting;

/// <summary>The domains of one process, and the scheduler that runs them. Any thread.</summary>
public sealed class Host : IDisposable
{
    // Domain numbers are below DOMID_FIRST_RESERVED; the last of them is the host's own backends' (DomainIds.Host).
    private const int HighestNumber = DomainIds.FirstReserved - 2;

    private static readonly TimeSpan GraceAfterDom0 = TimeSpan.FromSeconds(10);

    private readonly Lock _lock = new();
    private readonly SortedDictionary<int, HostedDomain> _domains = [];
    // Names of domains that exist or are being made.
    private readonly HashSet<string> _names = new(StringComparer.Ordinal);
    private readonly HashSet<int> _numbers = [];
    private readonly Lazy<XenHost> _xen;
    private readonly Lazy<MemoryBudget> _budget;
    private readonly ConcurrentDictionary<string, VirtualSwitch> _switches = new(StringComparer.Ordinal);
    private readonly TaskCompletionSource _stopping = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private Scheduler? _scheduler;
    private int _lastId;
    private bool _closed;

    /// <summary>A host without domains.</summary>
    public Host()
    {
        _xen = new Lazy<XenHost>(() =>
        {
            XenHost xen = new();
            xen.Control = new DomainControl(this, xen);
            return xen;
        });
        _budget = new Lazy<MemoryBudget>(() => new MemoryBudget(MemoryLimit ?? (ulong)GC.GetGCMemoryInfo().TotalAvailableMemoryBytes >> 20 << 20));
    }

    /// <summary>What happened.</summary>
    public HostLog Log { get; } = new();

    /// <summary>Makes the place of a domain's console that its config names: null where output is only kept for those who attach.</summary>
    public Func<HostedDomain, ICharacterBackend?> OpenConsole { get; init; } = static _ => null;

    /// <summary>How many host threads run guests; null: what the first domain's config says, or as many as the host has processors.</summary>
    public int? HostThreads { get; init; }

    /// <summary>Bytes of memory that all domains may have together; null: as much as the machine (or the process's cgroup) has.</summary>
    public ulong? MemoryLimit { get; init; }

    /// <summary>
    /// The memory that the domains may have together. One made from a config has all of its memory taken as long as it exists, whatever its balloon gave back; a
    /// toolstack's domain each frame that it has, and a part for what the host keeps of it.
    /// </summary>
    public MemoryBudget Budget => _budget.Value;

    /// <summary>What runs the vCPUs of all domains; null before the first domain is made.</summary>
    public Scheduler? Scheduler
    {
        get { lock (_lock) return _scheduler; }
    }

    /// <summary>What the domains on the Xen interface have in common.</summary>
    public XenHost Xen => _xen.Value;

    /// <summary>How the translators of its domains work.</summary>
    public TranslatorOptions Translator { get; init; } = new();

    /// <summary>Something happened to a domain. Called by the thread that made it happen, which holds no lock of the host.</summary>
    public event Action<HostEvent>? Happened;

    /// <summary>Completes when <see cref="StopAsync"/> begins.</summary>
    public Task Stopping => _stopping.Task;

    /// <summary>The domains, by id.</summary>
    public IReadOnlyList<HostedDomain> Domains
    {
        get { lock (_lock) return [.. _domains.Values]; }
    }

    /// <summary>A domain by its name or its id; a name that is a number is looked for first.</summary>
    public HostedDomain Find(string nameOrId)
    {
        lock (_lock)
        {
            foreach (HostedDomain domain in _domains.Values)
            {
                if (domain.Name == nameOrId) return domain;
            }
            if (int.TryParse(nameOrId, NumberStyles.None, CultureInfo.InvariantCulture, out int id) && _domains.TryGetValue(id, out HostedDomain? found)) return found;
        }
        throw new HostException($"there is no domain '{nameOrId}'");
    }

    /// <summary>Makes a domain and starts it; what is wrong with its config is a <see cref="LoadException"/>.</summary>
    public HostedDomain Create(GuestConfig config)
    {
        HostedDomain domain = Make(config, Reserve(config), (_, report) => new Domain(config, report, SurroundingsFor(config)));
        Tell(domain, HostEventKind.Created, $"{MemorySize.Format(config.Memory)}, {config.Vcpus} vcpus, kernel {config.Kernel}");
        _ = domain.RunToEndAsync();
        return domain;
    }

    /// <summary>
    /// Makes an empty domain on the Xen interface, paused, for a toolstack in another domain; it runs when its vCPUs are made.
    /// <paramref name="id"/>: its number; 0: any. A number that is taken is a <see cref="HostException"/>.
    /// </summary>
    internal (HostedDomain Domain, ToolstackGuest Guest) CreateEmpty(int id, string source)
    {
        id = Reserve(id, source, out GuestConfig config);
        ToolstackGuest? guest = null;
        HostedDomain domain = Make(config, id, (_, report) =>
        {
            DomainSurroundings surroundings = SurroundingsFor(config);
            return new Domain(config, report, surroundings, () => guest = new ToolstackGuest(surroundings, config.Engine, report));
        });
        domain.Scheduling.Pause();
        Tell(domain, HostEventKind.Created, $"by {source}");
        return (domain, guest!);
    }

    /// <summary>Gives a domain another name.</summary>
    public void Rename(HostedDomain domain, string name)
    {
        if (!GuestConfigReader.IsName(name)) throw new HostException($"'{name}' cannot be a name: expected {GuestConfigReader.NameRule}");
        string before;
        lock (_lock)
        {
            before = domain.Name;
            if (!_domains.ContainsKey(domain.Id)) throw new HostException($"there is no domain '{before}'");
            if (before == name) return;
            if (!_names.Add(name)) throw Taken(name);
            _names.Remove(before);
            domain.Name = name;
        }
        Tell(domain, HostEventKind.Renamed, $"was {before}");
    }

    /// <summary>
    /// Takes no more domains, asks all guests to shut down, waits, and stops those that are left: after the grace time, or as soon as
    /// <paramref name="atOnce"/> is cancelled. Completes when all are gone.
    /// </summary>
    public async Task StopAsync(TimeSpan grace, CancellationToken atOnce = default)
    {
        lock (_lock) _closed = true;
        _stopping.TrySetResult();
        IReadOnlyList<HostedDomain> domains = Domains;
        using (atOnce.Register(() =>
        {
            foreach (HostedDomain domain in Domains) domain.Destroy();
        }))
        {
            await Task.WhenAll(domains.Select(domain => domain.ShutdownAsync(grace, force: true))).ConfigureAwait(false);
            // One that was being made is seen only now.
            await Task.WhenAll(Domains.Select(static domain => domain.Ended)).ConfigureAwait(false);
        }
    }

    /// <summary>dom0 has powered off, and with it, as on Xen, the machine of the other domains on the Xen interface: they are asked first, too.</summary>
    internal void PowerOffXen()
    {
        foreach (HostedDomain domain in Domains)
        {
            if (domain.Config.Personality == Personality.Xen) _ = domain.ShutdownAsync(GraceAfterDom0, force: true);
        }
    }

    /// <summary>Ends the threads of the host. After <see cref="StopAsync"/>.</summary>
    public void Dispose()
    {
        _scheduler?.Dispose();
        if (_xen.IsValueCreated) Xen.Dispose();
    }

    internal void Remove(HostedDomain domain)
    {
        Budget.Return(Need(domain.Config));
        lock (_lock)
        {
            _domains.Remove(domain.Id);
            _names.Remove(domain.Name);
            _numbers.Remove(domain.Id);
        }
    }

    internal void Tell(HostedDomain domain, HostEventKind kind, string detail)
    {
        HostEvent happened = new(Log.Now, kind, domain.Id, domain.Name, detail);
        Log.Write(happened.ToString());
        Happened?.Invoke(happened);
    }

    private Scheduler SchedulerFor(GuestConfig config)
    {
        lock (_lock)
        {
            _scheduler ??= new Scheduler(HostThreads ?? config.HostThreads ?? Math.Min(Environment.ProcessorCount, Scheduler.MaximumHostThreads));
            if (HostThreads is null && config.HostThreads is { } wanted && wanted != _scheduler.HostThreadCount)
                throw new ConfigException(config.Source, "hostThreads", $"this process has {_scheduler.HostThreadCount} already, found {wanted}");
            return _scheduler;
        }
    }

    private HostedDomain Make(GuestConfig config, int id, Func<HostedDomain, Action<string>, Domain> make)
    {
        HostedDomain domain;
        if (!Budget.TryTake(Need(config)))
        {
            Release(id, config.Name);
            throw new OutOfBudgetException($"{config.Name} cannot have {MemorySize.Format(Need(config))} of memory: the domains of this host may have {MemorySize.Format(Budget.Limit)}"
                + $" in all (--memory-limit), {MemorySize.Format(Budget.Used)} are taken");
        }
        try
        {
            domain = new HostedDomain(this, id, config, make);
        }
        catch
        {
            Budget.Return(Need(config));
            Release(id, config.Name);
            throw;
        }
        lock (_lock)
        {
            domain.Created = Log.Now;
            _domains.Add(domain.Id, domain);
            // Whoever stopped the host meanwhile has not seen this domain.
            if (_closed) domain.Destroy();
        }
        return domain;
    }

    // What is taken for a domain as long as it exists.
    private static ulong Need(GuestConfig config) => config.Memory == 0 ? ToolstackGuest.HostMemory : config.Memory;

    private DomainSurroundings SurroundingsFor(GuestConfig config) => new(
        SchedulerFor(config), Translator, () => Xen, name => _switches.GetOrAdd(name, static name => new VirtualSwitch(name)), Budget, Log.Write);

    // The number of the domain that is to have the name: one that cannot be made uses its number up.
    private int Reserve(GuestConfig config)
    {
        lock (_lock)
        {
            if (_closed) throw new HostException("the host is shutting down and takes no more domains");
            if (config.IsPrivileged && _numbers.Contains(0)) throw new HostException($"there is a privileged domain already: {config.Name} cannot be another one");
            if (!_names.Add(config.Name)) throw Taken(config.Name);
            int id = config.IsPrivileged ? 0 : NextNumber();
            _numbers.Add(id);
            return id;
        }
    }

    // As above, with a name by the number.
    private int Reserve(int id, string source, out GuestConfig config)
    {
        lock (_lock)
        {
            if (_closed) throw new HostException("the host is shutting down and takes no more domains");
            if (id is < 0 or > HighestNumber || (id != 0 && _numbers.Contains(id))) throw new HostException($"{id} is not a number for a new domain");
            if (id == 0) id = NextNumber();
            // As its toolstack, which runs in dom0.
            EngineKind engine = _domains.TryGetValue(0, out HostedDomain? first) ? first.Config.Engine : EngineKind.Translator;
            config = ToolstackGuest.ConfigOf(id, source, engine);
            if (!_names.Add(config.Name)) throw Taken(config.Name);
            _numbers.Add(id);
            return id;
        }
    }

    // As Xen does: upwards, and from 1 on again after the highest one that a domain may have.
    private int NextNumber()
    {
        do _lastId = _lastId % HighestNumber + 1;
        while (_numbers.Contains(_lastId));
        return _lastId;
    }

    private void Release(int id, string name)
    {
        lock (_lock)
        {
            _names.Remove(name);
            _numbers.Remove(id);
        }
    }

    private static HostException Taken(string name) => new($"there is a domain '{name}' already: give this one another \"name\"");
}
