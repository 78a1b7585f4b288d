using System.Runtime.InteropServices;
using FastXen.Events;
using FastXen.Smp.Queues;

namespace FastXen.Smp.Host;

/// <summary>
/// A thread of the host that runs vCPUs. <see cref="Advance"/> is the scheduler proper: it takes the time as an argument, reads no clock and does
/// not sleep, so that tests drive it through simulated time.
/// </summary>
internal sealed partial class HostThread
{
    [ThreadStatic]
    private static ScheduledVcpu? running;

    private readonly Scheduler scheduler;
    private readonly Parker parker = new();
    private readonly TimerHeap timers;
    private readonly Thread? thread;
    private volatile ScheduledVcpu? current;
    private volatile bool stopping;
    private SharedLine shared;
    // When it switched to its vCPU, when that vCPU's slice ends, when to look again at one that the rate limit protected.
    private long since, sliceEnd, reconsiderAt;
    private long busyNanoseconds, switches, steals, parks;

    public HostThread(Scheduler scheduler, int index, bool simulated)
    {
        this.scheduler = scheduler;
        Index = index;
        timers = new TimerHeap(scheduler.Queues.Capacity);
        window = new PollWindow(scheduler.Options.LongestPollNanoseconds);
        if (!simulated)
            thread = new Thread(Loop) { IsBackground = true, Name = $"vcpus {index}" };
    }

    /// <summary>The vCPU that the calling thread runs.</summary>
    public static ScheduledVcpu? Running => running;

    public int Index { get; }

    public ulong Bit => 1UL << Index;

    /// <summary>Runs nothing, and is between two vCPUs or idle.</summary>
    public bool IsFree => current is null;

    /// <summary>Runs a vCPU, and not this one.</summary>
    public bool RunsOtherThan(ScheduledVcpu vcpu) => current is { } other && other != vcpu;

    /// <summary>Of the vCPU that it runs; greater than any when there is none.</summary>
    public SchedulingClass CurrentClass => current is { } vcpu ? vcpu.Word.Class : SchedulingClass.Over + 1;

    /// <summary>When the vCPU that <see cref="Advance"/> chose must come out.</summary>
    public long Until { get; private set; }

    /// <summary>Until when there is nothing to do, after <see cref="Advance"/> found nothing; <see cref="long.MaxValue"/>: until it is woken.</summary>
    public long ParkUntil { get; private set; }

    public HostThreadStatistics Statistics => new(
        Index, TimeSpan.FromTicks(busyNanoseconds / TimeSpan.NanosecondsPerTick), switches, steals, parks, polls, (scheduler.IdleHosts & Bit) != 0);

    public void Start() => thread?.Start();

    public void Stop()
    {
        stopping = true;
        Unpark();
        PreemptCurrent();
    }

    public void Join() => thread?.Join();

    public void Unpark() => parker.Unpark();

    /// <summary>
    /// Gives the thread, which the caller has claimed while it was idle, a vCPU whose word says that it is queued here; false: it has to go into the queue. As an entry
    /// there it is a hint. Any thread; <see cref="Unpark"/> follows.
    /// </summary>
    public bool TryHand(int index) => parker.TryHand(index);

    /// <summary>Someone was queued here who may be more urgent than the vCPU that runs. Any thread.</summary>
    public void Interrupt(ScheduledVcpu arrived, SchedulingClass priority)
    {
        // The vCPU that is seen here is not disposed of before the visit is over (AwaitVisitors).
        Interlocked.Increment(ref shared.Visitors);
        // Either this sees the vCPU that the thread has chosen, or the thread sees the flag and chooses again.
        Interlocked.Exchange(ref shared.Reconsider, 1);
        if (current is { } vcpu)
        {
            vcpu.Work.Contended = true;
            if (IsMoreUrgent(arrived, priority, vcpu))
            {
                if (Tracing.Scheduling)
                    vcpu.TracePreempt(Index, priority);
                vcpu.Work.Preempt();
            }
        }

        Interlocked.Decrement(ref shared.Visitors);
    }

    /// <summary>Has a vCPU come out if it runs here. Any thread.</summary>
    public void Preempt(ScheduledVcpu vcpu)
    {
        Interlocked.Increment(ref shared.Visitors);
        if (current == vcpu)
            vcpu.Work.Preempt();
        Interlocked.Decrement(ref shared.Visitors);
    }

    /// <summary>After a vCPU has left: nobody who saw it here still touches it when this returns.</summary>
    public void AwaitVisitors()
    {
        SpinWait spin = default;
        while (Volatile.Read(ref shared.Visitors) != 0)
            spin.SpinOnce();
    }

    private void PreemptCurrent()
    {
        Interlocked.Increment(ref shared.Visitors);
        current?.Work.Preempt();
        Interlocked.Decrement(ref shared.Visitors);
    }

    private static bool IsMoreUrgent(ScheduledVcpu arrived, SchedulingClass priority, ScheduledVcpu runs)
    {
        SchedulingClass present = runs.Word.Class;
        return priority < present || (priority == SchedulingClass.RealTime && present == SchedulingClass.RealTime && arrived.Deadline < runs.Deadline);
    }

    private void Loop()
    {
        HostProcessor.UseExactTimeouts();
        if (scheduler.Options.PinHostThreads)
            HostProcessor.Bind(Index);
        SliceOutcome outcome = SliceOutcome.Preempted;
        while (!stopping)
        {
            long now = scheduler.Now;
            if (Advance(outcome, now) is { } vcpu)
            {
                outcome = Run(vcpu);
                continue;
            }

            Idle(now);
            EndIdle();
            outcome = SliceOutcome.Preempted;
        }

        if (current is { } last)
        {
            current = null;
            last.ReleaseStopped();
        }
    }

    private SliceOutcome Run(ScheduledVcpu vcpu)
    {
        running = vcpu;
        try
        {
            return vcpu.Work.RunSlice(Until);
        }
#pragma warning disable CA1031 // What the unit throws ends this unit; the domain hears of it (SchedulerDomain.Stopped).
        catch (Exception e)
#pragma warning restore CA1031
        {
            vcpu.Fault = e;
            return SliceOutcome.Stopped;
        }
        finally
        {
            running = null;
        }
    }

    /// <summary>What other threads write.</summary>
    [StructLayout(LayoutKind.Explicit, Size = 256)]
    private struct SharedLine
    {
        [FieldOffset(128)] public int Reconsider;
        [FieldOffset(132)] public int Visitors;
    }
}
