using System.Buffers.Binary;

namespace FastXen.Xen.Migration;

/// <summary>Puts numbers together to a record, little-endian.</summary>
internal sealed unsafe class RecordWriter
{
    private readonly List<byte> _bytes = [];

    /// <summary>Writes the record (its tag of four letters, its length, its bytes), and begins another one.</summary>
    public void End(Stream to, string tag)
    {
        Span<byte> head = stackalloc byte[RecordReader.HeadSize];
        System.Text.Encoding.ASCII.GetBytes(tag, head);
        BinaryPrimitives.WriteUInt32LittleEndian(head[4..], (uint)_bytes.Count);
        to.Write(head);
        to.Write(System.Runtime.InteropServices.CollectionsMarshal.AsSpan(_bytes));
        _bytes.Clear();
    }

    /// <summary>A number of 32 bits.</summary>
    public RecordWriter U32(uint value)
    {
        Span<byte> bytes = stackalloc byte[4];
        BinaryPrimitives.WriteUInt32LittleEndian(bytes, value);
        return Bytes(bytes);
    }

    /// <summary>A number of 64 bits.</summary>
    public RecordWriter U64(ulong value)
    {
        Span<byte> bytes = stackalloc byte[8];
        BinaryPrimitives.WriteUInt64LittleEndian(bytes, value);
        return Bytes(bytes);
    }

    /// <summary>Numbers of 64 bits.</summary>
    public RecordWriter U64s(ulong* values, int count)
    {
        for (int k = 0; k < count; k++)
            U64(values[k]);
        return this;
    }

    /// <summary>Bytes as they are.</summary>
    public RecordWriter Bytes(ReadOnlySpan<byte> bytes)
    {
        _bytes.AddRange(bytes);
        return this;
    }
}
