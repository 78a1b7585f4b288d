namespace FastXen.Platform.Firmware.Efi;

/// <summary>EFI memory types (EFI specification, AllocatePages).</summary>
public enum EfiMemoryType : uint
{
#pragma warning disable CS1591 // the names are the specification's
    LoaderCode = 1,
    LoaderData = 2,
    BootServicesData = 4,
    RuntimeServicesCode = 5,
    RuntimeServicesData = 6,
    Conventional = 7,
    AcpiReclaim = 9,
    AcpiNvs = 10,
    MemoryMappedIo = 11,
    MemoryMappedIoPortSpace = 12,
    PalCode = 13,
#pragma warning restore CS1591
}

/// <summary>A range of the memory map; start and size are multiples of 4 KiB.</summary>
public readonly record struct EfiMemoryRange(EfiMemoryType Type, ulong Start, ulong Size, ulong Attributes)
{
    /// <summary>One past the last byte.</summary>
    public ulong End => Start + Size;
}

/// <summary>The memory map that EFI hands to an operating system.</summary>
public static class EfiMemoryMap
{
    /// <summary>Bytes from one descriptor to the next: 40 are used, and firmware leaves room for later versions.</summary>
    public const int DescriptorSize = 48;
    /// <summary>Version of the descriptors.</summary>
    public const uint DescriptorVersion = 1;
    /// <summary>Size of an EFI page.</summary>
    public const ulong PageSize = 4096;

    /// <summary>Attribute: uncacheable.</summary>
    public const ulong Uncacheable = 1;
    /// <summary>Attribute: write-back.</summary>
    public const ulong WriteBack = 8;
    /// <summary>Attribute: the operating system maps the range for runtime services.</summary>
    public const ulong Runtime = 1UL << 63;

    private const ulong RamAttributes = WriteBack | Uncacheable;

    /// <summary>
    /// Describes a machine. RAM is write-back throughout and without holes, so that Linux, which rounds write-back memory to its
    /// 16 MiB granules, trims nothing. <paramref name="loaded"/>: what a loader put into conventional memory (kernel, initrd); any page-aligned ranges.
    /// </summary>
    public static IReadOnlyList<EfiMemoryRange> Build(ulong ramSize, IEnumerable<EfiMemoryRange> loaded)
    {
        List<EfiMemoryRange> used =
        [
            new(EfiMemoryType.PalCode, FirmwareLayout.PalCode, FirmwareLayout.PalCodeSize, WriteBack | Runtime),
            new(EfiMemoryType.RuntimeServicesCode, FirmwareLayout.RuntimeCode, FirmwareLayout.RuntimeCodeSize, RamAttributes | Runtime),
            new(EfiMemoryType.RuntimeServicesData, FirmwareLayout.RuntimeData, FirmwareLayout.RuntimeDataSize, RamAttributes | Runtime),
            new(EfiMemoryType.AcpiReclaim, FirmwareLayout.AcpiTables, FirmwareLayout.AcpiTablesSize, RamAttributes),
            new(EfiMemoryType.AcpiNvs, FirmwareLayout.AcpiNvs, FirmwareLayout.AcpiNvsSize, RamAttributes),
            new(EfiMemoryType.LoaderData, FirmwareLayout.LoaderData, FirmwareLayout.LoaderDataSize, RamAttributes),
            new(EfiMemoryType.BootServicesData, FirmwareLayout.Stacks, FirmwareLayout.End - FirmwareLayout.Stacks, RamAttributes),
            .. loaded.Select(range => range with { Attributes = RamAttributes }),
        ];
        used.Sort((a, b) => a.Start.CompareTo(b.Start));

        List<EfiMemoryRange> map = [];
        int next = 0;
        foreach ((ulong start, ulong size) in MachineMap.Ram(ramSize))
        {
            ulong at = start, end = start + size;
            for (; next < used.Count && used[next].Start < end; next++)
            {
                EfiMemoryRange range = used[next];
                if (range.Start < at || range.End > end || range.Size == 0 || ((range.Start | range.Size) & (PageSize - 1)) != 0)
                    throw new ArgumentException($"0x{range.Start:x}-0x{range.End:x} is not free RAM of this machine", nameof(loaded));
                AddConventional(map, at, range.Start);
                map.Add(range);
                at = range.End;
            }
            AddConventional(map, at, end);
        }
        if (next < used.Count)
            throw new ArgumentException($"0x{used[next].Start:x}-0x{used[next].End:x} is not RAM of this machine", nameof(loaded));
        map.Add(new(EfiMemoryType.MemoryMappedIo, MachineMap.Iosapic, MachineMap.LocalSapic + MachineMap.LocalSapicSize - MachineMap.Iosapic, Uncacheable));
        map.Add(new(EfiMemoryType.MemoryMappedIoPortSpace, MachineMap.PortSpace, MachineMap.PortSpaceSize, Uncacheable));
        map.Sort((a, b) => a.Start.CompareTo(b.Start));
        return map;
    }

    /// <summary>Lays the descriptors out.</summary>
    public static byte[] Encode(IReadOnlyList<EfiMemoryRange> map)
    {
        TableBuffer buffer = new();
        foreach (EfiMemoryRange range in map)
        {
            buffer.U32((uint)range.Type).U32(0).U64(range.Start).U64(0).U64(range.Size / PageSize).U64(range.Attributes)
                .Zero(DescriptorSize - 40);
        }
        return buffer.ToArray();
    }

    private static void AddConventional(List<EfiMemoryRange> map, ulong start, ulong end)
    {
        if (start < end)
            map.Add(new(EfiMemoryType.Conventional, start, end - start, RamAttributes));
    }
}
