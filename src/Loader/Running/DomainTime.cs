using FastXen.Core;
using FastXen.Platform;
using FastXen.Smp;

namespace FastXen.Loader.Running;

/// <summary>What a processor of a domain is doing, and where. A moment's view.</summary>
/// <param name="Number">Its number in the domain.</param>
/// <param name="State">What it does.</param>
/// <param name="HostThread">The host thread that runs it, or ran it last; null where it has a thread of its own.</param>
/// <param name="RunTime">Host time that it used since the domain's start, over reboots.</param>
/// <param name="Hard">Host threads that may run it, a bit each.</param>
/// <param name="Soft">Host threads that it prefers, a bit each.</param>
public sealed record ProcessorTime(int Number, ProcessorState State, int? HostThread, TimeSpan RunTime, ulong Hard, ulong Soft);

/// <summary>What a processor of a domain does.</summary>
public enum ProcessorState
{
    /// <summary>It runs on a host thread.</summary>
    Running,
    /// <summary>It waits for its turn.</summary>
    Ready,
    /// <summary>It waits for an event.</summary>
    Blocked,
    /// <summary>Its domain is paused, or has used up what its cap allows.</summary>
    Held,
    /// <summary>It has halted or stopped.</summary>
    Offline,
}

/// <summary>
/// A domain's time on the host: its share of the scheduler's host threads, its affinities and its pause, all of which outlive a reboot, and the processors of
/// the machine that runs. Any thread.
/// </summary>
public sealed class DomainTime : IDisposable
{
    private readonly Lock _lock = new();
    private readonly SchedulerDomain _domain;
    private readonly ulong[] _hard;
    private readonly ulong[] _soft;
    private readonly TimeSpan[] _before;
    private Run? _run;
    private bool _ended;

    /// <summary>Enters a domain with so many processors. <paramref name="cpus"/>: the host threads that may run them, a bit each.</summary>
    public DomainTime(Scheduler scheduler, string name, int processors, CreditParameters credit, ulong cpus = ulong.MaxValue)
    {
        ArgumentNullException.ThrowIfNull(scheduler);
        HostThreads = scheduler.HostThreadCount;
        ulong all = HostThreads == 64 ? ulong.MaxValue : (1UL << HostThreads) - 1;
        if ((cpus & all) == 0) throw new ArgumentException($"there are only host threads 0 to {HostThreads - 1}", nameof(cpus));
        _hard = new ulong[processors];
        _hard.AsSpan().Fill(cpus & all);
        _soft = new ulong[processors];
        _soft.AsSpan().Fill(all);
        _before = new TimeSpan[processors];
        _domain = scheduler.AddDomain(name, credit, OnStopped);
    }

    /// <summary>Host threads of the scheduler.</summary>
    public int HostThreads { get; }

    /// <summary>Its weight and its cap. A wrong one is an <see cref="ArgumentException"/>.</summary>
    public CreditParameters Credit
    {
        get => _domain.Credit;
        set => _domain.Credit = value;
    }

    /// <summary>Whether it is paused.</summary>
    public bool IsPaused { get; private set; }

    /// <summary>Its processors.</summary>
    public IReadOnlyList<ProcessorTime> Processors
    {
        get
        {
            lock (_lock)
            {
                ProcessorTime[] all = new ProcessorTime[_hard.Length];
                for (int n = 0; n < all.Length; n++)
                {
                    if (_run?.Scheduled(n) is not { } vcpu)
                    {
                        all[n] = new ProcessorTime(n, ProcessorState.Offline, null, _before[n], _hard[n], _soft[n]);
                        continue;
                    }
                    VcpuStatistics now = vcpu.Statistics;
                    ProcessorState state = now.Phase switch
                    {
                        VcpuPhase.Running => ProcessorState.Running,
                        VcpuPhase.Queued => ProcessorState.Ready,
                        VcpuPhase.Blocked => ProcessorState.Blocked,
                        VcpuPhase.Held => ProcessorState.Held,
                        _ => ProcessorState.Offline,
                    };
                    all[n] = new ProcessorTime(n, state, now.HostThread, _before[n] + now.RunTime, _hard[n], _soft[n]);
                }
                return all;
            }
        }
    }

