using FastXen.Mmu;

namespace FastXen.Platform.Firmware.Efi;

/// <summary>The EFI system table and what hangs on it, in runtime data; with the pointers that SetVirtualAddressMap converts.</summary>
internal sealed class EfiTables
{
    private const ulong SystemTableSignature = 0x5453_5953_2049_4249; // "IBI SYST"
    private const ulong RuntimeSignature = 0x5652_4553_544e_5552; // "RUNTSERV"
    private const ulong BootSignature = 0x5652_4553_544f_4f42; // "BOOTSERV"
    private const uint Revision = 1 << 16 | 10;
    private const int BootServiceCount = 43;
    private const int HeaderSize = 24;
    private const uint FpswaRevision = 1 << 16 | 18;

    private const ulong RuntimeTableOffset = 0x100;
    private const ulong BootTableOffset = 0x200;
    private const ulong DescriptorsOffset = 0x400;
    private const ulong FpswaOffset = 0x600;
    private const ulong ConfigurationOffset = 0x640;
    private const ulong VendorOffset = 0x700;
    /// <summary>Offset of the SAL system table in runtime data.</summary>
    public const ulong SalTableOffset = 0x800;
    /// <summary>Offset of the SMBIOS tables in runtime data.</summary>
    public const ulong SmbiosOffset = 0x1000;

    private static readonly Guid Acpi20Guid = new("8868e871-e4f1-11d3-bc22-0080c73c8881");
    private static readonly Guid SalGuid = new("eb9d2d32-2d88-11d3-9a16-0090273fc14d");
    private static readonly Guid SmbiosGuid = new("eb9d2d31-2d88-11d3-9a16-0090273fc14d");
    private static readonly Guid HcdpGuid = new("f951938d-620b-42ef-8279-a84b79617898");

    private readonly PhysicalMemory memory;
    private readonly List<(ulong Location, ulong Target)> pointers = [];
    private ulong nextDescriptor = FirmwareLayout.RuntimeData + DescriptorsOffset;

    /// <summary>Physical address of the system table.</summary>
    public static ulong SystemTable => FirmwareLayout.RuntimeData;

    /// <summary>Physical address of the FPSWA interface.</summary>
    public static ulong FpswaInterface => FirmwareLayout.RuntimeData + FpswaOffset;

    /// <summary>Every pointer that lives on after the switch to virtual mode: where it is, and the physical address that it points at.</summary>
    public IReadOnlyList<(ulong Location, ulong Target)> Pointers => pointers;

    /// <summary>Writes the tables.</summary>
    public EfiTables(PhysicalMemory memory, ulong rsdp, ulong hcdp)
    {
        this.memory = memory;
        WriteRuntimeTable();
        WriteBootTable();
        WriteFpswaInterface();
        WriteSystemTable(rsdp, hcdp);
        UpdateChecksums();
    }

    /// <summary>Computes the CRCs of the table headers anew.</summary>
    public void UpdateChecksums()
    {
        foreach (ulong offset in (ReadOnlySpan<ulong>)[0, RuntimeTableOffset, BootTableOffset])
        {
            ulong address = FirmwareLayout.RuntimeData + offset;
            // The header is in guest memory: its length is ours only as long as the guest left it alone.
            int length = (int)Math.Min(memory.Read<uint>(address + 12), 0x1000);
            memory.Write(address + 16, 0u);
            memory.TryGetSpan(address, length, out Span<byte> table);
            memory.Write(address + 16, Crc32.Compute(table));
        }
    }

    private void WriteRuntimeTable()
    {
        ulong table = FirmwareLayout.RuntimeData + RuntimeTableOffset;
        ulong at = table + HeaderSize;
        for (FirmwareService service = FirmwareService.GetTime; service <= FirmwareService.ResetSystem; service++, at += 8)
            Pointer(at, FunctionDescriptor(service));
        Header(table, RuntimeSignature, (uint)(at - table));
    }

    private void WriteBootTable()
    {
        ulong table = FirmwareLayout.RuntimeData + BootTableOffset;
        ulong descriptor = FunctionDescriptor(FirmwareService.BootService);
        for (ulong i = 0; i < BootServiceCount; i++)
            memory.Write(table + HeaderSize + 8 * i, descriptor);
        Header(table, BootSignature, HeaderSize + 8 * BootServiceCount);
    }

    private void WriteFpswaInterface()
    {
        memory.Write(FpswaInterface, FpswaRevision);
        Pointer(FpswaInterface + 8, FunctionDescriptor(FirmwareService.Fpswa));
    }

    private void WriteSystemTable(ulong rsdp, ulong hcdp)
    {
        ulong table = SystemTable;
        ulong vendor = FirmwareLayout.RuntimeData + VendorOffset;
        string name = "FastXen\0";
        for (int i = 0; i < name.Length; i++)
            memory.Write(vendor + 2 * (ulong)i, (ushort)name[i]);

        ulong configuration = FirmwareLayout.RuntimeData + ConfigurationOffset;
        ulong at = configuration;
        foreach ((Guid guid, ulong address) in (ReadOnlySpan<(Guid, ulong)>)
            [
                (Acpi20Guid, rsdp),
                (SalGuid, FirmwareLayout.RuntimeData + SalTableOffset),
                (SmbiosGuid, FirmwareLayout.RuntimeData + SmbiosOffset),
                (HcdpGuid, hcdp),
            ])
        {
            memory.TryGetSpan(at, 16, out Span<byte> span);
            guid.TryWriteBytes(span);
            memory.Write(at + 16, address);
            at += 24;
        }

        Pointer(table + 24, vendor);
        memory.Write(table + 32, Revision);
        Pointer(table + 88, FirmwareLayout.RuntimeData + RuntimeTableOffset);
        memory.Write(table + 96, FirmwareLayout.RuntimeData + BootTableOffset);
        memory.Write(table + 104, (at - configuration) / 24);
        Pointer(table + 112, configuration);
        Header(table, SystemTableSignature, 120);
    }

    private void Header(ulong table, ulong signature, uint size)
    {
        memory.Write(table, signature);
        memory.Write(table + 8, Revision);
        memory.Write(table + 12, size);
    }

    // A function descriptor: entry point and global pointer.
    private ulong FunctionDescriptor(FirmwareService service)
    {
        ulong descriptor = nextDescriptor;
        nextDescriptor += 16;
        Pointer(descriptor, FirmwareLayout.Entry(service));
        Pointer(descriptor + 8, FirmwareLayout.RuntimeData);
        return descriptor;
    }

    private void Pointer(ulong location, ulong target)
    {
        memory.Write(location, target);
        pointers.Add((location, target));
    }
}
