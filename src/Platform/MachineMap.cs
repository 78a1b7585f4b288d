namespace FastXen.Platform;

/// <summary>Where everything of the virtual Itanium machine is: physical addresses, I/O ports, interrupt inputs, clocks.</summary>
public static class MachineMap
{
    /// <summary>RAM below the device window ends here at the latest; the rest starts at <see cref="HighRam"/>.</summary>
    public const ulong LowRamLimit = 2UL << 30;
    /// <summary>Start of the RAM that does not fit below <see cref="LowRamLimit"/>.</summary>
    public const ulong HighRam = 4UL << 30;
    /// <summary>RAM sizes are multiples of this (64 KiB, the granularity of the arena).</summary>
    public const ulong RamUnit = 64 << 10;

    /// <summary>Firmware's part of low RAM.</summary>
    public const ulong Firmware = 0x10_0000;
    /// <summary>Size of the firmware's part of low RAM.</summary>
    public const ulong FirmwareSize = 0x20_0000;

    /// <summary>Memory window of the PCI root.</summary>
    public const ulong PciMemory = 0xC000_0000;
    /// <summary>Size of the memory window of the PCI root.</summary>
    public const ulong PciMemorySize = 0x2000_0000;
    /// <summary>First I/O port of the PCI root's window for devices; the window ends with port 0xffff.</summary>
    public const ushort PciPorts = 0x1000;
    /// <summary>PCI buses of the root: 0 to this one.</summary>
    public const int LastPciBus = 0xff;

    /// <summary>The IOSAPIC's registers.</summary>
    public const ulong Iosapic = 0xFEC0_0000;
    /// <summary>Size of the IOSAPIC's window.</summary>
    public const ulong IosapicSize = 0x1000;
    /// <summary>ACPI identifier of the IOSAPIC.</summary>
    public const byte IosapicId = 0;
    /// <summary>First global system interrupt of the IOSAPIC.</summary>
    public const uint IosapicGsiBase = 0;
    /// <summary>Inputs of the IOSAPIC.</summary>
    public const int IosapicInputs = 24;

    /// <summary>The processor interrupt block: stores into it send interrupt messages (manual volume 2, 5.8.4).</summary>
    public const ulong LocalSapic = 0xFEE0_0000;
    /// <summary>Size of the processor interrupt block as used for messages and the XTP and INTA bytes.</summary>
    public const ulong LocalSapicSize = 2UL << 20;

    /// <summary>Legacy I/O port space, 64 MiB, sparse (manual volume 2, 10.7).</summary>
    public const ulong PortSpace = 0xFFF_FC00_0000;
    /// <summary>Size of the I/O port space.</summary>
    public const ulong PortSpaceSize = 64UL << 20;

    /// <summary>First port of the 16550 UART (ttyS0).</summary>
    public const ushort UartPort = 0x3f8;
    /// <summary>Interrupt of the UART, level high.</summary>
    public const int UartGsi = 4;
    /// <summary>Input clock of the UART in Hz.</summary>
    public const uint UartClock = 1_843_200;

    /// <summary>System control interrupt of ACPI, level low in ACPI's terms (active low, shared).</summary>
    public const int SciGsi = 9;
    /// <summary>First of the eight interrupts of PCI slots, level low: see <see cref="PciGsi"/>.</summary>
    public const int PciGsiBase = 16;
    /// <summary>Interrupt inputs for PCI.</summary>
    public const int PciGsiCount = 8;

    /// <summary>ACPI power management 1a event block (4 bytes).</summary>
    public const ushort PmEventPort = 0x500;
    /// <summary>ACPI power management 1a control block (2 bytes).</summary>
    public const ushort PmControlPort = 0x504;
    /// <summary>ACPI power management timer (4 bytes).</summary>
    public const ushort PmTimerPort = 0x508;
    /// <summary>ACPI reset register (1 byte).</summary>
    public const ushort ResetPort = 0x50c;
    /// <summary>Ports of the ACPI power management device, from <see cref="PmEventPort"/>.</summary>
    public const int PmPortCount = 0x10;

    /// <summary>Base frequency of the platform in Hz (PAL_FREQ_BASE).</summary>
    public const ulong BaseFrequency = 200_000_000;
    /// <summary>Frequency of the interval time counter (AR.ITC) in Hz.</summary>
    public const ulong ItcFrequency = Core.Interpret.Clock.ItcFrequency;
    /// <summary>Nominal frequency of the processor in Hz.</summary>
    public const ulong ProcessorFrequency = 1_600_000_000;

    /// <summary>Interrupt vector that wakes application processors from the SAL rendezvous.</summary>
    public const byte ApWakeupVector = 0xf0;

    /// <summary>Highest number of processors (LIDs have 8 bits of id; a machine of this size is what Linux's default supports).</summary>
    public const int MaxProcessors = 64;

    /// <summary>The interrupt of pin <paramref name="pin"/> (0 = INTA#) of slot <paramref name="device"/> on bus 0.</summary>
    public static int PciGsi(int device, int pin) => PciGsiBase + (device + pin) % PciGsiCount;

    /// <summary>Value of CR.LID for a processor: id in bits 31:24, eid in bits 23:16.</summary>
    public static ulong Lid(int processor) => (ulong)processor << 24;

    /// <summary>RAM of a machine with <paramref name="size"/> bytes, in address order.</summary>
    public static (ulong Start, ulong Size)[] Ram(ulong size) =>
        size <= LowRamLimit ? [(0, size)] : [(0, LowRamLimit), (HighRam, size - LowRamLimit)];

    /// <summary>One past the highest RAM address: the span of the arena.</summary>
    public static ulong RamSpan(ulong size) => size <= LowRamLimit ? size : HighRam + (size - LowRamLimit);
}
