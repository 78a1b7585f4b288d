namespace FastXen.Smp.Tests.Threads;

/// <summary>The scheduler on real host threads. Numbers of rounds, not times, say how long these run.</summary>
public class SchedulerThreadTests
{
    private static readonly TimeSpan Hang = TimeSpan.FromSeconds(60);

    [Theory]
    [InlineData(1, 2)]
    [InlineData(2, 2)]
    [InlineData(3, 8)]
    public void No_wake_up_is_lost_in_a_ring(int hostThreads, int vcpus)
    {
        const int Rounds = 5000;
        using Scheduler scheduler = new(hostThreads);
        using SchedulerDomain domain = scheduler.AddDomain("ring", new CreditParameters());
        ThreadedVcpu[] ring = [.. Enumerable.Range(0, vcpus).Select(static _ => new ThreadedVcpu())];
        using ManualResetEventSlim done = new();
        for (int i = 0; i < vcpus; i++)
        {
            ThreadedVcpu self = ring[i], next = ring[(i + 1) % vcpus];
            self.Serve = i == 0
                ? () => { if (self.Served <= Rounds) next.Request(); else done.Set(); }
            : next.Request;
            domain.Add(self);
        }

        ring[0].Request();
        Assert.True(done.Wait(Hang), $"after {ring[0].Served} rounds: {string.Join(", ", domain.Vcpus.Select(static vcpu => vcpu.Statistics.Phase))}");
        Assert.All(ring, static vcpu => Assert.Equal(0, vcpu.Collisions));
    }

    [Fact]
    public void Requests_from_many_threads_are_all_served_while_vcpus_are_paused_moved_and_removed()
    {
        const int Vcpus = 12, Requests = 4000;
        using Scheduler scheduler = new(3, new SchedulerOptions { MaximumVcpus = 16, TimeSlice = TimeSpan.FromMilliseconds(3), RateLimit = TimeSpan.Zero });
        using SchedulerDomain domain = scheduler.AddDomain("served", new CreditParameters()), other = scheduler.AddDomain("others", new CreditParameters(512, 40));
        other.Add(new ThreadedVcpu { Busy = true });
        ThreadedVcpu[] works = [.. Enumerable.Range(0, Vcpus).Select(static i => new ThreadedVcpu(i) { Nap = i % 3 == 0 ? 50_000 : 0 })];
        ScheduledVcpu[] vcpus = [.. works.Select(work => domain.Add(work))];
        bool requested = false;
        Parallel.Invoke(
            () => RequestAll(1), () => RequestAll(2),
            () =>
            {
                Random random = new(3);
                while (!Volatile.Read(ref requested))
                {
                    ScheduledVcpu vcpu = vcpus[random.Next(Vcpus)];
                    switch (random.Next(4))
                    {
                        case 0:
                            vcpu.Pause();
                            Assert.NotEqual(VcpuPhase.Running, vcpu.Statistics.Phase);
                            vcpu.Unpause();
                            break;
                        case 1:
                            vcpu.HardAffinity = (ulong)random.Next(1, 8);
                            break;
                        case 2:
                            vcpu.SoftAffinity = (ulong)random.Next(0, 8);
                            break;
                        default:
                            ScheduledVcpu guest = other.Add(new ThreadedVcpu { Busy = true });
                            Thread.Yield();
                            guest.Remove();
                            Assert.Equal(VcpuPhase.Detached, guest.Statistics.Phase);
                            break;
                    }
                }
            });
        foreach (ThreadedVcpu work in works)
            Assert.True(SpinWait.SpinUntil(() => work.Served == 2 * Requests, Hang), $"{work.Served} of {2 * Requests}");
        foreach (ThreadedVcpu work in works.Where(static work => work.Nap > 0))
            Assert.True(SpinWait.SpinUntil(() => !work.HasWork && work.Naps > 0, Hang));
        Assert.All(works, static work => Assert.Equal(0, work.Collisions));

        void RequestAll(int seed)
        {
            Random random = new(seed);
            for (int i = 0; i < Requests; i++)
            {
                foreach (ThreadedVcpu work in works)
                    work.Request();
                if (random.Next(8) == 0)
                    Thread.Sleep(0);
            }

            Volatile.Write(ref requested, true);
        }
    }

    [Fact]
    public void Stopped_vcpu_is_reported_and_can_be_restarted()
    {
        using Scheduler scheduler = new(2);
        using SemaphoreSlim stops = new(0);
        using SchedulerDomain domain = scheduler.AddDomain("stops", new CreditParameters(), _ => stops.Release());
        ThreadedVcpu work = new() { Busy = true };
        ScheduledVcpu vcpu = domain.Add(work);
        work.Stop();
        Assert.True(stops.Wait(Hang));
        Assert.Equal((VcpuPhase.Stopped, null), (vcpu.Statistics.Phase, vcpu.Fault));
        work.StopRequested = false;
        work.ThrowRequested = true;
        vcpu.Restart();
        Assert.True(stops.Wait(Hang));
        Assert.Equal("as requested", vcpu.Fault?.Message);
        vcpu.Remove();
        Assert.Empty(domain.Vcpus);
    }

    [Fact]
    public void Idle_host_threads_sleep()
    {
        using Scheduler scheduler = new(2);
        using SchedulerDomain domain = scheduler.AddDomain("idle", new CreditParameters());
        for (int i = 0; i < 10; i++)
            domain.Add(new ThreadedVcpu());
        Assert.True(SpinWait.SpinUntil(() => scheduler.HostThreads.All(static host => host.Idle), Hang));
        long parks = Parks();
        Thread.Sleep(100);
        Assert.Equal(parks, Parks());

        long Parks() => scheduler.HostThreads.Sum(static host => host.Parks);
    }

    [Fact]
    public void Vcpus_beyond_the_limit_are_refused()
    {
        using Scheduler scheduler = new(1, new SchedulerOptions { MaximumVcpus = 2 });
        using SchedulerDomain domain = scheduler.AddDomain("full", new CreditParameters());
        domain.Add(new ThreadedVcpu());
        ScheduledVcpu second = domain.Add(new ThreadedVcpu());
        Assert.Throws<InvalidOperationException>(() => domain.Add(new ThreadedVcpu()));
        second.Remove();
        domain.Add(new ThreadedVcpu());
    }
}
