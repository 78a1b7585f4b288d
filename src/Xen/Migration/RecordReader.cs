using System.Buffers.Binary;
using System.Text;

namespace FastXen.Xen.Migration;

/// <summary>Takes a record apart. What a record cannot hold is an <see cref="InvalidDataException"/>.</summary>
internal sealed unsafe class RecordReader
{
    /// <summary>Bytes before a record's own: tag, length.</summary>
    public const int HeadSize = 8;

    private const uint Longest = 16 << 20;

    private readonly byte[] _bytes;
    private int _at;

    private RecordReader(string tag, byte[] bytes) => (Tag, _bytes) = (tag, bytes);

    /// <summary>What it is.</summary>
    public string Tag { get; }

    /// <summary>Bytes that are left.</summary>
    public int Rest => _bytes.Length - _at;

    /// <summary>The next record.</summary>
    public static RecordReader Next(Stream from)
    {
        Span<byte> head = stackalloc byte[HeadSize];
        byte[] bytes;
        try
        {
            from.ReadExactly(head);
            uint length = BinaryPrimitives.ReadUInt32LittleEndian(head[4..]);
            if (length > Longest)
                throw new InvalidDataException($"a record of {length} bytes; expected at most {Longest}");
            bytes = new byte[length];
            from.ReadExactly(bytes);
        }
        catch (EndOfStreamException)
        {
            throw new InvalidDataException("the saved domain ends in the middle");
        }

        return new RecordReader(Encoding.ASCII.GetString(head[..4]), bytes);
    }

    /// <summary>A number of 32 bits.</summary>
    public uint U32() => BinaryPrimitives.ReadUInt32LittleEndian(Take(4));

    /// <summary>A number of 64 bits.</summary>
    public ulong U64() => BinaryPrimitives.ReadUInt64LittleEndian(Take(8));

    /// <summary>A number of 32 bits that is below a limit.</summary>
    public uint Below(uint limit)
    {
        uint value = U32();
        Check(value < limit);
        return value;
    }

    /// <summary>Numbers of 64 bits.</summary>
    public RecordReader U64s(ulong* values, int count)
    {
        for (int k = 0; k < count; k++)
            values[k] = U64();
        return this;
    }

    /// <summary>Bytes as they are.</summary>
    public RecordReader Bytes(Span<byte> bytes)
    {
        Take(bytes.Length).CopyTo(bytes);
        return this;
    }

    /// <summary>What a record must fulfil.</summary>
    public void Check(bool isValid)
    {
        if (!isValid)
            throw new InvalidDataException($"the saved domain's record '{Tag}' has an impossible value before byte {_at}");
    }

    private ReadOnlySpan<byte> Take(int count)
    {
        if (count > Rest)
            throw new InvalidDataException($"the saved domain's record '{Tag}' is shorter than its content");
        _at += count;
        return _bytes.AsSpan(_at - count, count);
    }
}
