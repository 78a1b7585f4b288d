using FastXen.Mmu;

namespace FastXen.Platform.Firmware.Acpi;

/// <summary>The ACPI 2.0 tables and HCDP, laid out in ACPI reclaim memory; the FACS in NVS.</summary>
internal sealed class AcpiTables
{
    private const int HeaderSize = 36;
    private const string Oem = "FASTXN";
    private const string OemTable = "FASTXEN ";
    private const string Creator = "FXEN";

    private readonly PhysicalMemory memory;
    private ulong next = FirmwareLayout.AcpiTables;

    /// <summary>Physical address of the RSDP.</summary>
    public ulong Rsdp { get; }

    /// <summary>Physical address of the HCDP.</summary>
    public ulong Hcdp { get; }

    /// <summary>Writes all tables of a machine with this many processors and bytes of RAM.</summary>
    public AcpiTables(PhysicalMemory memory, int processors, ulong ramSize)
    {
        this.memory = memory;
        Rsdp = Reserve(36);
        ulong facs = FirmwareLayout.AcpiNvs;
        Store(facs, Facs());
        ulong dsdt = Place(Table("DSDT", 2, new TableBuffer().Bytes(Dsdt.Build(processors))));
        ulong fadt = Place(Table("FACP", 3, Fadt(facs, dsdt)));
        ulong madt = Place(Table("APIC", 1, Madt(processors)));
        ulong srat = Place(Table("SRAT", 1, Srat(processors, ramSize)));
        ulong spcr = Place(Table("SPCR", 1, Spcr()));
        Hcdp = Place(Table("HCDP", 3, HcdpBody()));

        TableBuffer short32 = new(), long64 = new();
        foreach (ulong table in (ReadOnlySpan<ulong>)[fadt, madt, srat, spcr])
        {
            short32.U32((uint)table);
            long64.U64(table);
        }
        ulong rsdt = Place(Table("RSDT", 1, short32));
        ulong xsdt = Place(Table("XSDT", 1, long64));
        Store(Rsdp, RsdpBytes(rsdt, xsdt));
    }

    private ulong Place(byte[] table)
    {
        ulong address = Reserve(table.Length);
        Store(address, table);
        return address;
    }

    private ulong Reserve(int length)
    {
        ulong address = next;
        next = next + (ulong)length + 63 & ~63ul;
        if (next > FirmwareLayout.AcpiTables + FirmwareLayout.AcpiTablesSize)
            throw new InvalidOperationException("the ACPI tables outgrew their memory");
        return address;
    }

    private void Store(ulong address, ReadOnlySpan<byte> bytes)
    {
        memory.TryGetSpan(address, bytes.Length, out Span<byte> span);
        bytes.CopyTo(span);
    }

    private static byte[] Table(string signature, byte revision, TableBuffer body)
    {
        TableBuffer table = new();
        table.Text(signature, 4).U32((uint)(HeaderSize + body.Length)).U8(revision).U8(0).Text(Oem, 6).Text(OemTable, 8).U32(1).Text(Creator, 4).U32(1)
            .Bytes(body.Span);
        table.PatchChecksum(9, 0, table.Length);
        return table.ToArray();
    }

    private static byte[] RsdpBytes(ulong rsdt, ulong xsdt)
    {
        TableBuffer table = new();
        table.Text("RSD PTR ", 8).U8(0).Text(Oem, 6).U8(2).U32((uint)rsdt).U32(36).U64(xsdt).U8(0).Zero(3);
        table.PatchChecksum(8, 0, 20);
        table.PatchChecksum(32, 0, 36);
        return table.ToArray();
    }

    private static byte[] Facs() => new TableBuffer().Text("FACS", 4).U32(64).Zero(24).U8(1).Zero(31).ToArray();

    private static TableBuffer GenericAddress(TableBuffer buffer, ushort port, int bytes) =>
        bytes == 0 ? buffer.Zero(12) : buffer.U8(1).U8((byte)(8 * bytes)).U8(0).U8(0).U64(port);

