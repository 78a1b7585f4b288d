namespace FastXen.Smp.Tests.Simulated;

public class FairnessTests
{
    [Theory]
    [InlineData(1, 1)]
    [InlineData(2, 2)]
    [InlineData(4, 4)]
    public void Busy_domains_share_by_weight(int hostThreads, int vcpus)
    {
        Simulation simulation = new(hostThreads);
        AssertShares(simulation, hostThreads, vcpus, 10, 0.03);
        Assert.Equal(0, simulation.IdleTime);
    }

    [Theory]
    [InlineData(1, 1)]
    [InlineData(2, 2)]
    public void Busy_domains_share_by_weight_also_on_a_busy_host(int hostThreads, int vcpus)
    {
        Simulation simulation = new(hostThreads) { Stalls = (0.2, 80 * Simulation.Millisecond) };
        AssertShares(simulation, hostThreads, vcpus, 100, 0.01);
    }

    [Theory]
    [InlineData(1, 10, 1)]
    [InlineData(1, 50, 1)]
    [InlineData(2, 25, 2)]
    [InlineData(2, 150, 2)]
    [InlineData(4, 5, 1)]
    public void Capped_domain_gets_its_cap_on_an_idle_host(int hostThreads, int cap, int vcpus)
    {
        Simulation simulation = new(hostThreads);
        SchedulerDomain domain = simulation.AddBusyDomain(256, cap, vcpus);
        simulation.Run(1 * Simulation.Second);
        double before = RunTime(domain);
        simulation.Run(10 * Simulation.Second);
        Assert.InRange((RunTime(domain) - before) * 10, cap - 2.0, cap + 2.0);
    }

    [Fact]
    public void Capped_domain_beside_a_busy_one()
    {
        Simulation simulation = new(1);
        SchedulerDomain capped = simulation.AddBusyDomain(1024, cap: 30), other = simulation.AddBusyDomain(256);
        simulation.Run(11 * Simulation.Second);
        Assert.InRange(RunTime(capped) / 11 * 100, 28, 32);
        Assert.InRange(RunTime(other) / 11 * 100, 68, 72);
    }

    [Fact]
    public void Ending_a_cap_frees_a_parked_domain()
    {
        Simulation simulation = new(1);
        SchedulerDomain domain = simulation.AddBusyDomain(256, cap: 1);
        simulation.Run(5 * Simulation.Second);
        double before = RunTime(domain);
        domain.Credit = new CreditParameters(256, 0);
        simulation.Run(5 * Simulation.Second);
        Assert.InRange(RunTime(domain) - before, 4.5, 5);
    }

    [Fact]
    public void Nobody_starves_beside_many_times_its_weight()
    {
        Simulation simulation = new(1);
        SchedulerDomain small = simulation.AddBusyDomain(10);
        for (int i = 0; i < 10; i++)
            simulation.AddBusyDomain(1000);
        simulation.Run(300 * Simulation.Second);
        Assert.InRange(RunTime(small), 0.9 * 300 / 1001, 1.1 * 300 / 1001);
    }

    [Fact]
    public void What_sleepers_do_not_use_goes_to_the_busy()
    {
        Simulation simulation = new(1);
        SchedulerDomain sleepers = simulation.Scheduler.AddDomain("sleepers", new CreditParameters(1024, 0)), busy = simulation.AddBusyDomain(256);
        simulation.Add(sleepers, new SimulatedVcpu(simulation) { Burst = Simulation.Millisecond, Sleep = 9 * Simulation.Millisecond });
        simulation.Run(10 * Simulation.Second);
        Assert.InRange(RunTime(sleepers), 0.95, 1.01);
        Assert.InRange(RunTime(busy), 8.95, 9.05);
        Assert.Equal(0, simulation.IdleTime);
    }

    private static void AssertShares(Simulation simulation, int hostThreads, int vcpus, int seconds, double tolerance)
    {
        SchedulerDomain[] domains = [.. new[] { 100, 200, 400 }.Select(weight => simulation.AddBusyDomain(weight, vcpus: vcpus))];
        simulation.Run(1 * Simulation.Second);
        double[] before = [.. domains.Select(RunTime)];
        simulation.Run(seconds * Simulation.Second);
        for (int i = 0; i < domains.Length; i++)
        {
            double share = (RunTime(domains[i]) - before[i]) / (seconds * hostThreads), fair = (1 << i) / 7.0;
            Assert.True(Math.Abs(share - fair) <= tolerance * fair, $"weight {domains[i].Credit.Weight}: {share:0.0000} of all, {fair:0.0000} expected");
        }
    }

    private static double RunTime(SchedulerDomain domain) => domain.Vcpus.Sum(static vcpu => vcpu.Statistics.RunTime.TotalSeconds);
}
