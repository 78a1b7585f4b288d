namespace FastXen.Platform.Firmware.Acpi;

/// <summary>Terms of the ACPI machine language (ACPI specification, chapter "AML"), each as its bytes.</summary>
internal static class Aml
{
    /// <summary>The integer 0, 1 or larger, in its shortest form.</summary>
    public static byte[] Integer(ulong value) => value switch
    {
        0 => [0x00],
        1 => [0x01],
        <= 0xff => [0x0a, (byte)value],
        <= 0xffff => [0x0b, .. Little(value, 2)],
        <= 0xffff_ffff => [0x0c, .. Little(value, 4)],
        _ => [0x0e, .. Little(value, 8)],
    };

    /// <summary>Name(<paramref name="name"/>, <paramref name="value"/>).</summary>
    public static byte[] Name(string name, byte[] value) => [0x08, .. NameSegment(name), .. value];

    /// <summary>Scope(\<paramref name="name"/>).</summary>
    public static byte[] Scope(string name, params byte[][] terms) => [0x10, .. Packaged([(byte)'\\', .. NameSegment(name), .. terms.SelectMany(term => term)])];

    /// <summary>Device(<paramref name="name"/>).</summary>
    public static byte[] Device(string name, params byte[][] terms) => [0x5b, 0x82, .. Packaged([.. NameSegment(name), .. terms.SelectMany(term => term)])];

    /// <summary>Processor(<paramref name="name"/>, id, 0, 0) {}.</summary>
    public static byte[] Processor(string name, byte id) => [0x5b, 0x83, .. Packaged([.. NameSegment(name), id, 0, 0, 0, 0, 0])];

    /// <summary>Package of at most 255 elements.</summary>
    public static byte[] Package(params byte[][] elements) =>
        [0x12, .. Packaged([checked((byte)elements.Length), .. elements.SelectMany(element => element)])];

    /// <summary>Buffer with these bytes.</summary>
    public static byte[] Buffer(byte[] bytes) => [0x11, .. Packaged([.. Integer((ulong)bytes.Length), .. bytes])];

    /// <summary>The compressed form of an EISA identifier such as PNP0A03.</summary>
    public static byte[] EisaId(string id)
    {
        uint value = (uint)(id[0] - '@') << 26 | (uint)(id[1] - '@') << 21 | (uint)(id[2] - '@') << 16 | Convert.ToUInt32(id[3..], 16);
        return [0x0c, (byte)(value >> 24), (byte)(value >> 16), (byte)(value >> 8), (byte)value];
    }

    /// <summary>The low <paramref name="size"/> bytes of a number, little-endian.</summary>
    public static byte[] Little(ulong value, int size)
    {
        byte[] bytes = new byte[size];
        for (int i = 0; i < size; i++)
            bytes[i] = (byte)(value >> (8 * i));
        return bytes;
    }

    private static byte[] NameSegment(string name) => [.. name.PadRight(4, '_').Select(c => (byte)c)];

    // PkgLength counts itself: 1 byte to 0x3f, else 2 to 4 bytes with 4 bits in the first.
    private static byte[] Packaged(byte[] content)
    {
        if (content.Length + 1 <= 0x3f)
            return [(byte)(content.Length + 1), .. content];
        for (int more = 1; more <= 3; more++)
        {
            int length = content.Length + 1 + more;
            if (length < 1 << (4 + 8 * more))
                return [(byte)(more << 6 | length & 0xf), .. Little((ulong)length >> 4, more), .. content];
        }
        throw new ArgumentOutOfRangeException(nameof(content), "longer than a package can be");
    }
}
