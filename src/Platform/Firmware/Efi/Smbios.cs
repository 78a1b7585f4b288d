using System.Text;

namespace FastXen.Platform.Firmware.Efi;

/// <summary>A small SMBIOS 2.3 table: firmware, system, end. The structures follow the entry point.</summary>
internal static class Smbios
{
    private const int EntryPointSize = 31;
    private const int StructuresOffset = 32;

    /// <summary>Lays the entry point and structures out for the physical address <paramref name="address"/>.</summary>
    public static byte[] Build(ulong address)
    {
        TableBuffer structures = new();
        // Type 0: vendor, version, segment, date, ROM size, characteristics (EFI, virtual machine).
        structures.U8(0).U8(0x14).U16(0).U8(1).U8(2).U16(0).U8(3).U8(0).U64(1 << 3).U8(0).U8(1 << 3 | 1 << 4);
        int largest = Strings(structures, 0, "FastXen", "0.1", "01/01/2026");
        // Type 1: manufacturer, product, version, serial number, UUID (none), wake-up by power switch.
        int system = structures.Length;
        structures.U8(1).U8(0x19).U16(1).U8(1).U8(2).U8(3).U8(0).Zero(16).U8(6);
        largest = Math.Max(largest, Strings(structures, system, "FastXen", "Virtual Itanium Machine", "0.1"));
        int end = structures.Length;
        structures.U8(127).U8(4).U16(2);
        largest = Math.Max(largest, Strings(structures, end));

        TableBuffer table = new();
        table.Text("_SM_", 4).U8(0).U8(EntryPointSize).U8(2).U8(3).U16((ushort)largest).U8(0).Zero(5)
            .Text("_DMI_", 5).U8(0).U16((ushort)structures.Length).U32((uint)address + StructuresOffset).U16(3).U8(0x23);
        table.PatchChecksum(21, 16, 15);
        table.PatchChecksum(4, 0, EntryPointSize);
        return table.Zero(StructuresOffset - EntryPointSize).Bytes(structures.Span).ToArray();
    }

    // Ends a structure that began at start with its strings; returns its whole length.
    private static int Strings(TableBuffer buffer, int start, params string[] strings)
    {
        foreach (string text in strings)
            buffer.Bytes(Encoding.ASCII.GetBytes(text)).U8(0);
        if (strings.Length == 0)
            buffer.U8(0);
        buffer.U8(0);
        return buffer.Length - start;
    }
}
