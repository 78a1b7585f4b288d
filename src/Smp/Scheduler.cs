using FastXen.Smp.Credit;
using FastXen.Smp.Host;
using FastXen.Smp.Queues;

namespace FastXen.Smp;

/// <summary>
/// Runs the vCPUs of all domains of the process on a fixed number of host threads, by the rules of Xen's credit scheduler and, for domains with a
/// reservation, in the manner of its sedf (docs/scheduler.md). Queueing, choosing, stealing and waking take no lock and allocate nothing;
/// adding, removing and pausing may wait.
/// </summary>
public sealed partial class Scheduler : IDisposable
{
    /// <summary>The most host threads there can be: affinities are sets of bits.</summary>
    public const int MaximumHostThreads = 64;

    private readonly ScheduledVcpu?[] table;
    private readonly Stack<int> freeIndexes = new();
    private readonly HostLoad load = new();
    private readonly Func<long, bool> hasRoom;
    private volatile SchedulerDomain[] domains = [];
    private volatile ScheduledVcpu[] realTime = [];
    private volatile bool anySoftAffinity;
    private int nextHome;
    private bool disposed;

    /// <summary>Starts the host threads.</summary>
    public Scheduler(int hostThreads, SchedulerOptions? options = null) : this(hostThreads, options ?? new SchedulerOptions(), simulated: false) { }

    internal Scheduler(int hostThreads, SchedulerOptions options, bool simulated)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(hostThreads, 1);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(hostThreads, MaximumHostThreads);
        Options = options;
        HostThreadCount = hostThreads;
        AllHosts = hostThreads == 64 ? ulong.MaxValue : (1UL << hostThreads) - 1;
        SliceNanoseconds = options.SliceNanoseconds;
        TickNanoseconds = SliceNanoseconds / SchedulerOptions.TicksPerSlice;
        RateLimitNanoseconds = options.RateLimitNanoseconds;
        Queues = new RunQueues(hostThreads, options.MaximumVcpus);
        table = new ScheduledVcpu?[Queues.Capacity];
        for (int index = options.MaximumVcpus - 1; index >= 0; index--)
            freeIndexes.Push(index);
        hasRoom = options.HasRoom ?? load.HasRoom;
        Accounting = new Accounting(this);
        Accounting.Begin(Now);
        Hosts = new HostThread[hostThreads];
        for (int i = 0; i < hostThreads; i++)
            Hosts[i] = new HostThread(this, i, simulated);
        foreach (HostThread host in Hosts)
            host.Start();
    }

    /// <summary>How many host threads there are.</summary>
    public int HostThreadCount { get; }

    /// <summary>How it works.</summary>
    public SchedulerOptions Options { get; }

    /// <summary>The domains.</summary>
    public IReadOnlyList<SchedulerDomain> Domains => domains;

    /// <summary>What the host threads have done so far.</summary>
    public IReadOnlyList<HostThreadStatistics> HostThreads => [.. Hosts.Select(static host => host.Statistics)];

    /// <summary>
    /// Adds a domain. <paramref name="stopped"/> is told, on a host thread, of each vCPU that stopped (<see cref="SliceOutcome.Stopped"/>, or an exception:
    /// <see cref="ScheduledVcpu.Fault"/>); it must not block, and not add or remove anything, but may <see cref="ScheduledVcpu.Restart"/> it.
    /// </summary>
    public SchedulerDomain AddDomain(string name, CreditParameters credit, Action<ScheduledVcpu>? stopped = null)
    {
        lock (Gate)
        {
            ObjectDisposedException.ThrowIf(disposed, this);
            SchedulerDomain domain = new(this, name, credit, stopped);
            domains = [.. domains, domain];
            return domain;
        }
    }

    /// <summary>Stops the host threads. vCPUs that are still there do not run any more.</summary>
    public void Dispose()
    {
        lock (Gate)
        {
            if (disposed)
                return;
            disposed = true;
        }

        foreach (HostThread host in Hosts)
            host.Stop();
        foreach (HostThread host in Hosts)
            host.Join();
        load.Dispose();
    }

    /// <summary>Held while domains, vCPUs and reservations are added, removed and changed; never while they are scheduled.</summary>
    internal object Gate { get; } = new();

    internal HostThread[] Hosts { get; }

    internal RunQueues Queues { get; }

    internal Accounting Accounting { get; }

    internal ulong AllHosts { get; }

    internal long SliceNanoseconds { get; }

    internal long TickNanoseconds { get; }

    internal long RateLimitNanoseconds { get; }

    internal long Now => Options.Clock.GetTimestamp();

    internal SchedulerDomain[] ActiveDomains => domains;

    internal ScheduledVcpu[] RealTimeVcpus => realTime;

    internal bool AnySoftAffinity => anySoftAffinity;

    internal ScheduledVcpu? At(int index) => Volatile.Read(ref table[index]);

    internal void NoteSoftAffinity() => anySoftAffinity = true;

    internal ScheduledVcpu Attach(SchedulerDomain domain, ISchedulable work)
    {
        ObjectDisposedException.ThrowIf(disposed, this);
        if (!freeIndexes.TryPop(out int index))
            throw new InvalidOperationException($"There are already {Options.MaximumVcpus} vCPUs.");
        ScheduledVcpu vcpu = new(this, domain, work, index, nextHome++ % HostThreadCount);
        Volatile.Write(ref table[index], vcpu);
        return vcpu;
    }

    internal void Detach(ScheduledVcpu vcpu)
    {
        Volatile.Write(ref table[vcpu.Index], null);
        foreach (HostThread host in Hosts)
            host.AwaitVisitors();
        vcpu.Work.Woken = null;
        freeIndexes.Push(vcpu.Index);
    }

    internal void Forget(SchedulerDomain domain)
    {
        lock (Gate)
            domains = [.. domains.Where(other => other != domain)];
    }

    internal void UpdateRealTime()
        => realTime = [.. domains.Where(static domain => domain.RealTime is not null).SelectMany(static domain => domain.Vcpus)];

    internal void CheckReservations(SchedulerDomain changed, RealTimeParameters? wanted)
    {
        double sum = domains.Sum(domain => (domain == changed ? wanted : domain.RealTime) is { } reservation ? reservation.Utilization * domain.Vcpus.Count : 0);
        if (sum > HostThreadCount)
            throw new ArgumentException($"Reservations of {sum:0.##} host threads, but there are only {HostThreadCount}.");
    }
}
