using FastXen.Platform.Work;

namespace FastXen.Platform.Uart;

/// <summary>
/// Carries a UART's output to its backend. On a device thread, so that a slow terminal does not hold up a vCPU; when the queue
/// is full the transmitter is busy, as at the end of a slow line.
/// </summary>
internal sealed class Transmitter : IDisposable
{
    private const int Capacity = 64 << 10;
    private const int Batch = 4096;
    private static readonly TimeSpan FlushLimit = TimeSpan.FromSeconds(5);
    // For what is between two writes of a backend that is not stuck.
    private static readonly TimeSpan EndLimit = TimeSpan.FromMilliseconds(200);

    private readonly ICharacterBackend backend;
    private readonly Action drained;
    private readonly DeviceWork? work;
    private readonly object gate = new();
    private readonly ByteQueue queue = new(Capacity);
    private bool writing;
    private bool wasFull;

    /// <summary>
    /// <paramref name="drained"/> is called, without locks held, when a full queue has room again; <paramref name="failed"/> is told what a backend threw.
    /// </summary>
    public Transmitter(ICharacterBackend backend, bool synchronous, Action drained, Action<Exception> failed)
    {
        this.backend = backend;
        this.drained = drained;
        if (!synchronous)
            work = new DeviceWork(DeviceThreads.Shared, _ => Carry(), e => Fail(failed, e));
    }

    /// <summary>The holding register is empty.</summary>
    public bool HasRoom
    {
        get
        {
            lock (gate)
                return queue.Room > 0;
        }
    }

    /// <summary>Sends a byte; lost when there is no room. Returns whether there is room for another one.</summary>
    public bool Send(byte value)
    {
        if (work is null)
        {
            backend.Write([value]);
            return true;
        }
        bool room;
        lock (gate)
        {
            queue.Enqueue([value]);
            room = queue.Room > 0;
            wasFull = !room;
        }
        work.Signal(0);
        return room;
    }

    /// <summary>Waits until the backend has everything. A stuck backend is given up after a few seconds.</summary>
    public void Flush()
    {
        long deadline = Environment.TickCount64 + (long)FlushLimit.TotalMilliseconds;
        lock (gate)
        {
            while (work is { HasEnded: false } && (queue.Count > 0 || writing))
            {
                long left = deadline - Environment.TickCount64;
                if (left <= 0 || !Monitor.Wait(gate, TimeSpan.FromMilliseconds(left)))
                    return;
            }
        }
    }

    /// <summary>Sends what is left. A backend that is stuck is left alone with it.</summary>
    public void Dispose()
    {
        Flush();
        work?.End(EndLimit);
    }

    // Nobody waits for the rest.
    private void Fail(Action<Exception> failed, Exception exception)
    {
        lock (gate)
            Monitor.PulseAll(gate);
        failed(exception);
    }

    private void Carry()
    {
        Span<byte> batch = stackalloc byte[Batch];
        int count;
        bool notify;
        lock (gate)
        {
            writing = true;
            count = queue.Dequeue(batch);
            notify = wasFull;
            wasFull = false;
        }
        bool more;
        try
        {
            if (notify)
                drained();
            backend.Write(batch[..count]);
        }
        finally
        {
            lock (gate)
            {
                writing = false;
                more = queue.Count > 0;
                Monitor.PulseAll(gate);
            }
        }
        if (more)
            work!.Signal(0);
    }
}
