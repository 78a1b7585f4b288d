using System.Runtime.CompilerServices;
using FastXen.Platform.Dma;

namespace FastXen.Platform.Virtio;

/// <summary>
/// A split virtqueue (virtio 1.2, 2.7) with indirect descriptors and event indices, the device's side. Everything in the rings is
/// the guest's word and is checked; a queue whose rings make no sense is broken until the device is reset. Not synchronised: the
/// transport's lock covers it.
/// </summary>
public sealed unsafe class VirtQueue
{
    private const int DescriptorSize = 16;
    private const ushort NextFlag = 1;
    private const ushort WriteFlag = 2;
    private const ushort IndirectFlag = 4;
    private const ushort NoInterruptFlag = 1;

    // A guest's chain may be as long as its queue; indirect tables are held to the same bound.
    private const int MaxChain = 1024;

    private readonly DeviceMemory memory;
    private readonly DescriptorChain chain;

    // Invariant: valid for the whole of their rings while Enabled and not Broken: the queue holds the rings' memory until it is reset.
    private byte* descriptors;
    private byte* available;
    private byte* used;

    private ushort nextAvailable;
    private ushort nextUsed;
    private ushort lastSignalled;
    private bool indirect;
    private bool eventIndex;

    internal VirtQueue(DeviceMemory memory, int maxSize)
    {
        this.memory = memory;
        MaxSize = maxSize;
        chain = new DescriptorChain(memory, MaxChain);
        Reset();
    }

    /// <summary>Largest number of entries.</summary>
    public int MaxSize { get; }

    /// <summary>Number of entries: a power of two.</summary>
    public int Size { get; internal set; }

    /// <summary>Guest physical address of the descriptor table.</summary>
    public ulong DescriptorArea { get; internal set; }

    /// <summary>Guest physical address of the available ring.</summary>
    public ulong DriverArea { get; internal set; }

    /// <summary>Guest physical address of the used ring.</summary>
    public ulong DeviceArea { get; internal set; }

    /// <summary>MSI-X vector of the queue, or 0xffff.</summary>
    public ushort Vector { get; internal set; }

    /// <summary>The driver has given the queue to the device.</summary>
    public bool Enabled { get; private set; }

    /// <summary>The rings made no sense.</summary>
    public bool Broken { get; private set; }

    internal void Reset()
    {
        chain.Release();
        ReleaseRings();
        Size = MaxSize;
        DescriptorArea = DriverArea = DeviceArea = 0;
        Vector = 0xffff;
        Enabled = Broken = false;
        nextAvailable = nextUsed = lastSignalled = 0;
    }

    // Sizes and addresses of the rings do not change while the queue is enabled.
    private void ReleaseRings()
    {
        Release(ref descriptors, DescriptorArea, DescriptorBytes);
        Release(ref available, DriverArea, AvailableBytes);
        Release(ref used, DeviceArea, UsedBytes);
    }

    private void Release(ref byte* ring, ulong address, int length)
    {
        if (ring != null)
            memory.Release(address, length, DmaAccess.Ring);
        ring = null;
    }

    // Checks the rings once: from now on they are addressed by pointer.
    internal void Enable(bool withIndirect, bool withEventIndex)
    {
        if (Enabled)
            return;
        Enabled = true;
        indirect = withIndirect;
        eventIndex = withEventIndex;
        Broken = Size < 1 || Size > MaxSize || (Size & (Size - 1)) != 0
            || !TryHoldRing(DescriptorArea, DescriptorBytes, 16, out descriptors)
            || !TryHoldRing(DriverArea, AvailableBytes, 2, out available)
            || !TryHoldRing(DeviceArea, UsedBytes, 4, out used);
        if (Broken)
            ReleaseRings();
    }

