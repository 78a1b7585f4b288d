using System.Buffers.Binary;
using FastXen.Platform.Firmware.Efi;
using FastXen.Xen.Firmware;

namespace FastXen.Xen.Boot;

/// <summary>The boot parameter, whose address kernels get in r28 (Linux/ia64, <c>ia64_boot_param</c>): what the firmware has to say.</summary>
internal static class BootParameter
{
    /// <summary>Bytes of it.</summary>
    public const int Size = 96;

    /// <summary>Writes where the firmware's tables are, and a screen of 80 by 25.</summary>
    public static void SetFirmware(Span<byte> boot, DomainFirmware firmware)
    {
        BinaryPrimitives.WriteUInt64LittleEndian(boot[0x08..], firmware.SystemTable);
        BinaryPrimitives.WriteUInt64LittleEndian(boot[0x10..], firmware.MemoryMap);
        BinaryPrimitives.WriteInt64LittleEndian(boot[0x18..], firmware.MemoryMapSize);
        BinaryPrimitives.WriteInt64LittleEndian(boot[0x20..], DomainFirmware.MemoryDescriptorSize);
        BinaryPrimitives.WriteUInt32LittleEndian(boot[0x28..], EfiMemoryMap.DescriptorVersion);
        BinaryPrimitives.WriteUInt16LittleEndian(boot[0x2c..], 80);
        BinaryPrimitives.WriteUInt16LittleEndian(boot[0x2e..], 25);
        BinaryPrimitives.WriteUInt16LittleEndian(boot[0x30..], 0);
        BinaryPrimitives.WriteUInt16LittleEndian(boot[0x32..], 24);
        BinaryPrimitives.WriteUInt64LittleEndian(boot[0x38..], firmware.FpswaInterface);
    }
}
