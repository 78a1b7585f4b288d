namespace FastXen.Smp.Tests.Simulated;

public class RealTimeTests
{
    private const long Ms = Simulation.Millisecond;

    [Fact]
    public void Reservation_is_kept_among_busy_domains_and_not_exceeded()
    {
        Simulation simulation = new(2);
        for (int i = 0; i < 8; i++)
            simulation.AddBusyDomain(65535);
        SchedulerDomain domain = AddRealTime(simulation, 20, 5);
        ScheduledVcpu vcpu = simulation.Add(domain);
        simulation.Run(Simulation.Second);
        TimeSpan before = vcpu.Statistics.RunTime;
        for (int period = 1; period <= 500; period++)
        {
            simulation.Run(20 * Ms);
            Assert.InRange((vcpu.Statistics.RunTime - before).TotalMilliseconds, 5 * period - 5.1, 5 * period + 5.1);
        }

        Assert.InRange((vcpu.Statistics.RunTime - before).TotalSeconds, 2.45, 2.55);
    }

    [Fact]
    public void Without_extra_time_the_host_idles_rather()
    {
        Simulation simulation = new(1);
        ScheduledVcpu vcpu = simulation.Add(AddRealTime(simulation, 10, 3));
        simulation.Run(10 * Simulation.Second);
        Assert.InRange(vcpu.Statistics.RunTime.TotalSeconds, 2.9, 3.1);
    }

    [Fact]
    public void Extra_time_is_what_nobody_else_wants()
    {
        Simulation simulation = new(1);
        ScheduledVcpu vcpu = simulation.Add(AddRealTime(simulation, 10, 3, extra: true));
        simulation.Run(Simulation.Second);
        Assert.InRange(vcpu.Statistics.RunTime.TotalSeconds, 0.99, 1);
        simulation.Add(simulation.Scheduler.AddDomain("sleeper", new CreditParameters()), new SimulatedVcpu(simulation) { Burst = 5 * Ms, Sleep = 5 * Ms });
        TimeSpan before = vcpu.Statistics.RunTime;
        simulation.Run(10 * Simulation.Second);
        Assert.InRange((vcpu.Statistics.RunTime - before).TotalSeconds, 3, 7);
    }

    [Fact]
    public void Earliest_deadline_goes_first()
    {
        // Utilization 0.95 on one host thread: feasible for EDF only.
        Simulation simulation = new(1);
        (int Period, int Slice)[] tasks = [(10, 3), (14, 4), (35, 12)];
        ScheduledVcpu[] vcpus = [.. tasks.Select(task => simulation.Add(AddRealTime(simulation, task.Period, task.Slice)))];
        simulation.AddBusyDomain(256);
        simulation.Run(20 * Simulation.Second);
        for (int i = 0; i < tasks.Length; i++)
        {
            double share = vcpus[i].Statistics.RunTime.TotalSeconds / 20;
            Assert.InRange(share, 0.98 * tasks[i].Slice / tasks[i].Period, 1.02 * tasks[i].Slice / tasks[i].Period);
        }
    }

    [Fact]
    public void More_than_there_is_cannot_be_reserved()
    {
        Simulation simulation = new(1);
        simulation.Add(AddRealTime(simulation, 10, 6));
        SchedulerDomain second = simulation.AddBusyDomain(256);
        Assert.Throws<ArgumentException>(() => second.RealTime = new RealTimeParameters(TimeSpan.FromMilliseconds(10), TimeSpan.FromMilliseconds(5)));
        Assert.Throws<ArgumentOutOfRangeException>(() => second.RealTime = new RealTimeParameters(TimeSpan.FromMilliseconds(10), TimeSpan.FromMilliseconds(11)));
    }

    [Fact]
    public void Reservation_can_be_given_and_taken_away()
    {
        Simulation simulation = new(1);
        simulation.AddBusyDomain(256);
        SchedulerDomain domain = simulation.AddBusyDomain(256);
        simulation.Run(Ms);
        domain.RealTime = new RealTimeParameters(TimeSpan.FromMilliseconds(10), TimeSpan.FromMilliseconds(8));
        TimeSpan before = domain.Vcpus[0].Statistics.RunTime;
        simulation.Run(10 * Simulation.Second);
        Assert.InRange((domain.Vcpus[0].Statistics.RunTime - before).TotalSeconds, 7.9, 8.1);
        domain.Vcpus[0].RequestPause();
        simulation.Run(20 * Ms);
        domain.RealTime = null;
        domain.Vcpus[0].Unpause();
        before = domain.Vcpus[0].Statistics.RunTime;
        simulation.Run(10 * Simulation.Second);
        Assert.InRange((domain.Vcpus[0].Statistics.RunTime - before).TotalSeconds, 4.7, 5.3);
    }

    private static SchedulerDomain AddRealTime(Simulation simulation, int period, int slice, bool extra = false)
    {
        SchedulerDomain domain = simulation.Scheduler.AddDomain($"{slice} of {period} ms", new CreditParameters());
        domain.RealTime = new RealTimeParameters(TimeSpan.FromMilliseconds(period), TimeSpan.FromMilliseconds(slice), extra);
        return domain;
    }
}