    private static TableBuffer Fadt(ulong facs, ulong dsdt)
    {
        const uint flags = 1 << 0 // caches can be flushed
            | 1 << 2 // C1 on all processors
            | 1 << 5 // no fixed sleep button; the fixed power button exists
            | 1 << 8 // 32-bit timer
            | 1 << 10; // reset register
        TableBuffer body = new();
        body.U32((uint)facs).U32((uint)dsdt).U8(0).U8(4) // 4: enterprise server
            .U16(MachineMap.SciGsi).U32(0).U8(0).U8(0).U8(0).U8(0) // no SMI command port: always in ACPI mode
            .U32(MachineMap.PmEventPort).U32(0).U32(MachineMap.PmControlPort).U32(0).U32(0).U32(MachineMap.PmTimerPort).U32(0).U32(0)
            .U8(4).U8(2).U8(0).U8(4).U8(0).U8(0).U8(0).U8(0)
            .U16(0xffff).U16(0xffff) // C2 and C3 latencies: not supported
            .U16(0).U16(0).U8(0).U8(0).U8(0).U8(0).U8(0)
            .U16(0) // boot architecture: no legacy devices
            .U8(0).U32(flags);
        GenericAddress(body, MachineMap.ResetPort, 1).U8(AcpiPm.PowerManagement.ResetValue).Zero(3).U64(facs).U64(dsdt);
        GenericAddress(body, MachineMap.PmEventPort, 4);
        GenericAddress(body, 0, 0);
        GenericAddress(body, MachineMap.PmControlPort, 2);
        GenericAddress(body, 0, 0);
        GenericAddress(body, 0, 0);
        GenericAddress(body, MachineMap.PmTimerPort, 4);
        GenericAddress(body, 0, 0);
        return GenericAddress(body, 0, 0);
    }

    private static TableBuffer Madt(int processors)
    {
        TableBuffer body = new();
        body.U32((uint)MachineMap.LocalSapic).U32(0);
        body.U8(6).U8(16).U8(MachineMap.IosapicId).U8(0).U32(MachineMap.IosapicGsiBase).U64(MachineMap.Iosapic);
        for (int i = 0; i < processors; i++)
        {
            ulong lid = MachineMap.Lid(i);
            body.U8(7).U8(20).U8((byte)i).U8((byte)(lid >> 24)).U8((byte)(lid >> 16)).Zero(3).U32(1).U32((uint)i).Text(i.ToString(System.Globalization.CultureInfo.InvariantCulture), 4);
        }
        return body;
    }

    // One proximity domain. Linux's kernels for NUMA machines take at most 32 processors that no SRAT names.
    private static TableBuffer Srat(int processors, ulong ramSize)
    {
        TableBuffer body = new();
        body.U32(1).Zero(8);
        for (int i = 0; i < processors; i++)
        {
            ulong lid = MachineMap.Lid(i);
            body.U8(0).U8(16).U8(0).U8((byte)(lid >> 24)).U32(1).U8((byte)(lid >> 16)).Zero(7);
        }

        foreach ((ulong start, ulong size) in MachineMap.Ram(ramSize))
            body.U8(1).U8(40).U32(0).U16(0).U64(start).U64(size).U32(0).U32(1).U64(0);
        return body;
    }

    private static TableBuffer Spcr()
    {
        TableBuffer body = new();
        body.U8(0).Zero(3); // 16550 compatible
        GenericAddress(body, MachineMap.UartPort, 1);
        return body.U8(8).U8(0).U32(MachineMap.UartGsi) // interrupt by the IOSAPIC
            .U8(7).U8(0).U8(1).U8(0).U8(3) // 115200, no parity, 1 stop bit, no flow control, ANSI
            .U8(0).U16(0xffff).U16(0xffff).Zero(3).U32(0).U8(0).U32(0);
    }

    // DIG64 "Primary Console and Debug Port", revision 3: one UART, the primary console.
    private static TableBuffer HcdpBody()
    {
        TableBuffer body = new();
        body.U32(1).U8(0).U8(8).U8(1).U8(1).Zero(4).U64(115_200);
        GenericAddress(body, MachineMap.UartPort, 1);
        return body.U16(0).U16(0).U32(MachineMap.UartGsi).U32(MachineMap.UartClock).U8(0)
            .U8(1 << 2 | 1 << 6) // primary console; has an interrupt
            .U16(0).U32(0);
    }
}
