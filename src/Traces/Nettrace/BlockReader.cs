using System.Buffers.Binary;
using System.Runtime.InteropServices;

namespace FastXen.Traces.Nettrace;

/// <summary>Reads the numbers and texts of a block; what goes beyond its end is a <see cref="TraceException"/>.</summary>
internal ref struct BlockReader(ReadOnlySpan<byte> block)
{
    private ReadOnlySpan<byte> rest = block;

    public readonly bool AtEnd => rest.IsEmpty;

    public ReadOnlySpan<byte> Take(int count)
    {
        if ((uint)count > (uint)rest.Length)
            throw new TraceException("the trace is damaged: a block ends in the middle of an event");
        ReadOnlySpan<byte> taken = rest[..count];
        rest = rest[count..];
        return taken;
    }

    public byte Byte() => Take(1)[0];

    public short Short() => BinaryPrimitives.ReadInt16LittleEndian(Take(2));

    public int Int() => BinaryPrimitives.ReadInt32LittleEndian(Take(4));

    public long Long() => BinaryPrimitives.ReadInt64LittleEndian(Take(8));

    /// <summary>Seven bits a byte, the lowest first; the top bit says that more follow.</summary>
    public ulong Variable()
    {
        ulong value = 0;
        for (int shift = 0; shift < 64; shift += 7)
        {
            byte part = Byte();
            value |= (ulong)(part & 0x7F) << shift;
            if (part < 0x80)
                return value;
        }

        throw new TraceException("the trace is damaged: a number has no end");
    }

    /// <summary>UTF-16 up to a zero.</summary>
    public string Text()
    {
        ReadOnlySpan<char> characters = MemoryMarshal.Cast<byte, char>(rest);
        int end = characters.IndexOf('\0');
        if (end < 0)
            throw new TraceException("the trace is damaged: a name has no end");
        string text = new(characters[..end]);
        Take((end + 1) * sizeof(char));
        return text;
    }
}
