namespace FastXen.Platform.Work;

/// <summary>
/// Host threads that do the work of devices, shared by all machines of the process: as many as are busy at a time, whatever the number of devices.
/// They are started when there is work. A few stay for the next; more come only while those are all held up in the host (a terminal that
/// nobody reads, a slow disk), so that one device's backend never holds up another device, and these end when nothing is left to do.
/// </summary>
#pragma warning disable CA1001 // They live as long as the process.
public sealed class DeviceThreads
#pragma warning restore CA1001
{
    // Work that waits for so long while nothing else was begun waits for the host.
    private const int HeldUpMilliseconds = 20;

    private readonly object gate = new();
    private readonly Queue<DeviceWork> queue = new();
    private readonly int lasting;
    private readonly Timer watch;
    private int threads;
    private int idle;
    private bool watching;
    private long begun;
    private long begunBefore;

    /// <summary>Makes threads of which <paramref name="lasting"/> stay when there is nothing to do.</summary>
    public DeviceThreads(int lasting)
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(lasting);
        this.lasting = lasting;
        watch = new Timer(static self => ((DeviceThreads)self!).Watch(), this, Timeout.Infinite, Timeout.Infinite);
    }

    /// <summary>Those of the process.</summary>
    public static DeviceThreads Shared { get; } = new(Math.Clamp(Environment.ProcessorCount, 2, 8));

    /// <summary>How many there are now.</summary>
    public int Count
    {
        get
        {
            lock (gate)
                return threads;
        }
    }

    internal void Enqueue(DeviceWork work)
    {
        lock (gate)
        {
            queue.Enqueue(work);
            // Those that were woken for what was queued before have not taken it yet.
            if (idle >= queue.Count)
                Monitor.Pulse(gate);
            else if (threads < lasting)
                Start();
            else
                WatchSoon();
        }
    }

    private void Start()
    {
        threads++;
        new Thread(Run) { IsBackground = true, Name = "devices" }.Start();
    }

    private void WatchSoon()
    {
        if (watching)
            return;
        watching = true;
        begunBefore = begun;
        watch.Change(HeldUpMilliseconds, Timeout.Infinite);
    }

    private void Watch()
    {
        lock (gate)
        {
            watching = false;
            if (queue.Count == 0)
                return;
            if (begun == begunBefore)
                Start();
            WatchSoon();
        }
    }

    private void Run()
    {
        while (true)
        {
            DeviceWork? work;
            lock (gate)
            {
                while (!queue.TryDequeue(out work))
                {
                    if (idle >= lasting)
                    {
                        threads--;
                        return;
                    }
                    idle++;
                    Monitor.Wait(gate);
                    idle--;
                }
                begun++;
            }
            work.Run();
        }
    }
}
