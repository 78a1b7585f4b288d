namespace FastXen.Smp;

/// <summary>What a scheduled vCPU has done so far. A moment's view.</summary>
/// <param name="Phase">Where it is.</param>
/// <param name="Class">Its priority.</param>
/// <param name="HostThread">Where it runs, waits, or ran last.</param>
/// <param name="RunTime">How long it ran.</param>
/// <param name="WaitTime">How long it waited for its turn, ready to run.</param>
/// <param name="Switches">How often a host thread switched to it.</param>
/// <param name="Wakes">How often it was woken from blocking.</param>
/// <param name="Preemptions">How often another took its place though it could have run on.</param>
/// <param name="Yields">How often it gave up its turn.</param>
/// <param name="Migrations">How often it ran on another host thread than before.</param>
/// <param name="CreditMilliseconds">Run time that it has in advance (under a load of others); negative: it owes.</param>
/// <param name="Parked">Held because its domain has reached its cap.</param>
public readonly record struct VcpuStatistics(
    VcpuPhase Phase, SchedulingClass Class, int HostThread, TimeSpan RunTime, TimeSpan WaitTime, long Switches, long Wakes, long Preemptions, long Yields,
    long Migrations, double CreditMilliseconds, bool Parked);