    /// <summary>Host time that its processors used, over reboots.</summary>
    public TimeSpan RunTime => Processors.Aggregate(TimeSpan.Zero, static (sum, processor) => sum + processor.RunTime);

    /// <summary>Takes all processors off the host threads. When this returns none is in guest code. False when they were paused already.</summary>
    public bool Pause()
    {
        lock (_lock)
        {
            if (IsPaused || _ended) return false;
            IsPaused = true;
            _domain.Pause();
            return true;
        }
    }

    /// <summary>Lets them run again. False when they were not paused.</summary>
    public bool Unpause()
    {
        lock (_lock)
        {
            if (!IsPaused) return false;
            IsPaused = false;
            _domain.Unpause();
            return true;
        }
    }

    /// <summary>Sets the host threads that may run a processor and those that it prefers, a bit each; null: as they are. A wrong set is an <see cref="ArgumentException"/>.</summary>
    public void Pin(int processor, ulong? hard, ulong? soft)
    {
        lock (_lock)
        {
            ulong all = HostThreads == 64 ? ulong.MaxValue : (1UL << HostThreads) - 1;
            if (hard is { } only)
            {
                if ((only & all) == 0) throw new ArgumentException($"there are only host threads 0 to {HostThreads - 1}", nameof(hard));
                _hard[processor] = only & all;
            }
            if (soft is { } preferred) _soft[processor] = preferred & all;
            if (_run?.Scheduled(processor) is not { } vcpu) return;
            vcpu.HardAffinity = _hard[processor];
            vcpu.SoftAffinity = _soft[processor];
        }
    }

    /// <summary>
    /// Gives a machine's processors host time until the machine stops. Completes when none of them is in guest code or will be again. One machine at a time.
    /// </summary>
    public async Task<VcpuStop> RunAsync(PlatformMachine machine)
    {
        ArgumentNullException.ThrowIfNull(machine);
        Run run = new(machine);
        lock (_lock)
        {
            _run = run;
            for (int n = 0; n < _hard.Length; n++)
            {
                ScheduledVcpu vcpu = _domain.Add(new VcpuWork(machine.Processors[n]), _hard[n], _soft[n]);
                if (IsPaused) vcpu.Pause();
                run.Add(vcpu);
            }
        }
        await run.Ended.ConfigureAwait(false);
        lock (_lock)
        {
            for (int n = 0; n < _hard.Length; n++)
            {
                ScheduledVcpu vcpu = run.Scheduled(n)!;
                vcpu.Remove();
                _before[n] += vcpu.Statistics.RunTime;
            }
            _run = null;
        }
        return machine.Finish();
    }

    // On a host thread, which goes on with others.
    private void OnStopped(ScheduledVcpu vcpu)
    {
        Vcpu processor = ((VcpuWork)vcpu.Work).Vcpu;
        if (vcpu.Fault is { } fault) processor.Crash($"internal error: {fault}");
        // Set before the first processor was added.
        Volatile.Read(ref _run)!.OnStopped(processor);
    }

    /// <summary>Leaves the scheduler. After the last machine has stopped.</summary>
    public void Dispose()
    {
        lock (_lock)
        {
            _ended = true;
            _domain.Dispose();
        }
    }

    // A machine's run.
    private sealed class Run(PlatformMachine machine)
    {
        private readonly List<ScheduledVcpu> _scheduled = [];
        private readonly TaskCompletionSource _ended = new(TaskCreationOptions.RunContinuationsAsynchronously);
        private int _left = machine.Processors.Count;

        public Task Ended => _ended.Task;

        public ScheduledVcpu? Scheduled(int number) => number < _scheduled.Count ? _scheduled[number] : null;

        public void Add(ScheduledVcpu vcpu) => _scheduled.Add(vcpu);

        public void OnStopped(Vcpu processor)
        {
            machine.Stopped(processor);
            if (Interlocked.Decrement(ref _left) == 0) _ended.SetResult();
        }
    }
}
