namespace FastXen.Platform.Firmware.Acpi;

/// <summary>A list of resource descriptors (ACPI specification, "Resource Data Types for ACPI"), as _CRS returns it.</summary>
internal sealed class ResourceTemplate
{
    private const byte Fixed = 0x0c; // both ends fixed, decoded positively, produced for children
    private readonly TableBuffer bytes = new();

    /// <summary>Bus numbers that a bridge hands out.</summary>
    public ResourceTemplate BusNumbers(ushort first, ushort last) => Word(2, 0, first, last);

    /// <summary>I/O ports that a bridge hands out, all of the range.</summary>
    public ResourceTemplate PortWindow(ushort first, ushort last) => Word(1, 3, first, last);

    /// <summary>Memory that a bridge hands out: read-write, not cached.</summary>
    public ResourceTemplate MemoryWindow(ulong first, ulong last)
    {
        bytes.U8(0x8a).U16(0x2b).U8(0).U8(Fixed).U8(1).U64(0).U64(first).U64(last).U64(0).U64(last - first + 1);
        return this;
    }

    /// <summary>I/O ports of a device, with 16-bit decoding.</summary>
    public ResourceTemplate Ports(ushort first, byte count)
    {
        bytes.U8(0x47).U8(1).U16(first).U16(first).U8(1).U8(count);
        return this;
    }

    /// <summary>A level-triggered, active-high interrupt of a device.</summary>
    public ResourceTemplate InterruptLevelHigh(uint gsi)
    {
        bytes.U8(0x89).U16(6).U8(0x01).U8(1).U32(gsi);
        return this;
    }

    /// <summary>The whole list with its end tag, as a Buffer term.</summary>
    public byte[] ToBuffer() => Aml.Buffer([.. bytes.ToArray(), 0x79, 0]);

    private ResourceTemplate Word(byte type, byte specific, ushort first, ushort last)
    {
        bytes.U8(0x88).U16(0x0d).U8(type).U8(Fixed).U8(specific).U16(0).U16(first).U16(last).U16(0).U16((ushort)(last - first + 1));
        return this;
    }
}
