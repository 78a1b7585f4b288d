namespace FastXen.Platform.Uart;

/// <summary>
/// Carries a UART's output to its backend. On a thread of its own, so that a slow terminal does not hold up a vCPU; when the queue
/// is full the transmitter is busy, as at the end of a slow line.
/// </summary>
internal sealed class Transmitter : IDisposable
{
    private const int Capacity = 64 << 10;
    private const int Batch = 4096;
    private static readonly TimeSpan FlushLimit = TimeSpan.FromSeconds(5);

    private readonly ICharacterBackend backend;
    private readonly Action drained;
    private readonly Thread? thread;
    private readonly object gate = new();
    private readonly ByteQueue queue = new(Capacity);
    private bool writing;
    private bool wasFull;
    private bool stopping;

    /// <summary><paramref name="drained"/> is called, without locks held, when a full queue has room again.</summary>
    public Transmitter(ICharacterBackend backend, bool synchronous, Action drained)
    {
        this.backend = backend;
        this.drained = drained;
        if (synchronous)
            return;
        thread = new Thread(Run) { IsBackground = true, Name = "uart" };
        thread.Start();
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
        if (thread is null)
        {
            backend.Write([value]);
            return true;
        }
        lock (gate)
        {
            queue.Enqueue([value]);
            wasFull = queue.Room == 0;
            Monitor.PulseAll(gate);
            return !wasFull;
        }
    }

    /// <summary>Waits until the backend has everything. A stuck backend is given up after a few seconds.</summary>
    public void Flush()
    {
        long deadline = Environment.TickCount64 + (long)FlushLimit.TotalMilliseconds;
        lock (gate)
        {
            while (thread is not null && (queue.Count > 0 || writing))
            {
                long left = deadline - Environment.TickCount64;
                if (left <= 0 || !Monitor.Wait(gate, TimeSpan.FromMilliseconds(left)))
                    return;
            }
        }
    }

    public void Dispose()
    {
        Flush();
        lock (gate)
        {
            stopping = true;
            Monitor.PulseAll(gate);
        }
    }

    private void Run()
    {
        byte[] batch = new byte[Batch];
        while (true)
        {
            int count;
            bool notify;
            lock (gate)
            {
                writing = false;
                Monitor.PulseAll(gate);
                while (queue.Count == 0 && !stopping)
                    Monitor.Wait(gate);
                if (stopping)
                    return;
                writing = true;
                count = queue.Dequeue(batch);
                notify = wasFull;
                wasFull = false;
            }
            if (notify)
                drained();
            backend.Write(batch.AsSpan(0, count));
        }
    }
}
