using FastXen.Mmu;
using FastXen.Platform.Pci;

namespace FastXen.Platform.Tests.Devices;

/// <summary>
/// A model of a guest's virtio-pci driver: finds the structures by the capabilities, negotiates, and works with split rings in RAM.
/// </summary>
internal sealed class VirtioDriver
{
    private readonly PciRoot root;
    private readonly int slot;
    private readonly PhysicalMemory memory;
    private readonly Dictionary<int, (ulong Offset, int At)> structures = [];
    private readonly Dictionary<int, Ring> rings = [];

    public sealed record Ring(int Size, ulong Descriptors, ulong Available, ulong Used)
    {
        public ushort NextAvailable { get; set; }

        public ushort NextUsed { get; set; }
    }

    public VirtioDriver(PciRoot root, int slot, PhysicalMemory memory)
    {
        this.root = root;
        this.slot = slot;
        this.memory = memory;
        ConfigWrite(4, 2, 0x6);
        for (int at = (int)Config(0x34, 1); at != 0; at = (int)Config(at + 1, 1))
        {
            if (Config(at, 1) == 9)
                structures[(int)Config(at + 3, 1)] = (Config(0x10 + 4 * (int)Config(at + 4, 1), 4) + Config(at + 8, 4) - MachineMap.PciMemory, at);
        }
    }

    public uint Config(int register, int size) => root.Read(0, 0, slot, 0, register, size);

    public void ConfigWrite(int register, int size, uint value) => root.Write(0, 0, slot, 0, register, size, value);

    public ulong Common(uint offset, int size) => root.Read(structures[1].Offset + offset, size);

    public void CommonWrite(uint offset, int size, ulong value) => root.Write(structures[1].Offset + offset, size, value);

    public ulong Isr() => root.Read(structures[3].Offset, 1);

    public ulong Device(uint offset, int size) => root.Read(structures[4].Offset + offset, size);

    public int WindowCapability => structures[5].At;

    public byte Status => (byte)Common(20, 1);

    public ulong Offered
    {
        get
        {
            CommonWrite(0, 4, 0);
            ulong low = Common(4, 4);
            CommonWrite(0, 4, 1);
            return low | Common(4, 4) << 32;
        }
    }

    public byte Negotiate(ulong features)
    {
        CommonWrite(20, 1, 0);
        CommonWrite(20, 1, 3);
        CommonWrite(8, 4, 0);
        CommonWrite(12, 4, (uint)features);
        CommonWrite(8, 4, 1);
        CommonWrite(12, 4, features >> 32);
        CommonWrite(20, 1, 0xb);
        return Status;
    }

    public void SetUpQueue(int queue, int size, ulong address)
    {
        Ring ring = new(size, address, address + 0x4000, address + 0x8000);
        rings[queue] = ring;
        Assert.True(memory.TryGetSpan(address, 0xc000, out Span<byte> span));
        span.Clear();
        CommonWrite(22, 2, (ulong)queue);
        CommonWrite(24, 2, (ulong)size);
        CommonWrite(32, 4, (uint)ring.Descriptors);
        CommonWrite(36, 4, ring.Descriptors >> 32);
        CommonWrite(40, 4, (uint)ring.Available);
        CommonWrite(44, 4, ring.Available >> 32);
        CommonWrite(48, 4, (uint)ring.Used);
        CommonWrite(52, 4, ring.Used >> 32);
        CommonWrite(28, 2, 1);
    }

    public void Start() => CommonWrite(20, 1, 0xf);

    public Ring this[int queue] => rings[queue];

    public void Descriptor(ulong table, int index, ulong address, uint length, int flags, int next)
    {
        memory.Write(table + 16 * (ulong)index, address);
        memory.Write(table + 16 * (ulong)index + 8, length);
        memory.Write(table + 16 * (ulong)index + 12, (ushort)flags);
        memory.Write(table + 16 * (ulong)index + 14, (ushort)next);
    }

    /// <summary>Puts a chain (address, length, device writes) into the table from <paramref name="first"/>, and into the ring.</summary>
    public void Submit(int queue, int first, params (ulong Address, uint Length, bool Write)[] chain)
    {
        Ring ring = rings[queue];
        for (int i = 0; i < chain.Length; i++)
        {
            int flags = (chain[i].Write ? 2 : 0) | (i + 1 < chain.Length ? 1 : 0);
            Descriptor(ring.Descriptors, first + i, chain[i].Address, chain[i].Length, flags, first + i + 1);
        }
        Offer(queue, first);
    }

    public void Offer(int queue, int head)
    {
        Ring ring = rings[queue];
        memory.Write(ring.Available + 4 + 2 * (ulong)(ring.NextAvailable % ring.Size), (ushort)head);
        ring.NextAvailable++;
        memory.Write(ring.Available + 2, ring.NextAvailable);
    }

    public void Notify(int queue) =>
        root.Write(structures[2].Offset + (ulong)queue * Config(structures[2].At + 16, 4), 2, (ulong)queue);

    public ushort UsedIndex(int queue) => memory.Read<ushort>(rings[queue].Used + 2);

    /// <summary>Takes a completed chain: its head and length; null when there is none.</summary>
    public (int Head, uint Written)? TakeUsed(int queue)
    {
        Ring ring = rings[queue];
        if (UsedIndex(queue) == ring.NextUsed)
            return null;
        ulong at = ring.Used + 4 + 8 * (ulong)(ring.NextUsed % ring.Size);
        ring.NextUsed++;
        return (memory.Read<int>(at), memory.Read<uint>(at + 4));
    }

    /// <summary>Waits for a device that works on its own thread.</summary>
    public (int Head, uint Written) AwaitUsed(int queue)
    {
        (int, uint)? used = null;
        Assert.True(SpinWait.SpinUntil(() => (used = TakeUsed(queue)) is not null, TimeSpan.FromSeconds(30)));
        return used!.Value;
    }
}
