namespace FastXen.Platform.Firmware.Acpi;

/// <summary>The differentiated system description: processors, the PCI root, the UART, and how to power off.</summary>
internal static class Dsdt
{
    /// <summary>The value of SLP_TYP that means "off" (S5).</summary>
    public const byte SleepTypeOff = 5;

    private const int PciSlots = 32;
    private const int PciPins = 4;

    /// <summary>An interrupt of a PCI slot: pin 0 is INTA#.</summary>
    public readonly record struct InterruptRoute(int Slot, int Pin, int Gsi);

    /// <summary>The definition block's terms.</summary>
    public static byte[] Build(int processors) =>
    [
        .. Aml.Scope("_PR", [.. Enumerable.Range(0, processors).Select(i => Aml.Processor($"C{i:X3}", (byte)i))]),
        .. Aml.Scope("_SB", PciRoot(InterruptRoutes()), Uart(), PowerManagement()),
        .. Aml.Name("_S5", Aml.Package(Aml.Integer(SleepTypeOff), Aml.Integer(SleepTypeOff), Aml.Integer(0), Aml.Integer(0))),
    ];

    /// <summary>The PCI root of <see cref="MachineMap"/> with these routes of interrupts.</summary>
    public static byte[] PciRoot(IEnumerable<InterruptRoute> routes) => Aml.Device("PCI0",
        Aml.Name("_HID", Aml.EisaId("PNP0A03")),
        Aml.Name("_UID", Aml.Integer(0)),
        Aml.Name("_ADR", Aml.Integer(0)),
        Aml.Name("_SEG", Aml.Integer(0)),
        Aml.Name("_BBN", Aml.Integer(0)),
        // Without a translation the ports are those of the legacy I/O port space.
        Aml.Name("_CRS", new ResourceTemplate()
            .BusNumbers(0, MachineMap.LastPciBus)
            .PortWindow(MachineMap.PciPorts, 0xffff)
            .MemoryWindow(MachineMap.PciMemory, MachineMap.PciMemory + MachineMap.PciMemorySize - 1)
            .ToBuffer()),
        Aml.Name("_PRT", Aml.Package([.. routes.Select(Route)])));

    private static byte[] Route(InterruptRoute route) =>
        Aml.Package(Aml.Integer((ulong)route.Slot << 16 | 0xffff), Aml.Integer((ulong)route.Pin), Aml.Integer(0), Aml.Integer((ulong)route.Gsi));

    private static IEnumerable<InterruptRoute> InterruptRoutes()
    {
        for (int device = 0; device < PciSlots; device++)
        {
            for (int pin = 0; pin < PciPins; pin++)
                yield return new InterruptRoute(device, pin, MachineMap.PciGsi(device, pin));
        }
    }

    private static byte[] Uart() => Aml.Device("COM1",
        Aml.Name("_HID", Aml.EisaId("PNP0501")),
        Aml.Name("_UID", Aml.Integer(0)),
        Aml.Name("_CRS", new ResourceTemplate().Ports(MachineMap.UartPort, 8).InterruptLevelHigh(MachineMap.UartGsi).ToBuffer()));

    // The ports of the fixed hardware, so that no operating system gives them to something else.
    private static byte[] PowerManagement() => Aml.Device("PWRM",
        Aml.Name("_HID", Aml.EisaId("PNP0C02")),
        Aml.Name("_UID", Aml.Integer(0)),
        Aml.Name("_CRS", new ResourceTemplate().Ports(MachineMap.PmEventPort, MachineMap.PmPortCount).ToBuffer()));
}
