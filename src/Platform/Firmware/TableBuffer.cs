using System.Buffers.Binary;
using System.Runtime.InteropServices;
using System.Text;

namespace FastXen.Platform.Firmware;

/// <summary>A growing little-endian byte buffer in which firmware tables are laid out.</summary>
public sealed class TableBuffer
{
    private readonly List<byte> bytes = [];

    /// <summary>Bytes so far.</summary>
    public int Length => bytes.Count;

    /// <summary>The bytes so far; valid until the next append.</summary>
    public Span<byte> Span => CollectionsMarshal.AsSpan(bytes);

    /// <summary>Appends a byte.</summary>
    public TableBuffer U8(byte value)
    {
        bytes.Add(value);
        return this;
    }

    /// <summary>Appends 2 bytes.</summary>
    public TableBuffer U16(ushort value) => Number(value, 2);

    /// <summary>Appends 4 bytes.</summary>
    public TableBuffer U32(uint value) => Number(value, 4);

    /// <summary>Appends 8 bytes.</summary>
    public TableBuffer U64(ulong value) => Number(value, 8);

    /// <summary>Appends bytes.</summary>
    public TableBuffer Bytes(ReadOnlySpan<byte> value)
    {
        bytes.AddRange(value);
        return this;
    }

    /// <summary>Appends <paramref name="count"/> zero bytes.</summary>
    public TableBuffer Zero(int count)
    {
        for (int i = 0; i < count; i++)
            bytes.Add(0);
        return this;
    }

    /// <summary>Appends ASCII text in a field of <paramref name="width"/> bytes, filled with <paramref name="fill"/>.</summary>
    public TableBuffer Text(string text, int width, char fill = '\0') => Bytes(Encoding.ASCII.GetBytes(text.PadRight(width, fill)[..width]));

    /// <summary>Appends zeros up to a multiple of <paramref name="alignment"/>.</summary>
    public TableBuffer Align(int alignment) => Zero((alignment - Length % alignment) % alignment);

    /// <summary>Overwrites 4 bytes.</summary>
    public void Patch32(int offset, uint value) => BinaryPrimitives.WriteUInt32LittleEndian(Span[offset..], value);

    /// <summary>Sets the byte at <paramref name="offset"/> such that all bytes of the range add up to 0.</summary>
    public void PatchChecksum(int offset, int start, int length)
    {
        Span[offset] = 0;
        byte sum = 0;
        foreach (byte value in Span.Slice(start, length))
            sum += value;
        Span[offset] = (byte)-sum;
    }

    /// <summary>A copy of the bytes.</summary>
    public byte[] ToArray() => [.. bytes];

    private TableBuffer Number(ulong value, int size)
    {
        for (int i = 0; i < size; i++)
            bytes.Add((byte)(value >> (8 * i)));
        return this;
    }
}
