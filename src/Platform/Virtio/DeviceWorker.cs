namespace FastXen.Platform.Virtio;

/// <summary>The thread of a device: runs its work for the sources (queues) that were signalled, so that vCPUs do not wait for the host.</summary>
internal sealed class DeviceWorker : IDisposable
{
    private readonly Action<int> work;
    private readonly AutoResetEvent wake = new(false);
    private readonly Thread thread;
    private int signalled;
    private volatile bool stopping;

    public DeviceWorker(string name, Action<int> work)
    {
        this.work = work;
        thread = new Thread(Run) { IsBackground = true, Name = name };
        thread.Start();
    }

    /// <summary>Asks for work on a source, 0 to 31. Never blocks.</summary>
    public void Signal(int source)
    {
        if ((Interlocked.Or(ref signalled, 1 << source) & 1 << source) == 0)
            wake.Set();
    }

    /// <summary>Ends the thread after what it is doing.</summary>
    public void Dispose()
    {
        stopping = true;
        wake.Set();
        if (Thread.CurrentThread != thread)
            thread.Join();
        wake.Dispose();
    }

    private void Run()
    {
        while (!stopping)
        {
            uint sources = (uint)Interlocked.Exchange(ref signalled, 0);
            if (sources == 0)
            {
                wake.WaitOne();
                continue;
            }
            for (int source = 0; source < 32 && !stopping; source++)
            {
                if ((sources >> source & 1) != 0)
                    work(source);
            }
        }
    }
}
