using FastXen.Core;
using FastXen.Events;
using FastXen.Loader.Configuration;
using FastXen.Loader.Machines;
using FastXen.Smp;

namespace FastXen.Loader.Scheduling;

/// <summary>
/// What a guest may use of the host's processors, and its vCPUs under the scheduler of the process. Settings outlive a reboot. Any thread.
/// </summary>
public sealed class DomainScheduling
{
    private readonly Scheduler _scheduler;
    private readonly string _name;
    private readonly Lock _lock = new();
    private readonly ulong[] _hard, _soft;
    private CreditParameters _credit;
    private RealTimeParameters? _realTime;
    private bool _paused;
    private int _holds;
    private TimeSpan _pastTime;
    private SchedulerDomain? _domain;
    private TaskCompletionSource? _over;

    internal DomainScheduling(Scheduler scheduler, GuestConfig config)
    {
        _scheduler = scheduler;
        _name = config.Name;
        _credit = config.Credit;
        _realTime = config.Reservation;
        if (_realTime is { } reservation && reservation.Slice * config.Vcpus > reservation.Period * scheduler.HostThreadCount)
        {
            throw new ConfigException(config.Source, "reservation",
                $"{config.Vcpus} vcpus with {reservation.Slice.TotalMilliseconds} of {reservation.Period.TotalMilliseconds} ms each are more than {scheduler.HostThreadCount} host threads have");
        }
        _hard = new ulong[config.Vcpus];
        _soft = new ulong[config.Vcpus];
        ulong all = AllHostThreads;
        if ((config.Cpus & all) == 0)
            throw new ConfigException(config.Source, "cpus", $"names none of the {scheduler.HostThreadCount} host threads (0 to {scheduler.HostThreadCount - 1})");
        Array.Fill(_hard, config.Cpus & all);
        Array.Fill(_soft, config.CpusSoft & all);
    }

    /// <summary>The domain's number, by which traces name it.</summary>
    internal int Number { get; set; }

    /// <summary>How many host threads there are: affinities have a bit for each.</summary>
    public int HostThreads => _scheduler.HostThreadCount;

    /// <summary>Weight and cap. Wrong values are an <see cref="ArgumentOutOfRangeException"/>.</summary>
    public CreditParameters Credit
    {
        get { lock (_lock) return _credit; }
        set
        {
            lock (_lock)
            {
                _domain?.Credit = value;
                _credit = value;
            }
        }
    }

    /// <summary>A reservation for each vCPU, or null. One that the host threads cannot give is an <see cref="ArgumentException"/>.</summary>
    public RealTimeParameters? RealTime
    {
        get { lock (_lock) return _realTime; }
        set
        {
            lock (_lock)
            {
                _domain?.RealTime = value;
                _realTime = value;
            }
        }
    }

    /// <summary>The vCPUs of the machine that runs, by number; none between two machines.</summary>
    public IReadOnlyList<ScheduledVcpu> Vcpus
    {
        get { lock (_lock) return _domain?.Vcpus ?? []; }
    }

    /// <summary>Host time that the guest's processors have used, over its reboots.</summary>
    public TimeSpan ProcessorTime
    {
        get { lock (_lock) return _pastTime + Used(); }
    }

    /// <summary>Whether it is paused.</summary>
    public bool IsPaused
    {
        get { lock (_lock) return _paused; }
    }

    /// <summary>No vCPU runs guest code when this returns, until <see cref="Unpause"/>. False when it was paused already.</summary>
    public bool Pause()
    {
        bool news = RequestPause();
        // Not under the lock: a vCPU that is to come out may be in a hypercall that wants it.
        SchedulerDomain? domain;
        lock (_lock) domain = _domain;
        domain?.AwaitPaused();
        return news;
    }

    /// <summary>As <see cref="Pause"/>, but does not wait: the vCPUs come out at their next look-points.</summary>
    internal bool RequestPause()
    {
        lock (_lock)
        {
            if (_paused) return false;
            _domain?.RequestPause();
            if (Tracing.Lifecycle) FastXenEventSource.Log.DomainPaused(Number);
            return _paused = true;
        }
    }

    /// <summary>Keeps the vCPUs from running for a while, counted and apart from <see cref="Pause"/>; does not wait.</summary>
    internal void Hold()
    {
        lock (_lock)
        {
            _holds++;
            _domain?.RequestPause();
        }
    }

    /// <summary>Undoes one <see cref="Hold"/>.</summary>
    internal void Release()
    {
        lock (_lock)
        {
            if (_holds == 0) return;
            _holds--;
            _domain?.Unpause();
        }
    }

    /// <summary>No vCPU runs code, nor will while it is held or paused.</summary>
    internal bool IsStopped
    {
        get { lock (_lock) return (_paused || _holds > 0) && (_domain is null || _domain.Vcpus.All(static vcpu => vcpu.Statistics.Phase != VcpuPhase.Running)); }
    }

