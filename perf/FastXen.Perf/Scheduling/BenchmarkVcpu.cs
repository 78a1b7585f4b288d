using System.Diagnostics;
using FastXen.Smp;

namespace FastXen.Perf.Scheduling;

/// <summary>What the scheduler's benchmarks run: counts as it works, or waits to be asked.</summary>
internal sealed class BenchmarkVcpu : ISchedulable
{
    private volatile bool waits, preempted;
    private long requests, served;

    /// <summary>Never waits.</summary>
    public bool Busy { get; init; }

    /// <summary>Gives up its turn each time it has one.</summary>
    public bool Yields { get; init; }

    /// <summary>Called for each request.</summary>
    public Action? Serve { get; set; }

    /// <summary>Steps of work done.</summary>
    public long Work { get; private set; }

    public Action? Woken { get; set; }

    public bool Contended { private get; set; }

    public bool HasWork => !waits || Volatile.Read(ref requests) != Volatile.Read(ref served);

    public long? WakeAt => null;

    /// <summary>Any thread.</summary>
    public void Request()
    {
        Interlocked.Increment(ref requests);
        if (waits)
            Woken?.Invoke();
    }

    public void Preempt() => preempted = true;

    public SliceOutcome RunSlice(long until)
    {
        waits = false;
        for (; ; )
        {
            if (Yields && Contended)
            {
                Work++;
                return SliceOutcome.Yielded;
            }

            if (Volatile.Read(ref requests) != served)
            {
                served++;
                Serve?.Invoke();
            }
            else if (!Busy)
            {
                waits = true;
                Interlocked.MemoryBarrier();
                if (Volatile.Read(ref requests) == served)
                    return SliceOutcome.Blocked;
                waits = false;
            }

            if (Busy)
                DoWork();
            if (preempted || Stopwatch.GetTimestamp() >= until)
            {
                preempted = false;
                return SliceOutcome.Preempted;
            }
        }
    }

    // As long as a vCPU runs between two look-points at most, or less: some microseconds.
    private void DoWork()
    {
        ulong x = (ulong)Work | 1;
        for (int i = 0; i < 2000; i++)
            x = x * 6364136223846793005 + 1442695040888963407;
        Work += (x & 1) == 0 ? 1 : 2;
    }
}
