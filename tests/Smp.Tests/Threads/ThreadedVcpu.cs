using System.Diagnostics;

namespace FastXen.Smp.Tests.Threads;

/// <summary>
/// A vCPU on real host threads that follows the protocol of <see cref="ISchedulable"/>: it serves requests, each for a number of steps, and blocks when
/// there are none.
/// </summary>
internal sealed class ThreadedVcpu(int steps = 0) : ISchedulable
{
    private volatile bool waits = true, preempted;
    private long requests, served, wakeAt = long.MaxValue;
    private int inside, left;

    public Action? Woken { get; set; }

    public bool Contended { private get; set; }

    /// <summary>Never blocks.</summary>
    public bool Busy { get; init; }

    /// <summary>After each request it also wakes this much later by itself, once.</summary>
    public long Nap { get; init; }

    /// <summary>Called for each request that it serves.</summary>
    public Action? Serve { get; set; }

    public volatile bool StopRequested;

    public volatile bool ThrowRequested;

    /// <summary>How often two threads were inside at once.</summary>
    public int Collisions;

    public long Served => Volatile.Read(ref served);

    public long Naps;

    public bool HasWork => Busy || !waits || StopRequested || Volatile.Read(ref requests) != Volatile.Read(ref served) || Stopwatch.GetTimestamp() >= Volatile.Read(ref wakeAt);

    public long? WakeAt => wakeAt == long.MaxValue ? null : wakeAt;

    public void Request()
    {
        Interlocked.Increment(ref requests);
        if (waits)
            Woken?.Invoke();
    }

    public void Preempt() => preempted = true;

    public void Stop()
    {
        StopRequested = true;
        Interlocked.MemoryBarrier();
        Woken?.Invoke();
    }

    public SliceOutcome RunSlice(long until)
    {
        if (Interlocked.Exchange(ref inside, 1) != 0)
            Interlocked.Increment(ref Collisions);
        try
        {
            return Run(until);
        }
        finally
        {
            Volatile.Write(ref inside, 0);
        }
    }

    private SliceOutcome Run(long until)
    {
        for (; ; )
        {
            if (ThrowRequested)
                throw new InvalidOperationException("as requested");
            if (StopRequested)
                return SliceOutcome.Stopped;
            if (preempted || Stopwatch.GetTimestamp() >= until)
            {
                preempted = false;
                return SliceOutcome.Preempted;
            }

            if (left > 0)
            {
                left--;
                Thread.SpinWait(20);
            }
            else if (Volatile.Read(ref requests) != served)
            {
                waits = false;
                left = steps;
                Volatile.Write(ref served, served + 1);
                if (Nap > 0)
                    wakeAt = Stopwatch.GetTimestamp() + Nap;
                Serve?.Invoke();
            }
            else if (Stopwatch.GetTimestamp() >= wakeAt)
            {
                wakeAt = long.MaxValue;
                Naps++;
            }
            else if (Busy)
            {
                Thread.SpinWait(20);
            }
            else if (!waits)
            {
                // That it waits, then a fence, then the look at the requests.
                waits = true;
                Interlocked.MemoryBarrier();
            }
            else
            {
                return SliceOutcome.Blocked;
            }
        }
    }
}