    /// <summary>Ends a pause. False when it was not paused.</summary>
    public bool Unpause()
    {
        lock (_lock)
        {
            if (!_paused) return false;
            if (Tracing.Lifecycle) FastXenEventSource.Log.DomainUnpaused(Number);
            _domain?.Unpause();
            _paused = false;
            return true;
        }
    }

    /// <summary>
    /// Sets a vCPU's affinities, a bit for each host thread; null: as it is. A hard affinity that names none that there is, is an <see cref="ArgumentException"/>.
    /// </summary>
    public void Pin(int vcpu, ulong? hard, ulong? soft)
    {
        lock (_lock)
        {
            ArgumentOutOfRangeException.ThrowIfNegative(vcpu);
            ArgumentOutOfRangeException.ThrowIfGreaterThanOrEqual(vcpu, _hard.Length);
            ScheduledVcpu? scheduled = _domain?.Vcpus.ElementAtOrDefault(vcpu);
            if (hard is { } only)
            {
                if ((only & AllHostThreads) == 0) throw new ArgumentException($"there are only the host threads 0 to {HostThreads - 1}");
                scheduled?.HardAffinity = only;
                _hard[vcpu] = only & AllHostThreads;
            }
            if (soft is { } preferred)
            {
                scheduled?.SoftAffinity = preferred;
                _soft[vcpu] = preferred & AllHostThreads;
            }
        }
    }

    /// <summary>The hard and soft affinity of a vCPU.</summary>
    public (ulong Hard, ulong Soft) Affinity(int vcpu)
    {
        lock (_lock) return (_hard[vcpu], _soft[vcpu]);
    }

    /// <summary>
    /// Gives the machine's processors host time until the machine stops, or <see cref="End"/>. Completes when none of them is in guest code or will be again.
    /// </summary>
    internal async Task<VcpuStop> RunAsync(IGuestMachine machine)
    {
        TaskCompletionSource over = new(TaskCreationOptions.RunContinuationsAsynchronously);
        using (SchedulerDomain domain = Start(machine, over))
        {
            await over.Task.ConfigureAwait(false);
            lock (_lock)
            {
                _pastTime += Used();
                _domain = null;
                _over = null;
            }
        }
        // One that was paused, or that an operating system had stopped, does not say so itself.
        if (machine.StopReason == VcpuStop.None) machine.Stopped(machine.Processors[0]);
        return machine.Finish();
    }

    /// <summary>The machine was asked to stop: also while it is paused.</summary>
    internal void End()
    {
        lock (_lock) _over?.TrySetResult();
    }

    private ulong AllHostThreads => HostThreads == Scheduler.MaximumHostThreads ? ulong.MaxValue : (1UL << HostThreads) - 1;

    private SchedulerDomain Start(IGuestMachine machine, TaskCompletionSource over)
    {
        lock (_lock)
        {
            SchedulerDomain domain = _scheduler.AddDomain(_name, _credit, vcpu => OnStopped(machine, vcpu, over));
            // One thing to schedule for each processor, or for all of them.
            IReadOnlyList<ISchedulable> works = machine.Work(processor => OnStopped(machine, processor, over));
            for (int i = 0; i < works.Count; i++) domain.Add(works[i], _hard[i], _soft[i], _paused);

            for (int i = 0; i < _holds; i++) domain.RequestPause();
            if (_realTime is not null) Reserve(domain, _realTime);
            _over = over;
            return _domain = domain;
        }
    }

    private void Reserve(SchedulerDomain domain, RealTimeParameters reservation)
    {
        try
        {
            domain.RealTime = reservation;
        }
        catch (ArgumentException)
        {
            domain.Dispose();
            throw new HostException($"{_name} cannot have its reservation: those of other domains leave too little of the host threads");
        }
    }

    // On a host thread.
    private static void OnStopped(IGuestMachine machine, ScheduledVcpu vcpu, TaskCompletionSource over)
    {
        Vcpu processor = machine.Processors[vcpu.Work.Number.Vcpu];
        if (vcpu.Fault is { } fault) processor.Crash($"internal error: {fault}");
        // Those that take turns have each said that they stopped, unless a fault ended all of them.
        if (vcpu.Work is not DeterministicWork { TakesTurns: true } || vcpu.Fault is not null) OnStopped(machine, processor, over);
    }

    private static void OnStopped(IGuestMachine machine, Vcpu processor, TaskCompletionSource over)
    {
        if (machine.Stopped(processor)) over.TrySetResult();
    }

    private TimeSpan Used() => TimeSpan.FromTicks(_domain?.Vcpus.Sum(static vcpu => vcpu.Statistics.RunTime.Ticks) ?? 0);
}
