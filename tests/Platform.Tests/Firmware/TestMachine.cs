using FastXen.Core;
using FastXen.Mmu;
using FastXen.Platform.Firmware;
using FastXen.Platform.Firmware.Pal;
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

    /// <summary>Calls a service with stacked arguments; returns r8-r11.</summary>
    public unsafe (long Status, ulong V0, ulong V1, ulong V2) Call(FirmwareService service, params ulong[] arguments)
    {
        for (int i = 0; i < 8; i++)
            Processor.State->FrameBase[32 + i] = i < arguments.Length ? arguments[i] : 0;
        Assert.Equal(FirmwareReturn.Return, Firmware.Call(Processor, (uint)service));
        ulong* r = Processor.State->Gr;
        return ((long)r[8], r[9], r[10], r[11]);
    }

    /// <summary>Calls a PAL procedure by its convention; returns r8-r11.</summary>
    public unsafe (long Status, ulong V0, ulong V1, ulong V2) Pal(PalProcedure procedure, ulong a1 = 0, ulong a2 = 0, ulong a3 = 0)
    {
        ulong* r = Processor.State->Gr;
        r[28] = (ulong)procedure;
        if (r[28] >= 256)
            return Call(FirmwareService.Pal, r[28], a1, a2, a3);
        (r[29], r[30], r[31]) = (a1, a2, a3);
        Assert.Equal(FirmwareReturn.Branch, Firmware.Call(Processor, (uint)FirmwareService.Pal));
        return ((long)r[8], r[9], r[10], r[11]);
    }

    public void Dispose()
    {
        foreach (Vcpu processor in Firmware.Processors)
            processor.Dispose();
        Memory.Dispose();
    }
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
