using System.Buffers.Binary;
using FastXen.Platform.Firmware.Efi;

namespace FastXen.Xen.Firmware;

/// <summary>A memory map as Xen/ia64 hands it out (arch-ia64.h, <c>xen_ia64_memmap_info</c>): a header and EFI's descriptors.</summary>
internal static class MemmapInfo
{
    /// <summary>Bytes of the header: size of the descriptors, size of one, its version.</summary>
    public const int HeaderSize = 24;

    /// <summary>The bytes of a map.</summary>
    public static byte[] Of(IReadOnlyList<EfiMemoryRange> map)
    {
        int size = DomainFirmware.MemoryDescriptorSize;
        byte[] bytes = new byte[HeaderSize + size * map.Count];
        BinaryPrimitives.WriteUInt64LittleEndian(bytes, (ulong)(size * map.Count));
        BinaryPrimitives.WriteUInt64LittleEndian(bytes.AsSpan(8), (ulong)size);
        BinaryPrimitives.WriteUInt32LittleEndian(bytes.AsSpan(16), EfiMemoryMap.DescriptorVersion);
        for (int k = 0; k < map.Count; k++)
        {
            Span<byte> descriptor = bytes.AsSpan(HeaderSize + size * k);
            BinaryPrimitives.WriteUInt32LittleEndian(descriptor, (uint)map[k].Type);
            BinaryPrimitives.WriteUInt64LittleEndian(descriptor[8..], map[k].Start);
            BinaryPrimitives.WriteUInt64LittleEndian(descriptor[24..], map[k].Size / EfiMemoryMap.PageSize);
            BinaryPrimitives.WriteUInt64LittleEndian(descriptor[32..], map[k].Attributes);
        }

        return bytes;
    }
}
