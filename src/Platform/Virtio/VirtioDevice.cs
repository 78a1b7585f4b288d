namespace FastXen.Platform.Virtio;

/// <summary>
/// A kind of virtio device: features, configuration space and what is done with requests. <see cref="VirtioPciFunction"/> carries it;
/// its lock is held in <see cref="Process"/> and <see cref="OnReset"/>.
/// </summary>
public abstract class VirtioDevice : IDisposable
{
    /// <summary>Virtio device type (virtio 1.2, 5).</summary>
    public abstract ushort Type { get; }

    /// <summary>What traces call it.</summary>
    public abstract string Name { get; }

    /// <summary>PCI class code.</summary>
    public abstract int ClassCode { get; }

    /// <summary>Features of the device type that are offered (bits 0 to 23 and 50 up).</summary>
    public abstract ulong Features { get; }

    /// <summary>Largest size of each queue.</summary>
    public abstract ReadOnlySpan<int> QueueSizes { get; }

    /// <summary>The device configuration space. Constant while the device lives.</summary>
    public abstract ReadOnlySpan<byte> Config { get; }

    /// <summary>The carrier; set before the guest runs.</summary>
    protected internal VirtioPciFunction Transport { get; internal set; } = null!;

    /// <summary>
    /// The driver notified a queue, or is ready: work on a bounded number of the queue's requests. True when more may be waiting;
    /// the lock is let go for a moment then.
    /// </summary>
    protected internal abstract bool Process(int queue);

    /// <summary>Whether a deterministic machine may have requests worked on inline; a device that takes input from the host may not.</summary>
    protected internal virtual bool CanRunInline => true;

    /// <summary>The carrier is complete: host activity may start.</summary>
    protected internal virtual void OnAttached()
    {
    }

    /// <summary>The driver reset the device.</summary>
    protected internal virtual void OnReset()
    {
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        Dispose(true);
        GC.SuppressFinalize(this);
    }

    /// <summary>Lets go of the backend. The carrier does no more work.</summary>
    protected virtual void Dispose(bool disposing)
    {
    }
}
