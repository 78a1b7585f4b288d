using System.Text;
using FastXen.Smp.Host;

namespace FastXen.Smp.Tests.Threads;

/// <summary>Host threads that look for work for a while before they sleep.</summary>
public class PollTests
{
    private const long Most = 50_000;
    private static readonly TimeSpan Hang = TimeSpan.FromSeconds(60);

    [Fact]
    public void Window_grows_with_short_waits_up_to_its_limit_and_ends_with_a_long_one()
    {
        PollWindow window = new(Most);
        Assert.Equal(0, window.Nanoseconds);
        List<long> seen = [];
        for (int i = 0; i < 5; i++)
        {
            window.Waited(Most);
            seen.Add(window.Nanoseconds);
        }

        Assert.Equal([PollWindow.Shortest, 2 * PollWindow.Shortest, 4 * PollWindow.Shortest, Most, Most], seen);
        window.Waited(1000);
        Assert.Equal(Most, window.Nanoseconds);
        window.Waited(Most + 1);
        Assert.Equal(0, window.Nanoseconds);
    }

    [Fact]
    public void Window_stays_where_it_answers_the_waits()
    {
        PollWindow window = new(Most);
        window.Waited(12_000);
        window.Waited(PollWindow.Shortest);
        Assert.Equal(PollWindow.Shortest, window.Nanoseconds);
    }

    [Fact]
    public void Window_of_nothing_never_opens()
    {
        PollWindow window = new(0);
        window.Waited(0);
        window.Waited(1);
        Assert.Equal(0, window.Nanoseconds);
    }

    [Theory]
    [InlineData("0.20 0.18 0.12 1/80 11206\n", 1)]
    [InlineData("12.75 5.94 4.02 12/342 17641\n", 12)]
    [InlineData("12.75 5.94 4.02 /342 17641\n", int.MaxValue)]
    [InlineData("12.75 5.94 4.02", int.MaxValue)]
    [InlineData("", int.MaxValue)]
    public void Runnable_threads_are_read_from_loadavg(string text, int expected) => Assert.Equal(expected, HostLoad.Runnable(Encoding.ASCII.GetBytes(text)));

    [Theory]
    [InlineData(true, true)]
    [InlineData(false, true)]
    [InlineData(true, false)]
    public void Thread_with_short_waits_polls_where_there_is_room(bool hasRoom, bool polls)
    {
        using Scheduler scheduler = new(2, new SchedulerOptions { HasRoom = _ => hasRoom, LongestPoll = polls ? TimeSpan.FromMilliseconds(1) : TimeSpan.Zero });
        using SchedulerDomain domain = scheduler.AddDomain("pair", new CreditParameters());
        ThreadedVcpu first = new(), second = new();
        bool over = false;
        first.Serve = () => { if (!Volatile.Read(ref over)) second.Request(); };
        second.Serve = first.Request;
        ScheduledVcpu[] vcpus = [domain.Add(first, hard: 1), domain.Add(second, hard: 2)];
        first.Request();
        bool expected = hasRoom && polls && Environment.ProcessorCount > 1;
        Assert.True(SpinWait.SpinUntil(() => expected ? Polls() > 100 : first.Served > 5000, Hang), $"{Polls()} polls in {first.Served} rounds");
        Volatile.Write(ref over, true);
        Assert.True(SpinWait.SpinUntil(() => scheduler.HostThreads.All(static host => host.Idle), Hang));
        Assert.Equal(expected, Polls() > 0);
        Assert.Equal((0, 0), (first.Collisions, second.Collisions));
        // What a host thread was busy with was its vCPU's run time: no more, no less.
        Assert.Equal(vcpus.Select(static vcpu => vcpu.Statistics.RunTime), scheduler.HostThreads.Select(static host => host.BusyTime));

        long Polls() => scheduler.HostThreads.Sum(static host => host.Polls);
    }
}
