namespace FastXen.Smp.Tests.Simulated;

public class PolicyTests
{
    private const long Ms = Simulation.Millisecond;

    [Fact]
    public void Woken_vcpu_goes_before_busy_ones()
    {
        Simulation simulation = new(2);
        for (int i = 0; i < 6; i++)
            simulation.AddBusyDomain(256);
        SchedulerDomain domain = simulation.Scheduler.AddDomain("interactive", new CreditParameters());
        SimulatedVcpu work = new(simulation) { Burst = Ms / 10, Sleep = SimulatedVcpu.Forever };
        ScheduledVcpu vcpu = simulation.Add(domain, work);
        for (int i = 1; i < 2000; i++)
            simulation.At(i * 5 * Ms + i * 7919 % Ms, work.Request);
        simulation.Run(10 * Simulation.Second);
        Assert.InRange(work.Bursts, 1990, 2000);
        // The rate limit protects one that has just begun for a millisecond. Only at first it has not earned credits yet.
        Assert.InRange(vcpu.WakeLatency.Quantile(0.99), 1, 2 * Ms);
        Assert.InRange(vcpu.WakeLatency.Quantile(0.5), 1, 32_767);
    }

    [Fact]
    public void Without_credits_there_is_no_boost()
    {
        Simulation simulation = new(1);
        simulation.AddBusyDomain(1000);
        SchedulerDomain domain = simulation.Scheduler.AddDomain("small", new CreditParameters(10, 0));
        ScheduledVcpu vcpu = simulation.Add(domain, new SimulatedVcpu(simulation) { Burst = 5 * Ms, Sleep = 5 * Ms });
        simulation.Run(60 * Simulation.Second);
        // Its share is a hundredth; a boost at each wake would give it a third.
        Assert.InRange(vcpu.Statistics.RunTime.TotalSeconds, 0.3, 3);
    }

    [Fact]
    public void Idle_host_thread_gets_the_woken_vcpu()
    {
        Simulation simulation = new(2);
        ScheduledVcpu busy = simulation.AddBusyDomain(256).Vcpus[0];
        SchedulerDomain domain = simulation.Scheduler.AddDomain("interactive", new CreditParameters());
        ScheduledVcpu vcpu = simulation.Add(domain, new SimulatedVcpu(simulation) { Burst = Ms, Sleep = 3 * Ms });
        simulation.Run(Simulation.Second);
        Assert.InRange(vcpu.WakeLatency.Quantile(1), 0, 65_535);
        Assert.True(busy.Statistics.Preemptions <= 1);
        Assert.True(busy.Statistics.Migrations <= 1);
    }

    [Fact]
    public void Blocked_vcpus_cost_nothing()
    {
        Simulation simulation = new(2);
        SchedulerDomain domain = simulation.Scheduler.AddDomain("idle", new CreditParameters());
        for (int i = 0; i < 50; i++)
            simulation.Add(domain, new SimulatedVcpu(simulation) { Burst = Ms, Sleep = SimulatedVcpu.Forever });
        simulation.Run(Simulation.Second);
        long switches = simulation.Scheduler.HostThreads.Sum(static host => host.Switches);
        simulation.Run(100 * Simulation.Second);
        Assert.Equal(50, switches);
        Assert.Equal(switches, simulation.Scheduler.HostThreads.Sum(static host => host.Switches));
        Assert.All(simulation.Scheduler.Hosts, static host => Assert.Equal(long.MaxValue, host.ParkUntil));
    }

    [Fact]
    public void Hard_affinity_is_never_violated()
    {
        Simulation simulation = new(4);
        ScheduledVcpu[] pinned = [.. Enumerable.Range(0, 6).Select(i => simulation.AddBusyDomain(256, hard: 1UL << i % 2).Vcpus[0])];
        for (int i = 0; i < 4; i++)
            simulation.AddBusyDomain(256);
        for (int i = 0; i < 1000; i++)
        {
            simulation.Run(7 * Ms);
            Assert.All(pinned, static vcpu => Assert.True(vcpu.MayRunOn(vcpu.Statistics.HostThread)));
        }

        Assert.All(pinned, static vcpu => Assert.True(vcpu.Statistics.Migrations <= 1));
        Assert.InRange(simulation.IdleTime, 0, Ms);
    }

