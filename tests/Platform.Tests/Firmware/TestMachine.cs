using FastXen.Core;
using FastXen.Mmu;
using FastXen.Platform.Firmware;
using FastXen.Platform.Pci;

namespace FastXen.Platform.Tests.Firmware;

/// <summary>Memory, processors and firmware, without devices.</summary>
internal sealed class TestMachine : IDisposable
{
    public const ulong MiB = 1 << 20;

    public TestMachine(ulong ramSize = 128 * MiB, int processors = 1, FirmwareConfiguration? configuration = null)
    {
        Memory = new PhysicalMemory(MachineMap.RamSpan(ramSize));
        foreach ((ulong start, ulong size) in MachineMap.Ram(ramSize))
            Memory.AddRam(start, size);
        Firmware = new MachineFirmware(Memory, [.. Enumerable.Range(0, processors).Select(_ => new Vcpu(Memory))],
            (configuration ?? new FirmwareConfiguration { RamSize = 0 }) with { RamSize = ramSize });
    }

    public PhysicalMemory Memory { get; }

    public MachineFirmware Firmware { get; }

    public Vcpu Processor => Firmware.Processors[0];

    public byte[] Bytes(ulong address, int length)
    {
        Assert.True(Memory.TryGetSpan(address, length, out Span<byte> span));
        return span.ToArray();
    }

    public void Dispose() => Memory.Dispose();
}

/// <summary>Configuration space with one function, 0:3.0, of readable-back registers.</summary>
internal sealed class OneFunction : IPciConfigSpace
{
    private readonly byte[] registers = new byte[4096];

    public uint Read(int segment, int bus, int device, int function, int register, int size)
    {
        if ((segment, bus, device, function) != (0, 0, 3, 0))
            return uint.MaxValue;
        uint value = 0;
        for (int i = 0; i < size; i++)
            value |= (uint)registers[register + i] << (8 * i);
        return value;
    }

    public void Write(int segment, int bus, int device, int function, int register, int size, uint value)
    {
        if ((segment, bus, device, function) != (0, 0, 3, 0))
            return;
        for (int i = 0; i < size; i++)
            registers[register + i] = (byte)(value >> (8 * i));
    }
}
