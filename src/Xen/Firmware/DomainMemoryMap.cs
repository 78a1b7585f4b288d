using FastXen.Platform;
using FastXen.Platform.Firmware.Efi;
using FastXen.Xen.Memory;
using FastXen.Xen.Physdev;

namespace FastXen.Xen.Firmware;

/// <summary>The memory map that a domU's firmware shows.</summary>
internal static class DomainMemoryMap
{
    /// <summary>
    /// The firmware's pages, memory to use, the pages at <paramref name="magic"/> that builder and guest share (memory map, start_info, xenstore's ring, console's ring),
    /// and the port space; with <paramref name="hasPci"/> the registers of the machine's devices, too.
    /// </summary>
    public static List<EfiMemoryRange> Of(IEnumerable<(ulong Start, ulong End)> conventional, ulong magic, ulong magicFrames, bool hasPci = false)
    {
        List<EfiMemoryRange> map =
        [
            new(EfiMemoryType.PalCode, 0, 0x1000, EfiMemoryMap.WriteBack | EfiMemoryMap.Runtime),
            new(EfiMemoryType.AcpiNvs, FirmwareLayout.Acpi, 0x1000, EfiMemoryMap.WriteBack),
            new(EfiMemoryType.RuntimeServicesData, FirmwareLayout.Tables, 0x1000, EfiMemoryMap.WriteBack | EfiMemoryMap.Runtime),
        ];
        foreach ((ulong start, ulong end) in conventional)
            map.Add(new(EfiMemoryType.Conventional, start, end - start, EfiMemoryMap.WriteBack));
        map.Add(new(EfiMemoryType.RuntimeServicesData, magic, magicFrames << Frame.Shift, EfiMemoryMap.WriteBack | EfiMemoryMap.Runtime));
        if (hasPci)
        {
            map.Add(new(EfiMemoryType.MemoryMappedIo, MachineMap.PciMemory, MachineMap.PciMemorySize, EfiMemoryMap.Uncacheable));
            map.Add(new(EfiMemoryType.MemoryMappedIo, MachineInterrupts.Address, Frame.Size, EfiMemoryMap.Uncacheable));
        }

        map.Add(new(EfiMemoryType.MemoryMappedIoPortSpace, FirmwareLayout.PortSpace, FirmwareLayout.PortSpaceSize, EfiMemoryMap.Uncacheable));
        return map;
    }
}