    [Fact]
    public void Changed_affinity_moves_a_vcpu_at_once()
    {
        Simulation simulation = new(2);
        ScheduledVcpu first = simulation.AddBusyDomain(256).Vcpus[0];
        simulation.Run(10 * Ms);
        int other = 1 - first.Statistics.HostThread;
        first.HardAffinity = 1UL << other;
        simulation.Run(Ms);
        Assert.Equal((VcpuPhase.Running, other), (first.Statistics.Phase, first.Statistics.HostThread));
        Assert.Throws<ArgumentException>(() => first.HardAffinity = 4);
    }

    [Fact]
    public void Soft_affinity_is_preferred_but_not_at_the_price_of_idling()
    {
        Simulation simulation = new(4);
        simulation.Run(Ms);
        ScheduledVcpu alone = simulation.Add(simulation.Scheduler.AddDomain("soft", new CreditParameters()), soft: 0b1000);
        simulation.Run(10 * Ms);
        Assert.Equal(3, alone.Statistics.HostThread);
        SchedulerDomain more = simulation.Scheduler.AddDomain("more", new CreditParameters());
        for (int i = 0; i < 3; i++)
            simulation.Add(more, soft: 0b1000);
        simulation.Run(10 * Ms);
        long idle = simulation.IdleTime;
        simulation.Run(Simulation.Second);
        Assert.InRange(simulation.IdleTime - idle, 0, Ms);
    }

    [Fact]
    public void No_host_thread_idles_while_one_has_work_queued()
    {
        Simulation simulation = new(4);
        Random random = new(1);
        SchedulerDomain domain = simulation.Scheduler.AddDomain("load", new CreditParameters());
        for (int i = 0; i < 4; i++)
            simulation.Add(domain);
        for (int i = 0; i < 8; i++)
            simulation.Add(domain, new SimulatedVcpu(simulation) { Burst = random.Next(100_000, 9_000_000), Sleep = random.Next(100_000, 9_000_000) });
        simulation.Run(Simulation.Second);
        long idle = simulation.IdleTime;
        simulation.Run(10 * Simulation.Second);
        Assert.InRange(simulation.IdleTime - idle, 0, Ms);
    }

    [Fact]
    public void Spinning_vcpu_lets_others_run()
    {
        Simulation simulation = new(1);
        SchedulerDomain domain = simulation.Scheduler.AddDomain("lock", new CreditParameters());
        ScheduledVcpu spinner = simulation.Add(domain, new SimulatedVcpu(simulation) { Spins = true }), holder = simulation.Add(domain);
        simulation.Run(Simulation.Second);
        Assert.InRange(spinner.Statistics.RunTime.TotalMilliseconds, 0, 10);
        Assert.InRange(holder.Statistics.RunTime.TotalMilliseconds, 990, 1000);
        Assert.True(spinner.Statistics.Yields > 10);
    }

    [Fact]
    public void Paused_vcpu_does_not_run_until_it_was_unpaused_as_often()
    {
        Simulation simulation = new(1);
        ScheduledVcpu vcpu = simulation.AddBusyDomain(256).Vcpus[0];
        simulation.Run(10 * Ms);
        vcpu.RequestPause();
        vcpu.RequestPause();
        vcpu.Work.Preempt();
        simulation.Run(Ms);
        TimeSpan ran = vcpu.Statistics.RunTime;
        simulation.Run(Simulation.Second);
        vcpu.Unpause();
        simulation.Run(Simulation.Second);
        Assert.Equal((VcpuPhase.Held, ran), (vcpu.Statistics.Phase, vcpu.Statistics.RunTime));
        vcpu.Unpause();
        simulation.Run(10 * Ms);
        Assert.InRange((vcpu.Statistics.RunTime - ran).TotalMilliseconds, 8.9, 10);
        Assert.Throws<InvalidOperationException>(vcpu.Unpause);
    }

    [Fact]
    public void Wake_up_of_a_paused_vcpu_is_kept()
    {
        Simulation simulation = new(1);
        SimulatedVcpu work = new SimulatedVcpu(simulation) { Burst = Ms, Sleep = SimulatedVcpu.Forever }.Waiting();
        ScheduledVcpu vcpu = simulation.Add(simulation.Scheduler.AddDomain("one", new CreditParameters()), work);
        vcpu.Pause();
        work.Request();
        simulation.Run(10 * Ms);
        Assert.Equal((VcpuPhase.Held, 0), (vcpu.Statistics.Phase, work.Bursts));
        vcpu.Unpause();
        simulation.Run(10 * Ms);
        Assert.Equal((VcpuPhase.Blocked, 1), (vcpu.Statistics.Phase, work.Bursts));
    }
}
