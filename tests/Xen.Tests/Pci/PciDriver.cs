using FastXen.Platform;
using FastXen.Xen.Memory;
using FastXen.Xen.Pci;

namespace FastXen.Xen.Tests.Pci;

/// <summary>A domain's driver of a virtio device on its PCI bus: one queue, whose rings are in one frame of the domain's; requests are named by bus addresses.</summary>
internal sealed class PciDriver
{
    public const byte NeedsReset = 64;

    private const ulong Available = 0x200, Used = 0x400;
    private const int QueueSize = 8;
    private readonly ParavirtualMachine _machine;
    private readonly int _slot;
    private readonly Dictionary<int, ulong> _structures = [];
    private ulong _ring;
    private ushort _submitted, _taken;

    public PciDriver(ParavirtualMachine machine, int slot)
    {
        _machine = machine;
        _slot = slot;
        ConfigWrite(4, 2, 6);
        for (int at = (int)Config(0x34, 1); at != 0; at = (int)Config(at + 1, 1))
            _structures[(int)Config(at + 3, 1)] = Config(0x10, 4) + Config(at + 8, 4);
    }

    private DomainPci Pci => _machine.Pci!;

    private DomainMemory Memory => _machine.Domain.Memory;

    public uint Config(int register, int size) => Pci.ConfigSpace.Read(0, 0, _slot, 0, register, size);

    public void ConfigWrite(int register, int size, uint value) => Pci.ConfigSpace.Write(0, 0, _slot, 0, register, size, value);

    public ulong Read(ulong address, int size) => Pci.Registers.Read(address - MachineMap.PciMemory, size);

    public void Write(ulong address, int size, ulong value) => Pci.Registers.Write(address - MachineMap.PciMemory, size, value);

    public ulong Common(uint offset, int size) => Read(_structures[1] + offset, size);

    public void CommonWrite(uint offset, int size, ulong value) => Write(_structures[1] + offset, size, value);

    public byte Status => (byte)Common(20, 1);

    public byte Isr() => (byte)Read(_structures[3], 1);

    /// <summary>The bus address of a frame of the domain's.</summary>
    public ulong Bus(ulong gpfn) => Memory.MachineFrameOf(gpfn) << Frame.Shift;

    public void Reset() => CommonWrite(20, 1, 0);

    /// <summary>Sets the device up with its rings in a frame; <paramref name="ring"/>: their bus address where it is not the frame's.</summary>
    public void Start(ulong gpfn, ulong? ring = null)
    {
        Reset();
        _ring = gpfn << Frame.Shift;
        _submitted = _taken = 0;
        Assert.True(Memory.TryWrite(_ring + Available, 0u) && Memory.TryWrite(_ring + Used, 0u));
        CommonWrite(20, 1, 3);
        CommonWrite(8, 4, 1);
        CommonWrite(12, 4, 1);
        CommonWrite(20, 1, 11);
        CommonWrite(22, 2, 0);
        CommonWrite(24, 2, QueueSize);
        ulong at = ring ?? Bus(gpfn);
        CommonWrite(32, 8, at);
        CommonWrite(40, 8, at + Available);
        CommonWrite(48, 8, at + Used);
        CommonWrite(28, 2, 1);
        CommonWrite(20, 1, 15);
    }

    /// <summary>Asks the device to write to a bus address.</summary>
    public void Submit(ulong bus, uint length)
    {
        const ulong Write = 2UL << 32;
        Assert.True(Memory.TryWrite(_ring, bus) && Memory.TryWrite(_ring + 8, length | Write));
        Assert.True(Memory.TryWrite(_ring + Available + 4 + 2 * (ulong)(_submitted % QueueSize), (ushort)0));
        Assert.True(Memory.TryWrite(_ring + Available + 2, ++_submitted));
        Notify();
    }

    private void Notify() => Write(_structures[2], 2, 0);

    /// <summary>Waits until the device completed a request (what it wrote) or gave up (-1).</summary>
    public long Wait()
    {
        Assert.True(SpinWait.SpinUntil(() => UsedIndex != _taken || (Status & NeedsReset) != 0, TimeSpan.FromSeconds(30)));
        if (UsedIndex == _taken)
            return -1;
        Assert.True(Memory.TryRead(_ring + Used + 4 + 8 * (ulong)(_taken++ % QueueSize) + 4, out uint written));
        return written;
    }

    public long Do(ulong bus, uint length)
    {
        Submit(bus, length);
        return Wait();
    }

    private ushort UsedIndex => Memory.TryRead(_ring + Used + 2, out ushort index) ? index : (ushort)0;
}
