using FastXen.Smp.Host;

namespace FastXen.Smp.Tests.Simulated;

/// <summary>The real scheduler on simulated host threads and a clock that goes from event to event: the same each time.</summary>
internal sealed class Simulation : TimeProvider
{
    public const long Millisecond = 1_000_000, Second = 1_000_000_000;

    /// <summary>From <see cref="ISchedulable.Preempt"/> until a vCPU comes out, and from waking a host thread until it runs.</summary>
    private const long Reaction = 20_000;

    private readonly PriorityQueue<Action, (long, int)> events = new();
    private readonly HostState[] hosts;
    private readonly Random random = new(1);
    private long now = 1_000 * Second;
    private int order;

    public Simulation(int hostThreads, SchedulerOptions? options = null)
    {
        Scheduler = new Scheduler(hostThreads, (options ?? new SchedulerOptions()) with { Clock = this, MaximumVcpus = 64 }, simulated: true);
        hosts = [.. Scheduler.Hosts.Select(host => new HostState(host) { Due = now })];
    }

    public Scheduler Scheduler { get; }

    public override long GetTimestamp() => now;

    /// <summary>How often, and for how long, the host stops a thread in the middle of a slice, to run something else.</summary>
    public (double Probability, long Longest) Stalls { get; init; }

    /// <summary>Host time in which no host thread ran anything.</summary>
    public long IdleTime { get; private set; }

    public ScheduledVcpu Add(SchedulerDomain domain, SimulatedVcpu? vcpu = null, ulong? hard = null, ulong? soft = null)
        => domain.Add(vcpu ?? new SimulatedVcpu(this), hard, soft);

    public SchedulerDomain AddBusyDomain(int weight, int cap = 0, int vcpus = 1, ulong? hard = null)
    {
        SchedulerDomain domain = Scheduler.AddDomain($"weight {weight}", new CreditParameters(weight, cap));
        for (int i = 0; i < vcpus; i++)
            Add(domain, hard: hard);
        return domain;
    }

    public void At(long delay, Action action) => events.Enqueue(action, (now + delay, order++));

    /// <summary>Lets this much time pass.</summary>
    public void Run(long duration)
    {
        long end = now + duration;
        for (; ; )
        {
            // What the last event caused: vCPUs asked to come out, host threads woken.
            foreach (HostState host in hosts)
            {
                if (host.Vcpu is { IsPreempted: true })
                    host.Due = Math.Min(host.Due, now + Reaction);
                else if (host.Vcpu is null && (Scheduler.IdleHosts & host.Thread.Bit) == 0)
                    host.Due = Math.Min(host.Due, now + Reaction);
            }

            HostState first = hosts.MinBy(static host => host.Due)!;
            long next = Math.Min(first.Due, events.TryPeek(out _, out (long At, int) at) ? at.At : long.MaxValue);
            Pass(Math.Min(next, end) - now);
            if (next > end)
                return;
            if (first.Due <= now)
                Step(first);
            else
                events.Dequeue()();
        }
    }

    private void Pass(long time)
    {
        IdleTime += time * hosts.Count(static host => host.Vcpu is null);
        now += time;
    }

    private void Step(HostState host)
    {
        SliceOutcome outcome = SliceOutcome.Preempted;
        if (host.Vcpu is { } before)
            outcome = before.End(now - host.Since);
        else
            host.Thread.EndIdle();
        host.Vcpu = (SimulatedVcpu?)host.Thread.Advance(outcome, now)?.Work;
        host.Since = now;
        host.Due = host.Vcpu is { } next ? Math.Min(host.Thread.Until, now + next.Begin()) : host.Thread.ParkUntil;
        if (host.Vcpu is not null && random.NextDouble() < Stalls.Probability)
            host.Due += random.NextInt64(Stalls.Longest);
    }

    private sealed class HostState(HostThread thread)
    {
        public HostThread Thread => thread;
        public SimulatedVcpu? Vcpu;
        public long Since, Due;
    }
}
