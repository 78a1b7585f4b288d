namespace FastXen.Xen.Backends;

/// <summary>A few threads that serve many <see cref="WorkItem"/>s in the order in which they became ready.</summary>
public sealed class ReadyQueue : IDisposable
{
    private readonly object gate = new();
    private readonly Queue<WorkItem> ready = new();
    private readonly PriorityQueue<WorkItem, long> later = new();
    private readonly Thread[] threads;
    private bool isEnded;

    /// <summary>Starts the threads.</summary>
    public ReadyQueue(string name, int threads)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(threads, 1);
        this.threads = new Thread[threads];
        for (int i = 0; i < threads; i++)
        {
            this.threads[i] = new Thread(Run) { IsBackground = true, Name = $"{name} {i}" };
            this.threads[i].Start();
        }
    }

    /// <summary>Signals an item after a time, unless the queue ends before.</summary>
    public void SignalAfter(WorkItem item, int milliseconds)
    {
        lock (gate)
        {
            later.Enqueue(item, Environment.TickCount64 + milliseconds);
            Monitor.Pulse(gate);
        }
    }

    /// <summary>Ends the threads after what they are doing. What is signalled later is not served.</summary>
    public void Dispose()
    {
        lock (gate)
        {
            isEnded = true;
            Monitor.PulseAll(gate);
        }
        foreach (Thread thread in threads)
            thread.Join();
    }

    internal void Add(WorkItem item)
    {
        lock (gate)
        {
            ready.Enqueue(item);
            Monitor.Pulse(gate);
        }
    }

    private void Run()
    {
        while (Next() is { } item)
            item.Work();
    }

    private WorkItem? Next()
    {
        lock (gate)
        {
            while (!isEnded)
            {
                int wait = Timeout.Infinite;
                while (later.TryPeek(out WorkItem? due, out long time))
                {
                    wait = (int)Math.Clamp(time - Environment.TickCount64, 0, int.MaxValue);
                    if (wait > 0)
                        break;
                    later.Dequeue();
                    wait = Timeout.Infinite;
                    due.Signal();
                }
                if (ready.TryDequeue(out WorkItem? item))
                    return item;
                Monitor.Wait(gate, wait);
            }
            return null;
        }
    }
}
