using System.Globalization;
using FastXen.Platform;
using FastXen.Platform.Firmware;
using FastXen.Platform.Firmware.Acpi;
using FastXen.Xen.Pci;
using FastXen.Xen.Physdev;

namespace FastXen.Xen.Firmware;

/// <summary>
/// The ACPI tables of a paravirtualized domain, a page that begins with the RSDP. A domU's are Xen's own ("XEN", by which Linux knows that there is no platform); who has
/// the machine's devices finds a machine: its IOSAPIC, and its PCI bus with an interrupt for each slot.
/// </summary>
internal static class DomainAcpi
{
    /// <summary>The page.</summary>
    public static TableBuffer Build(int vcpus, bool hasPci)
    {
        var page = new TableBuffer();
        page.Zero(64);
        ulong facs = Append(page, new TableBuffer().Text("FACS", 4).U32(64).Zero(56));
        // Registers of the fixed hardware are memory that nobody looks at: there is no power management.
        ulong registers = Append(page, new TableBuffer().Zero(64));
        Names names = hasPci ? s_machine : s_domain;
        ulong dsdt = Append(page, Table("DSDT", 2, names, new TableBuffer().Bytes(Dsdt(vcpus, hasPci))));
        ulong fadt = Append(page, Table("FACP", 3, names, Fadt(facs, dsdt, registers, hasPci)));
        ulong madt = Append(page, Table("APIC", 1, names, Madt(vcpus, hasPci)));
        ulong xsdt = Append(page, Table("XSDT", 1, names, new TableBuffer().U64(fadt).U64(madt)));
        var rsdp = new TableBuffer();
        rsdp.Text("RSD PTR ", 8).U8(0).Text(names.Oem, 6).U8(2).U32(0).U32(36).U64(xsdt).U8(0).Zero(3);
        rsdp.PatchChecksum(8, 0, 20);
        rsdp.PatchChecksum(32, 0, 36);
        rsdp.Span.CopyTo(page.Span);
        return page;
    }

    // By the OEM's name Linux/ia64 chooses how it does DMA: "XEN" is a domain without devices, what it does not know is a DIG64 machine.
    private readonly record struct Names(string Oem, string Table);

    private static readonly Names s_domain = new("XEN", "Xen/ia64"), s_machine = new("FASTXN", "FASTXEN ");

    private static byte[] Dsdt(int vcpus, bool hasPci)
    {
        IEnumerable<byte[]> devices = Enumerable.Range(0, vcpus).Select(static n => Aml.Processor($"P{n:X3}", (byte)n));
        if (hasPci)
        {
            devices = devices.Append(Platform.Firmware.Acpi.Dsdt.PciRoot(Enumerable.Range(1, MachinePci.Slots - 1).Select(static slot =>
                new Platform.Firmware.Acpi.Dsdt.InterruptRoute(slot, Pin: 0, MachineInterrupts.FirstPciLine + slot))));
        }

        return Aml.Scope("_SB_", [.. devices]);
    }

    private static ulong Append(TableBuffer page, TableBuffer table)
    {
        ulong address = FirmwareLayout.Acpi + (ulong)page.Length;
        page.Bytes(table.Span).Align(16);
        return address;
    }

    private static TableBuffer Table(string signature, byte revision, Names names, TableBuffer body)
    {
        var table = new TableBuffer();
        table.Text(signature, 4).U32((uint)(36 + body.Length)).U8(revision).U8(0).Text(names.Oem, 6).Text(names.Table, 8).U32(1).Text("XEN", 4).U32(1).Bytes(body.Span);
        table.PatchChecksum(9, 0, table.Length);
        return table;
    }

    private static TableBuffer Fadt(ulong facs, ulong dsdt, ulong registers, bool hasPci)
    {
        var body = new TableBuffer();
        body.U32((uint)facs).U32((uint)dsdt).Zero(2).U16(hasPci ? (ushort)MachineMap.SciGsi : (ushort)0).Zero(40).U8(4).U8(2).U8(0).U8(4).Zero(4).U16(0xFFFF).U16(0xFFFF).Zero(9).Zero(3).U32(0).Zero(12).U8(0).Zero(3).U64(facs).U64(dsdt);
        ulong at = registers;
        foreach (int bytes in (ReadOnlySpan<int>)[4, 0, 2, 0, 0, 4, 0, 0])
        {
            if (bytes == 0)
            {
                body.Zero(12);
                continue;
            }

            // A generic address in system memory.
            body.U8(0).U8((byte)(8 * bytes)).U8(0).U8(0).U64(at);
            at += 8;
        }

        return body;
    }

    private static TableBuffer Madt(int vcpus, bool hasPci)
    {
        var body = new TableBuffer();
        body.U32((uint)MachineMap.LocalSapic).U32(0);
        if (hasPci)
            body.U8(6).U8(16).U8(MachineMap.IosapicId).U8(0).U32(MachineMap.IosapicGsiBase).U64(MachineInterrupts.Address);
        for (int n = 0; n < vcpus; n++)
            body.U8(7).U8(20).U8((byte)n).U8((byte)n).U8(0).Zero(3).U32(1).U32((uint)n).Text(n.ToString(CultureInfo.InvariantCulture), 4);
        return body;
    }
}
