namespace FastXen.Platform.Firmware;

/// <summary>Where the firmware's code, tables and boot data lie within <see cref="MachineMap.Firmware"/>.</summary>
public static class FirmwareLayout
{
    /// <summary>PAL code; aligned on its size, so that one translation register maps it (manual volume 2, 11.2.1).</summary>
    public const ulong PalCode = MachineMap.Firmware;
    /// <summary>Size of the PAL code.</summary>
    public const ulong PalCodeSize = 0x1_0000;
    /// <summary>Entry points of SAL, of EFI's runtime and boot services and of FPSWA.</summary>
    public const ulong RuntimeCode = PalCode + PalCodeSize;
    /// <summary>Size of the runtime code.</summary>
    public const ulong RuntimeCodeSize = 0x1_0000;
    /// <summary>The firmware's interruption vector table (32 KiB, aligned): what CR.IVA holds at hand-off.</summary>
    public const ulong VectorTable = RuntimeCode + 0x8000;
    /// <summary>Size of the vector table.</summary>
    public const ulong VectorTableSize = 0x8000;
    /// <summary>EFI system, runtime and configuration tables, SAL system table, FPSWA interface, SMBIOS.</summary>
    public const ulong RuntimeData = RuntimeCode + RuntimeCodeSize;
    /// <summary>Size of the runtime data.</summary>
    public const ulong RuntimeDataSize = 0x2_0000;
    /// <summary>ACPI tables and HCDP.</summary>
    public const ulong AcpiTables = RuntimeData + RuntimeDataSize;
    /// <summary>Size of the ACPI tables.</summary>
    public const ulong AcpiTablesSize = 0x4_0000;
    /// <summary>ACPI non-volatile storage: the FACS.</summary>
    public const ulong AcpiNvs = AcpiTables + AcpiTablesSize;
    /// <summary>Size of the ACPI non-volatile storage.</summary>
    public const ulong AcpiNvsSize = 0x1_0000;
    /// <summary>What a boot loader leaves for the kernel: boot parameters, command line, memory map.</summary>
    public const ulong LoaderData = AcpiNvs + AcpiNvsSize;
    /// <summary>Size of the loader's data.</summary>
    public const ulong LoaderDataSize = 0x1_0000;
    /// <summary>Stacks and backing stores of the processors at hand-off; free once the kernel has its own.</summary>
    public const ulong Stacks = LoaderData + LoaderDataSize;
    /// <summary>End of the stacks and of the firmware's area.</summary>
    public const ulong End = MachineMap.Firmware + MachineMap.FirmwareSize;
    /// <summary>Stack of one processor: the backing store grows up from its start, the memory stack down from its end.</summary>
    public const ulong StackSize = 0x4000;

    /// <summary>The entry point of a service.</summary>
    public static ulong Entry(FirmwareService service) =>
        service == FirmwareService.Pal ? PalCode : RuntimeCode + 16 * (ulong)service;

    /// <summary>Start of a processor's stack area.</summary>
    public static ulong Stack(int processor) => Stacks + StackSize * (ulong)processor;
}

/// <summary>Numbers of the services, added to <see cref="Core.FirmwareBreak.Base"/> in their entry points.</summary>
public enum FirmwareService : uint
{
    /// <summary>PAL_PROC.</summary>
    Pal,
    /// <summary>SAL_PROC.</summary>
    Sal,
    /// <summary>The floating-point software assist.</summary>
    Fpswa,
    /// <summary>An interruption before the operating system set its own vector table.</summary>
    UnexpectedInterruption,
    /// <summary>Return of an operating system from its entry on the boot processor.</summary>
    ReturnFromSystem,
    /// <summary>Where application processors wait for the operating system, and where they return to.</summary>
    RendezvousWait,
    /// <summary>Any EFI boot service (boot services have ended).</summary>
    BootService,

    /// <summary>EFI runtime services in the order of their table.</summary>
    GetTime = 0x10,
#pragma warning disable CS1591 // the names are those of the EFI specification
    SetTime,
    GetWakeupTime,
    SetWakeupTime,
    SetVirtualAddressMap,
    ConvertPointer,
    GetVariable,
    GetNextVariableName,
    SetVariable,
    GetNextHighMonotonicCount,
    ResetSystem,
#pragma warning restore CS1591
}
