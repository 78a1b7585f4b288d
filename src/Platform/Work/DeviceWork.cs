namespace FastXen.Platform.Work;

/// <summary>
/// The work of a device on the host, so that vCPUs do not wait for it: done on demand by <see cref="DeviceThreads"/>, on one thread at a time. It has
/// up to 30 sources (queues); a source that is signalled again before its turn has one turn. An exception ends the work for good and is handed to the owner.
/// </summary>
public sealed class DeviceWork : IDisposable
{
    /// <summary>How many sources there are at most.</summary>
    public const int MaximumSources = 30;

    private const int Sources = (1 << MaximumSources) - 1;
    // In the queue or on a thread.
    private const int Scheduled = 1 << 30;
    private const int Ended = 1 << 31;

    private readonly Lock working = new();
    private readonly DeviceThreads threads;
    private readonly Action<int> work;
    private readonly Action<Exception> failed;
    // Sources that were signalled, and the bits above.
    private int state;

    /// <summary><paramref name="work"/> is called with a source; <paramref name="failed"/> once, with what it threw.</summary>
    public DeviceWork(DeviceThreads threads, Action<int> work, Action<Exception> failed)
    {
        this.threads = threads;
        this.work = work;
        this.failed = failed;
    }

    /// <summary>It was disposed of, or has failed: signals do nothing.</summary>
    public bool HasEnded => Volatile.Read(ref state) < 0;

    /// <summary>Asks for work on a source. Never blocks. Any thread.</summary>
    public void Signal(int source)
    {
        if ((Interlocked.Or(ref state, 1 << source | Scheduled) & (Scheduled | Ended)) == 0)
            threads.Enqueue(this);
    }

    /// <summary>Ends it: when this returns no work is done any more. From within the work it returns at once.</summary>
    public void Dispose() => End(Timeout.InfiniteTimeSpan);

    /// <summary>Ends it; false when what is being done is not over after a time, and goes on behind the caller's back.</summary>
    public bool End(TimeSpan patience)
    {
        Interlocked.Or(ref state, Ended);
        if (!working.TryEnter(patience))
            return false;
        working.Exit();
        return true;
    }

    // On a device thread.
    internal void Run()
    {
        lock (working)
        {
            try
            {
                int signalled = Interlocked.And(ref state, ~Sources);
                for (int source = 0; source < MaximumSources && !HasEnded; source++)
                {
                    if ((signalled >> source & 1) != 0)
                        work(source);
                }
            }
#pragma warning disable CA1031 // An invariant of a device broke: its domain ends, the process does not.
            catch (Exception e)
#pragma warning restore CA1031
            {
                // What fails after its end concerns nobody.
                if (Interlocked.Or(ref state, Ended) >= 0)
                    failed(e);
            }
        }

        // Signalled meanwhile: another turn, behind those that wait.
        if (Interlocked.CompareExchange(ref state, 0, Scheduled) > Scheduled)
            threads.Enqueue(this);
    }
}
