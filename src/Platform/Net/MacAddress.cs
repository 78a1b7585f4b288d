using System.Globalization;

namespace FastXen.Platform.Net;

/// <summary>An Ethernet address, first byte in bits 47:40.</summary>
public readonly record struct MacAddress(ulong Value)
{
    /// <summary>Bytes of an address.</summary>
    public const int Size = 6;

    /// <summary>The broadcast address.</summary>
    public static MacAddress Broadcast => new(0xFFFF_FFFF_FFFF);

    /// <summary>Reads an address from the start of a span.</summary>
    public static MacAddress Read(ReadOnlySpan<byte> source)
    {
        ulong value = 0;
        for (int i = 0; i < Size; i++)
            value = value << 8 | source[i];
        return new MacAddress(value);
    }

    /// <summary>Writes the address to the start of a span.</summary>
    public void Write(Span<byte> destination)
    {
        for (int i = 0; i < Size; i++)
            destination[i] = (byte)(Value >> (40 - 8 * i));
    }

    /// <summary>Parses "52:54:00:12:34:56". Only addresses of a single station are valid for a card.</summary>
    public static MacAddress Parse(string text)
    {
        string[] parts = text.Split(':');
        ulong value = 0;
        foreach (string part in parts)
        {
            if (parts.Length != Size || part.Length != 2 || !byte.TryParse(part, NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out byte b))
                throw new DeviceConfigurationException($"MAC address '{text}' is not valid; expected six pairs of hexadecimal digits as in 52:54:00:12:34:56.");
            value = value << 8 | b;
        }
        if ((value >> 40 & 1) != 0 || value == 0)
            throw new DeviceConfigurationException($"MAC address '{text}' is not that of a single station; the lowest bit of its first byte must be 0.");
        return new MacAddress(value);
    }

    /// <inheritdoc/>
    public override string ToString()
    {
        ulong value = Value;
        return string.Join(':', Enumerable.Range(0, Size).Select(i => $"{(byte)(value >> (40 - 8 * i)):x2}"));
    }
}
