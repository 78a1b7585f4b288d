using System.Buffers.Binary;
using System.Text;
using FastXen.Platform.Firmware;
using FastXen.Platform.Firmware.Efi;

namespace FastXen.Xen.Firmware;

/// <summary>The first three pages of a paravirtualized domain: code of the firmware's entry points, ACPI tables, EFI's and SAL's tables.</summary>
internal sealed class DomainFirmware
{
    private const int DescriptorSize = 40;
    private const ulong SystemTableSignature = 0x5453_5953_2049_4249, RuntimeSignature = 0x5652_4553_544e_5552;
    private const uint EfiRevision = 1 << 16 | 10;
    private const int ApWakeupVector = 0xF3;
    private static readonly Guid Acpi20 = new("8868e871-e4f1-11d3-bc22-0080c73c8881");
    private static readonly Guid SalSystemTable = new("eb9d2d32-2d88-11d3-9a16-0090273fc14d");

    private readonly byte[] _image = new byte[FirmwareLayout.Size];

    /// <summary>The bytes from guest address 0 on.</summary>
    public ReadOnlySpan<byte> Image => _image;

    /// <summary>Guest address of the EFI system table.</summary>
    public ulong SystemTable { get; }

    /// <summary>Guest address of the EFI memory map.</summary>
    public ulong MemoryMap { get; }

    /// <summary>Bytes of the memory map; its descriptors are <see cref="MemoryDescriptorSize"/> each, version 1.</summary>
    public int MemoryMapSize { get; }

    /// <summary>Bytes of a descriptor.</summary>
    public static int MemoryDescriptorSize => DescriptorSize;

    /// <summary>What is changed later.</summary>
    public FirmwareTables Addresses => new(FunctionDescriptors, FpswaPointer);

    /// <summary>Guest address of the FPSWA interface.</summary>
    public ulong FpswaInterface { get; }

    /// <summary>Guest address of the runtime services' function descriptors: entry and gp.</summary>
    public ulong FunctionDescriptors { get; }

    /// <summary>Guest address of the pointer to FPSWA's function descriptor.</summary>
    public ulong FpswaPointer => FpswaInterface + 8;

    /// <summary>Lays everything out for a domain with this many vCPUs and this memory map. <paramref name="hasPci"/>: it has the machine's IOSAPIC and PCI bus.</summary>
    public DomainFirmware(int vcpus, IReadOnlyList<EfiMemoryRange> memory, bool hasPci = false)
    {
        WriteCode();
        ulong rsdp = WriteAcpi(vcpus, hasPci);
        var tables = new TableBuffer();
        FunctionDescriptors = FirmwareLayout.Tables;
        for (int service = 0; service < FirmwareLayout.EfiServiceCount; service++)
            tables.U64(FirmwareLayout.EfiServices + 16 * (ulong)service).U64(0);
        ulong runtime = At(tables);
        tables.U64(RuntimeSignature).U32(EfiRevision).U32(24 + 8 * (FirmwareLayout.EfiServiceCount + 1)).U32(0).U32(0);
        for (int service = 0; service < FirmwareLayout.EfiServiceCount; service++)
        {
            // Behind SetVirtualAddressMap the table has ConvertPointer, which Xen does not offer.
            if (service == 5)
                tables.U64(0);
            tables.U64(FunctionDescriptors + 16 * (ulong)service);
        }

        ulong vendor = At(tables);
        tables.Bytes(Encoding.Unicode.GetBytes("Xen/ia64\0")).Align(8);
        FpswaInterface = At(tables);
        tables.U32(1 << 16 | 18).U32(0).U64(FirmwareLayout.FpswaDescriptor);
        ulong sal = At(tables);
        tables.Bytes(Sal()).Align(8);
        ulong configuration = At(tables);
        tables.Bytes(SalSystemTable.ToByteArray()).U64(sal).Bytes(Acpi20.ToByteArray()).U64(rsdp);
        SystemTable = At(tables);
        tables.U64(SystemTableSignature).U32(EfiRevision).U32(120).U32(0).U32(0).U64(vendor).U32(EfiRevision).U32(0).Zero(48).U64(runtime).U64(0).U64(2)
            .U64(configuration);
        MemoryMap = At(tables);
        foreach (EfiMemoryRange range in memory)
            tables.U32((uint)range.Type).U32(0).U64(range.Start).U64(0).U64(range.Size / EfiMemoryMap.PageSize).U64(range.Attributes);
        MemoryMapSize = DescriptorSize * memory.Count;
        Place(FirmwareLayout.Tables, tables, "EFI");
        Checksum(runtime);
        Checksum(SystemTable);
    }

    private static ulong At(TableBuffer tables) => FirmwareLayout.Tables + (ulong)tables.Length;

    private void WriteCode()
    {
        for (int service = 0; service < FirmwareLayout.EfiServiceCount; service++)
            StubCode.Call(_image.AsSpan((int)FirmwareLayout.EfiServices + 16 * service), FirmwareCalls.Efi + (ulong)service);
        StubCode.CallPal(_image.AsSpan((int)FirmwareLayout.Pal), FirmwareCalls.Pal);
        StubCode.Call(_image.AsSpan((int)FirmwareLayout.Sal), FirmwareCalls.Sal);
        StubCode.Call(_image.AsSpan((int)FirmwareLayout.SalReturn), FirmwareCalls.SalReturn);
        BinaryPrimitives.WriteUInt64LittleEndian(_image.AsSpan((int)FirmwareLayout.FpswaDescriptor), FirmwareLayout.Fpswa);
        StubCode.Call(_image.AsSpan((int)FirmwareLayout.Fpswa), FirmwareCalls.Fpswa);
    }

    private ulong WriteAcpi(int vcpus, bool hasPci)
    {
        Place(FirmwareLayout.Acpi, DomainAcpi.Build(vcpus, hasPci), "ACPI");
        return FirmwareLayout.Acpi;
    }

    private static byte[] Sal()
    {
        var table = new TableBuffer();
        table.Text("SST_", 4).U32(0).U8(0x20).U8(0x03).U16(2).U8(0).Zero(7).U8(0).U8(1).U8(0).U8(1).Text("Xen/ia64", 32).Text("Xen/ia64", 32).Zero(8);
        table.U8(0).Zero(7).U64(FirmwareLayout.Pal).U64(FirmwareLayout.Sal).U64(0).Zero(16);
        table.U8(5).U8(0).Zero(6).U64(ApWakeupVector);
        table.Patch32(4, (uint)table.Length);
        table.PatchChecksum(12, 0, table.Length);
        return table.ToArray();
    }

    private void Place(ulong address, TableBuffer page, string what)
    {
        if (page.Length > (int)FirmwareLayout.PageSize)
            throw new InvalidOperationException($"the {what} tables take {page.Length} bytes, more than their page");
        page.Span.CopyTo(_image.AsSpan((int)address));
    }

    // CRC-32 of an EFI table header's table; its length is at 12, the sum at 16.
    private void Checksum(ulong table)
    {
        Span<byte> bytes = _image.AsSpan((int)table);
        int length = BinaryPrimitives.ReadInt32LittleEndian(bytes[12..]);
        BinaryPrimitives.WriteUInt32LittleEndian(bytes[16..], Crc32.Compute(bytes[..length]));
    }
}
