using FastXen.Platform.Work;

namespace FastXen.Platform.Tests.Work;

public sealed class DeviceWorkTests
{
    private static readonly TimeSpan Long = TimeSpan.FromMinutes(5);

    private static void NoFailure(Exception e) => Assert.Fail(e.ToString());

    // Threads that were there because all others were held up end when they find nothing to do.
    private static void ExpectThreads(DeviceThreads threads, int most) => Assert.True(SpinWait.SpinUntil(() => threads.Count <= most, Long), $"{threads.Count} threads");

    [Fact]
    public void Threads_do_not_grow_with_devices()
    {
        const int Devices = 500, Rounds = 20;
        DeviceThreads threads = new(lasting: 2);
        Assert.Equal(0, threads.Count);
        int[] done = new int[Devices];
        DeviceWork[] works = [.. Enumerable.Range(0, Devices).Select(n => new DeviceWork(threads, _ => Interlocked.Increment(ref done[n]), NoFailure))];
        for (int round = 1; round <= Rounds; round++)
        {
            foreach (DeviceWork work in works) work.Signal(0);
            Assert.True(SpinWait.SpinUntil(() => done.All(count => count >= round), Long));
        }
        Assert.All(done, count => Assert.Equal(Rounds, count));
        ExpectThreads(threads, 2);
        foreach (DeviceWork work in works) work.Dispose();
    }

    [Fact]
    public void A_source_that_is_signalled_before_its_turn_has_one_turn()
    {
        DeviceThreads threads = new(lasting: 1);
        using ManualResetEventSlim open = new(), inside = new();
        List<int> turns = [];
        using CountdownEvent all = new(4);
        using DeviceWork work = new(
            threads,
            source =>
            {
                inside.Set();
                Assert.True(open.Wait(Long));
                turns.Add(source);
                all.Signal();
            },
            NoFailure);
        work.Signal(3);
        Assert.True(inside.Wait(Long));
        // Its own turn has begun: this is another one. The others have one each.
        for (int i = 0; i < 5; i++)
        {
            work.Signal(3);
            work.Signal(7);
            work.Signal(DeviceWork.MaximumSources - 1);
        }
        open.Set();
        Assert.True(all.Wait(Long));
        Assert.True(work.End(Long));
        Assert.Equal([3, 3, 7, DeviceWork.MaximumSources - 1], turns);
    }

    [Fact]
    public void Work_that_the_host_holds_up_does_not_hold_up_others()
    {
        const int Stuck = 5;
        DeviceThreads threads = new(lasting: 2);
        using ManualResetEventSlim open = new(), passed = new();
        using CountdownEvent released = new(Stuck);
        DeviceWork[] stuck = [.. Enumerable.Range(0, Stuck).Select(_ => new DeviceWork(
            threads,
            _ =>
            {
                Assert.True(open.Wait(Long));
                released.Signal();
            },
            NoFailure))];
        foreach (DeviceWork work in stuck) work.Signal(0);
        using DeviceWork free = new(threads, _ => passed.Set(), NoFailure);
        for (int i = 0; i < 10; i++)
        {
            passed.Reset();
            free.Signal(0);
            Assert.True(passed.Wait(Long));
        }
        Assert.Equal(Stuck, released.CurrentCount);
        Assert.False(stuck[0].End(TimeSpan.Zero));
        open.Set();
        Assert.True(released.Wait(Long));
        ExpectThreads(threads, 2);
    }

    [Fact]
    public async Task The_end_waits_for_what_is_being_done_and_lets_nothing_more_begin()
    {
        DeviceThreads threads = new(lasting: 1);
        using ManualResetEventSlim open = new(), inside = new();
        int turns = 0;
        DeviceWork work = new(
            threads,
            _ =>
            {
                inside.Set();
                Assert.True(open.Wait(Long));
                Interlocked.Increment(ref turns);
            },
            NoFailure);
        work.Signal(0);
        Assert.True(inside.Wait(Long));
        work.Signal(1);
        Task end = Task.Run(work.Dispose);
        Assert.NotSame(end, await Task.WhenAny(end, Task.Delay(50)));
        open.Set();
        await end.WaitAsync(Long);
        Assert.Equal(1, turns);
        work.Signal(0);
        // The thread has nothing left of it: what comes after it is done.
        using ManualResetEventSlim after = new();
        using DeviceWork other = new(threads, _ => after.Set(), NoFailure);
        other.Signal(0);
        Assert.True(after.Wait(Long));
        Assert.Equal(1, turns);
    }

    [Fact]
    public void Work_may_end_itself()
    {
        DeviceThreads threads = new(lasting: 1);
        using ManualResetEventSlim ended = new();
        DeviceWork? work = null;
        work = new DeviceWork(
            threads,
            _ =>
            {
                work!.Dispose();
                ended.Set();
            },
            NoFailure);
        work.Signal(0);
        Assert.True(ended.Wait(Long));
        Assert.True(work.HasEnded);
    }

    [Fact]
    public void An_exception_ends_the_work_that_threw_it_and_no_other()
    {
        DeviceThreads threads = new(lasting: 1);
        List<Exception> failures = [];
        using ManualResetEventSlim failed = new(), done = new();
        int turns = 0;
        using DeviceWork broken = new(
            threads,
            _ =>
            {
                turns++;
                throw new InvalidOperationException("broken");
            },
            e =>
            {
                failures.Add(e);
                failed.Set();
            });
        broken.Signal(0);
        Assert.True(failed.Wait(Long));
        Assert.True(broken.HasEnded);
        broken.Signal(0);
        using DeviceWork sound = new(threads, _ => done.Set(), NoFailure);
        sound.Signal(0);
        Assert.True(done.Wait(Long));
        Assert.Equal("broken", Assert.IsType<InvalidOperationException>(Assert.Single(failures)).Message);
        Assert.Equal((1, 1), (turns, threads.Count));
    }
}
