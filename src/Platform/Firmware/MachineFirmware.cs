using FastXen.Core;
using FastXen.Mmu;
using FastXen.Platform.Firmware.Acpi;
using FastXen.Platform.Firmware.Efi;
using FastXen.Platform.Firmware.Fpswa;
using FastXen.Platform.Firmware.Pal;
using FastXen.Platform.Firmware.Sal;
using FastXen.Platform.Pci;

namespace FastXen.Platform.Firmware;

/// <summary>What a machine's firmware is made with.</summary>
public sealed record FirmwareConfiguration
{
    /// <summary>RAM in bytes.</summary>
    public required ulong RamSize { get; init; }

    /// <summary>PCI configuration space, or null on a machine without PCI.</summary>
    public IPciConfigSpace? Pci { get; init; }

    /// <summary>Non-volatile EFI variables.</summary>
    public VariableStore Variables { get; init; } = new(path: null);

    /// <summary>The clock behind EFI's time services.</summary>
    public TimeProvider Time { get; init; } = TimeProvider.System;

    /// <summary>Told, in a sentence, when the guest stops for a reason that it did not ask for.</summary>
    public Action<string> Report { get; init; } = static _ => { };
}

/// <summary>The firmware of the virtual Itanium machine: PAL, SAL, EFI runtime services, FPSWA, and the tables in guest memory.</summary>
public sealed unsafe class MachineFirmware : IFirmware
{
    private readonly PhysicalMemory memory;
    private readonly FirmwareConfiguration configuration;
    private readonly PalServices pal;
    private readonly SalServices sal;
    private readonly EfiServices efi;

    /// <summary>
    /// Makes the firmware of <paramref name="processors"/>, which boot in this order, and writes its code and tables into their memory.
    /// </summary>
    public MachineFirmware(PhysicalMemory memory, IReadOnlyList<Vcpu> processors, FirmwareConfiguration configuration)
    {
        ArgumentOutOfRangeException.ThrowIfZero(processors.Count);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(processors.Count, MachineMap.MaxProcessors);
        this.memory = memory;
        this.configuration = configuration;
        Processors = processors;

        WriteCode();
        AcpiTables acpi = new(memory, processors.Count, configuration.RamSize);
        EfiTables tables = new(memory, acpi.Rsdp, acpi.Hcdp);
        Store(FirmwareLayout.RuntimeData + EfiTables.SalTableOffset, SalSystemTable.Build());
        Store(FirmwareLayout.RuntimeData + EfiTables.SmbiosOffset, Smbios.Build(FirmwareLayout.RuntimeData + EfiTables.SmbiosOffset));
        memory.NotifyWritten(MachineMap.Firmware, MachineMap.FirmwareSize);

        pal = new(memory, processors);
        sal = new(configuration.Pci);
        efi = new(memory, tables, configuration.Variables, configuration.Time);
        for (int n = 0; n < processors.Count; n++)
        {
            processors[n].Firmware = this;
            if (n != 0)
                HandOff.Enter(processors[n], n, FirmwareLayout.Entry(FirmwareService.RendezvousWait), FirmwareService.RendezvousWait);
        }
    }

    /// <summary>The processors, the boot processor first.</summary>
    public IReadOnlyList<Vcpu> Processors { get; }

    /// <summary>RAM in bytes.</summary>
    public ulong RamSize => configuration.RamSize;

    /// <summary>
    /// Where application processors start when <see cref="MachineMap.ApWakeupVector"/> reaches them; null before the operating system said so.
    /// </summary>
    public BootRendezvous? Rendezvous => sal.Rendezvous;

    /// <inheritdoc/>
    public bool IsFirmware(ulong physicalAddress) =>
        physicalAddress - FirmwareLayout.PalCode < FirmwareLayout.PalCodeSize + FirmwareLayout.RuntimeCodeSize || pal.IsCopy(physicalAddress);

    /// <inheritdoc/>
    public FirmwareReturn Call(Vcpu vcpu, uint service)
    {
        ServiceCall call = new(vcpu);
        switch ((FirmwareService)service)
        {
            case FirmwareService.Pal:
                return pal.Call(call);
            case FirmwareService.Sal:
                sal.Call(call);
                return FirmwareReturn.Return;
            case FirmwareService.Fpswa:
                FpswaServices.Call(call);
                return FirmwareReturn.Return;
            case FirmwareService.UnexpectedInterruption:
                ReportInterruption(vcpu);
                vcpu.RequestStop(VcpuStop.Crashed);
                return FirmwareReturn.Jump;
            case FirmwareService.RendezvousWait:
                RendezvousWait.Call(vcpu, pal.NumberOf(vcpu), sal.Rendezvous);
                return FirmwareReturn.Jump;
            case FirmwareService.ReturnFromSystem:
                vcpu.RequestStop(VcpuStop.Halted);
                return FirmwareReturn.Jump;
            default:
                efi.Call(call, (FirmwareService)service);
                return FirmwareReturn.Return;
        }
    }

    private void ReportInterruption(Vcpu vcpu)
    {
        Core.State.VcpuState* s = vcpu.State;
        configuration.Report($"the guest took an interruption before it had its own vector table: vector 0x{s->Ip & 0x7fff:x}, "
            + $"iip 0x{s->Cr[Core.State.Cr.Iip]:x}, ifa 0x{s->Cr[Core.State.Cr.Ifa]:x}, isr 0x{s->Cr[Core.State.Cr.Isr]:x}");
    }

    private void WriteCode()
    {
        foreach (FirmwareService service in Enum.GetValues<FirmwareService>())
            Store(FirmwareLayout.Entry(service), EntryBundle.Encode(service));
        byte[] unexpected = EntryBundle.Encode(FirmwareService.UnexpectedInterruption);
        for (ulong offset = 0; offset < FirmwareLayout.VectorTableSize; offset += 16)
            Store(FirmwareLayout.VectorTable + offset, unexpected);
    }

    private void Store(ulong address, ReadOnlySpan<byte> bytes)
    {
        if (!memory.TryGetSpan(address, bytes.Length, out Span<byte> span))
            throw new InvalidOperationException($"the machine has no RAM for its firmware at 0x{address:x}");
        bytes.CopyTo(span);
    }
}