    /// <summary>Takes the next request. False when there is none, or the queue is broken.</summary>
    public bool TryTake(out DescriptorChain request)
    {
        request = chain;
        if (!Enabled || Broken)
            return false;
        ushort index = Volatile.Read(ref AvailableIndex);
        if (index == nextAvailable)
            return false;
        ushort head = *(ushort*)(available + 4 + 2 * (nextAvailable & (Size - 1)));
        if ((ushort)(index - nextAvailable) > Size || head >= Size || !Walk(head))
        {
            chain.Release();
            Broken = true;
            return false;
        }
        nextAvailable++;
        return true;
    }

    // Nothing but the rings is held any more: requests do not outlast the device's turn.
    internal void LetGo() => chain.Release();

    /// <summary>Gives a request back to the driver, with the number of bytes that were written to it.</summary>
    public void Complete(ushort head, uint written)
    {
        chain.Release();
        if (!Enabled || Broken)
            return;
        uint* element = (uint*)(used + 4 + 8 * (nextUsed & (Size - 1)));
        element[0] = head;
        element[1] = written;
        nextUsed++;
        Volatile.Write(ref Unsafe.AsRef<ushort>(used + 2), nextUsed);
    }

    /// <summary>Whether the driver wants an interrupt for what was completed since the last call.</summary>
    public bool TakeInterrupt()
    {
        if (!Enabled || Broken || nextUsed == lastSignalled)
            return false;
        // The index must be visible before the driver's wish is read, or both sides could wait for each other.
        Interlocked.MemoryBarrier();
        ushort before = lastSignalled;
        lastSignalled = nextUsed;
        if (!eventIndex)
            return (*(ushort*)available & NoInterruptFlag) == 0;
        ushort wanted = *(ushort*)(available + 4 + 2 * Size);
        return (ushort)(nextUsed - wanted - 1) < (ushort)(nextUsed - before);
    }

    /// <summary>Asks for a notification of the next request; true when one is there already.</summary>
    public bool ListenAgain()
    {
        if (!Enabled || Broken)
            return false;
        if (eventIndex)
        {
            *(ushort*)(used + 4 + 8 * Size) = nextAvailable;
            Interlocked.MemoryBarrier();
        }
        return Volatile.Read(ref AvailableIndex) != nextAvailable;
    }

    private ref ushort AvailableIndex => ref Unsafe.AsRef<ushort>(available + 2);

    private int DescriptorBytes => DescriptorSize * Size;

    private int AvailableBytes => 6 + 2 * Size;

    private int UsedBytes => 6 + 8 * Size;

    private bool TryHoldRing(ulong address, int length, ulong alignment, out byte* ring)
    {
        ring = null;
        return address % alignment == 0 && memory.TryHold(address, length, DmaAccess.Ring, out ring);
    }

    private bool Walk(ushort head)
    {
        chain.Begin(head);
        byte* table = descriptors;
        int entries = Size;
        int index = head;
        for (int steps = 0; steps < entries; steps++)
        {
            // One copy: the guest may change the descriptor while it is looked at.
            byte* at = table + DescriptorSize * index;
            ulong address = Volatile.Read(ref Unsafe.AsRef<ulong>(at));
            ulong rest = Volatile.Read(ref Unsafe.AsRef<ulong>(at + 8));
            uint length = (uint)rest;
            ushort flags = (ushort)(rest >> 32);
            ushort next = (ushort)(rest >> 48);
            if ((flags & IndirectFlag) != 0)
            {
                if (!indirect || table != descriptors || (flags & NextFlag) != 0 || length == 0 || length % DescriptorSize != 0
                    || length / DescriptorSize > MaxChain || !chain.TryAddTable(address, (int)length, out byte* held))
                {
                    return false;
                }
                table = held;
                entries = (int)(length / DescriptorSize);
                index = 0;
                steps = -1;
                continue;
            }
            if (!chain.TryAdd(address, length, (flags & WriteFlag) != 0))
                return false;
            if ((flags & NextFlag) == 0)
                return true;
            if (next >= entries)
                return false;
            index = next;
        }
        return false;
    }
}
