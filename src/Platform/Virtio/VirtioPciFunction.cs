using FastXen.Events;
using FastXen.Mmu;
using FastXen.Platform.Dma;
using FastXen.Platform.Pci;
using FastXen.Platform.Work;

namespace FastXen.Platform.Virtio;

/// <summary>
/// The modern virtio PCI transport (virtio 1.2, 4.1): one memory BAR with the common, ISR, device and notification structures and the
/// MSI-X table. Requests are worked on by device threads, or inline on a deterministic machine.
/// </summary>
public sealed partial class VirtioPciFunction : PciFunction, IDisposable
{
    private const ushort VirtioVendor = 0x1af4;
    private const ushort FirstModernDevice = 0x1040;
    private const ulong IndirectDescriptors = 1UL << 28;
    private const ulong EventIndex = 1UL << 29;
    private const ulong Version1 = 1UL << 32;

    private readonly Lock gate = new();
    private readonly Lock isrGate = new();
    private readonly VirtioDevice device;
    private readonly VirtQueue[] queues;
    private readonly MsixTable? msix;
    private readonly DeviceWork? work;
    private readonly ulong offered;
    private byte isr;
    private volatile bool stopping;

    /// <summary>Makes the carrier of a device; it owns the device. What the device throws on a device thread is handed to <paramref name="failed"/>.</summary>
    public VirtioPciFunction(VirtioDevice device, PhysicalMemory memory, IInterruptSink messages, Action<Exception> failed, bool synchronous = false)
        : this(device, new ArenaMemory(memory), messages, failed, synchronous)
    {
    }

    /// <summary>As the other; with <paramref name="messages"/> null it has its INTx pin only.</summary>
    public VirtioPciFunction(VirtioDevice device, DeviceMemory memory, IInterruptSink? messages, Action<Exception> failed, bool synchronous = false)
        : base(new PciIdentity(VirtioVendor, (ushort)(FirstModernDevice + device.Type), device.ClassCode, 1, VirtioVendor, device.Type))
    {
        this.device = device;
        device.Transport = this;
        offered = device.Features | IndirectDescriptors | EventIndex | Version1;
        queues = [.. device.QueueSizes.ToArray().Select(size => new VirtQueue(memory, size))];
        msix = messages is null ? null : new MsixTable(queues.Length + 1, messages);
        DefineCapabilities();
        if (!synchronous || !device.CanRunInline)
            work = new DeviceWork(DeviceThreads.Shared, Work, failed);
        Reset();
        device.OnAttached();
    }

    /// <inheritdoc/>
    public override string Name => device.Name;

    /// <summary>Features that the driver accepted.</summary>
    public ulong AcceptedFeatures => Volatile.Read(ref accepted);

    /// <summary>The driver has set the device up and it may reach memory.</summary>
    public bool IsReady => (Volatile.Read(ref status) & (DeviceStatus.DriverOk | DeviceStatus.NeedsReset)) == DeviceStatus.DriverOk && IsBusMaster;

    /// <summary>A queue of the device; use it only while working on requests.</summary>
    public VirtQueue Queue(int index) => queues[index];

    /// <summary>Has <see cref="VirtioDevice.Process"/> called for a queue, as by a notification of the driver. Any thread.</summary>
    public void Signal(int queue)
    {
        if (work is not null)
        {
            work.Signal(queue);
            return;
        }
        while (!stopping && WorkOnce(queue))
        {
        }
    }

    /// <summary>The driver broke the rules: the device stops until it is reset. While working on requests.</summary>
    public void Break()
    {
        if ((status & DeviceStatus.NeedsReset) != 0)
            return;
        Volatile.Write(ref status, (byte)(status | DeviceStatus.NeedsReset));
        if ((status & DeviceStatus.DriverOk) != 0)
            Raise(configVector, 2);
    }

    /// <inheritdoc/>
    public override void Reset()
    {
        lock (gate)
        {
            base.Reset();
            msix?.Reset();
            ResetDevice();
        }
    }

    /// <summary>Ends the device's work and frees the device.</summary>
    public void Dispose()
    {
        stopping = true;
        work?.Dispose();
        device.Dispose();
        lock (gate)
        {
            foreach (VirtQueue queue in queues)
                queue.Reset();
        }
    }

    // A queue that has more waits for its next turn: other devices have theirs before.
    private void Work(int queue)
    {
        if (!stopping && WorkOnce(queue))
            work!.Signal(queue);
    }

    private bool WorkOnce(int index)
    {
        lock (gate)
        {
            VirtQueue queue = queues[index];
            if (!IsReady || !queue.Enabled)
                return false;
            bool more = !queue.Broken && device.Process(index);
            // Also of a request that the device gave up.
            queue.LetGo();
            if (queue.TakeInterrupt())
                Raise(queue.Vector, 1);
            if (queue.Broken)
                Break();
            return more && IsReady;
        }
    }

    private void Raise(ushort vector, byte cause)
    {
        if (msix is { IsEnabled: true })
        {
            msix.Signal(vector);
            return;
        }
        lock (isrGate)
        {
            isr |= cause;
            SetIntx(true);
        }
    }

    private byte TakeIsr()
    {
        lock (isrGate)
        {
            byte value = isr;
            isr = 0;
            SetIntx(false);
            return value;
        }
    }

    private void ResetDevice()
    {
        Volatile.Write(ref status, (byte)0);
        Volatile.Write(ref accepted, 0UL);
        deviceFeatureSelect = driverFeatureSelect = 0;
        queueSelect = 0;
        configVector = NoVector;
        foreach (VirtQueue queue in queues)
            queue.Reset();
        device.OnReset();
        TakeIsr();
    }
}
