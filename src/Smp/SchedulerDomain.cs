
namespace FastXen.Smp;

/// <summary>The vCPUs of a domain under a <see cref="Scheduler"/>, and what they may use.</summary>
public sealed class SchedulerDomain : IDisposable
{
    private readonly Scheduler scheduler;
    private readonly Action<ScheduledVcpu>? stopped;
    private volatile ScheduledVcpu[] vcpus = [];
    private volatile RealTimeParameters? realTime;
    private ulong parameters;
    private long capShare;
    private bool removed;

    internal SchedulerDomain(Scheduler scheduler, string name, CreditParameters credit, Action<ScheduledVcpu>? stopped)
    {
        this.scheduler = scheduler;
        this.stopped = stopped;
        Name = name;
        Credit = credit;
    }

    /// <summary>What it is called.</summary>
    public string Name { get; }

    /// <summary>Its vCPUs.</summary>
    public IReadOnlyList<ScheduledVcpu> Vcpus => vcpus;

    /// <summary>Its share; to be changed at any time. Wrong values are an <see cref="ArgumentOutOfRangeException"/>.</summary>
    public CreditParameters Credit
    {
        get => Volatile.Read(ref parameters) is var packed ? new((int)(packed >> 32), (int)packed) : default;
        set
        {
            value.Check();
            Volatile.Write(ref parameters, (ulong)value.Weight << 32 | (uint)value.Cap);
            UpdateCapShare();
        }
    }

    /// <summary>
    /// Its reservation for each of its vCPUs; null (the default): none, it is scheduled by credits. More than the host threads can give is an <see cref="ArgumentException"/>.
    /// </summary>
    public RealTimeParameters? RealTime
    {
        get => realTime;
        set
        {
            value?.Check();
            lock (scheduler.Gate)
            {
                scheduler.CheckReservations(this, value);
                foreach (ScheduledVcpu vcpu in vcpus)
                    vcpu.Pause();
                realTime = value;
                foreach (ScheduledVcpu vcpu in vcpus)
                    vcpu.ForgetReservation();
                scheduler.UpdateRealTime();
                foreach (ScheduledVcpu vcpu in vcpus)
                    vcpu.Unpause();
            }
        }
    }

    /// <summary>
    /// Adds a vCPU, which runs at once if it has work, or is paused. <paramref name="hard"/> and <paramref name="soft"/>: affinities; null: all host threads.
    /// </summary>
    public ScheduledVcpu Add(ISchedulable work, ulong? hard = null, ulong? soft = null, bool paused = false)
    {
        ArgumentNullException.ThrowIfNull(work);
        ScheduledVcpu vcpu;
        lock (scheduler.Gate)
        {
            ObjectDisposedException.ThrowIf(removed, this);
            vcpu = scheduler.Attach(this, work);
            try
            {
                if (hard is { } only)
                    vcpu.HardAffinity = only;
            }
            catch (ArgumentException)
            {
                scheduler.Detach(vcpu);
                throw;
            }

            if (soft is { } preferred)
                vcpu.SoftAffinity = preferred;
            if (paused)
                vcpu.RequestPause();
            vcpus = [.. vcpus, vcpu];
            UpdateCapShare();
            scheduler.UpdateRealTime();
        }

        work.Woken = () => vcpu.Wake(from: null);
        if (work.HasWork)
            vcpu.Wake(from: null);
        return vcpu;
    }

    /// <summary>Pauses all vCPUs (counted); when this returns none runs code.</summary>
    public void Pause()
    {
        RequestPause();
        AwaitPaused();
    }

    /// <summary>Pauses all vCPUs (counted) at their next look-points, without waiting for them.</summary>
    public void RequestPause()
    {
        foreach (ScheduledVcpu vcpu in vcpus)
            vcpu.RequestPause();
    }

    /// <summary>Waits, after <see cref="RequestPause"/>, until no vCPU runs code.</summary>
    public void AwaitPaused()
    {
        foreach (ScheduledVcpu vcpu in vcpus)
            vcpu.AwaitOut();
    }

    /// <summary>Undoes one <see cref="Pause"/>.</summary>
    public void Unpause()
    {
        foreach (ScheduledVcpu vcpu in vcpus)
            vcpu.Unpause();
    }

    /// <summary>Removes its vCPUs and itself from the scheduler. Not from a vCPU's own slice.</summary>
    public void Dispose()
    {
        lock (scheduler.Gate)
        {
            if (removed)
                return;
            removed = true;
        }

        foreach (ScheduledVcpu vcpu in vcpus)
            vcpu.Remove();
        scheduler.Forget(this);
    }

    internal ScheduledVcpu[] VcpuArray => vcpus;

    /// <summary>What one vCPU of a capped domain may run beyond its credits before it is parked; 0: not capped.</summary>
    internal long CapShare => Volatile.Read(ref capShare);

    // Of one accounting.
    internal int ActiveVcpus { get; private set; }

    internal long Grant { get; private set; }

    internal bool Settled { get; private set; }

    internal void CountActive()
    {
        int count = 0;
        foreach (ScheduledVcpu vcpu in vcpus)
            count += vcpu.IsActive ? 1 : 0;
        ActiveVcpus = count;
        Settled = count == 0;
        Grant = 0;
    }

    internal void Settle(long grant)
    {
        Grant = grant;
        Settled = true;
    }

    internal void OnStopped(ScheduledVcpu vcpu) => stopped?.Invoke(vcpu);

    internal void Forget(ScheduledVcpu vcpu)
    {
        lock (scheduler.Gate)
        {
            vcpus = [.. vcpus.Where(other => other != vcpu)];
            UpdateCapShare();
            scheduler.UpdateRealTime();
            scheduler.Detach(vcpu);
        }
    }

    private void UpdateCapShare()
        => Volatile.Write(ref capShare, Credit.Cap * scheduler.SliceNanoseconds / 100 / Math.Max(vcpus.Length, 1));
}
