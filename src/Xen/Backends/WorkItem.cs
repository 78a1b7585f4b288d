using FastXen.Events;

namespace FastXen.Xen.Backends;

/// <summary>
/// Something that is worked on by the threads of a <see cref="ReadyQueue"/> after it was signalled: by one thread at a time, waiting
/// there at most once.
/// </summary>
public abstract class WorkItem(ReadyQueue queue) : IEventSink
{
    private const int Idle = 0, Waiting = 1, Working = 2, Again = 3;
    private int state;

    /// <summary>The threads that serve it.</summary>
    protected ReadyQueue Queue => queue;

    /// <inheritdoc/>
    public void Signal()
    {
        // A full barrier even where nothing changes: whoever works next sees what the caller wrote before.
        int seen = Interlocked.CompareExchange(ref state, Waiting, Idle);
        if (seen == Idle)
            queue.Add(this);
        while (seen == Working)
        {
            seen = Interlocked.CompareExchange(ref state, Again, Working);
            if (seen == Idle && (seen = Interlocked.CompareExchange(ref state, Waiting, Idle)) == Idle)
                queue.Add(this);
        }
    }

    /// <summary>Does a bounded part of the work. True when there is more; others get their turn first.</summary>
    protected abstract bool Run();

    internal void Work()
    {
        Interlocked.Exchange(ref state, Working);
        if (Run() || Interlocked.CompareExchange(ref state, Idle, Working) != Working)
        {
            Volatile.Write(ref state, Waiting);
            queue.Add(this);
        }
    }
}
