using System.Runtime.CompilerServices;
using FastXen.Mmu;

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

    private readonly PhysicalMemory memory;
    private readonly DescriptorChain chain;

    // Invariant: valid and all RAM for the whole of their rings while Enabled and not Broken; RAM is never taken away from a domain.
    private byte* descriptors;
    private byte* available;
    private byte* used;

    private ushort nextAvailable;
    private ushort nextUsed;
    private ushort lastSignalled;
    private bool indirect;
    private bool eventIndex;

    internal VirtQueue(PhysicalMemory memory, int maxSize)
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
        Size = MaxSize;
        DescriptorArea = DriverArea = DeviceArea = 0;
        Vector = 0xffff;
        Enabled = Broken = false;
        nextAvailable = nextUsed = lastSignalled = 0;
        descriptors = available = used = null;
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
            || !IsRing(DescriptorArea, DescriptorSize * Size, 16)
            || !IsRing(DriverArea, 6 + 2 * Size, 2)
            || !IsRing(DeviceArea, 6 + 8 * Size, 4);
        if (Broken)
            return;
        descriptors = memory.Base + DescriptorArea;
        available = memory.Base + DriverArea;
        used = memory.Base + DeviceArea;
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
            Broken = true;
            return false;
        }
        nextAvailable++;
        return true;
    }

    /// <summary>Gives a request back to the driver, with the number of bytes that were written to it.</summary>
    public void Complete(ushort head, uint written)
    {
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

    private bool IsRing(ulong address, int length, ulong alignment) => address % alignment == 0 && memory.IsRam(address, (ulong)length);

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
                    || length / DescriptorSize > MaxChain || !memory.IsRam(address, length))
                {
                    return false;
                }
                table = memory.Base + address;
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
