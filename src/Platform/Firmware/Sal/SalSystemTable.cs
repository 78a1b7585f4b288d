namespace FastXen.Platform.Firmware.Sal;

/// <summary>The SAL system table (SAL specification, 3.2.4).</summary>
internal static class SalSystemTable
{
    private const int ChecksumOffset = 12;

    /// <summary>Lays the table out.</summary>
    public static byte[] Build()
    {
        TableBuffer table = new();
        table.Text("SST_", 4).U32(0) // length, below
            .U8(0x20).U8(0x03) // revision 3.20, binary-coded decimal
            .U16(3) // entries
            .U8(0).Zero(7)
            .U8(0).U8(1).U8(0).U8(1) // SAL_A and SAL_B versions
            .Text("FastXen", 32).Text("Virtual Itanium Machine", 32).Zero(8);
        // Entry points of PAL_PROC and SAL_PROC, with the global pointer of the latter.
        table.U8(0).Zero(7).U64(FirmwareLayout.Entry(FirmwareService.Pal)).U64(FirmwareLayout.Entry(FirmwareService.Sal)).U64(FirmwareLayout.RuntimeData).Zero(16);
        // Platform features: none of bus lock, redirection of interrupts or messages, ITC drift.
        table.U8(2).U8(0).Zero(14);
        // Application processors wake up by an external interrupt.
        table.U8(5).U8(0).Zero(6).U64(MachineMap.ApWakeupVector);
        table.Patch32(4, (uint)table.Length);
        table.PatchChecksum(ChecksumOffset, 0, table.Length);
        return table.ToArray();
    }
}
