using System.Buffers.Binary;
using System.Runtime.InteropServices;

namespace FastXen.Traces.Nettrace;

/// <summary>One event of a trace; valid only while its receiver looks at it.</summary>
/// <param name="shape">What it is.</param>
/// <param name="time">Nanoseconds since the trace began.</param>
/// <param name="thread">The host thread that wrote it.</param>
/// <param name="payload">Its fields.</param>
public readonly ref struct RecordedEvent(EventShape shape, long time, long thread, ReadOnlySpan<byte> payload)
{
    private readonly ReadOnlySpan<byte> payload = payload;

    /// <summary>What it is.</summary>
    public EventShape Shape { get; } = shape;

    /// <summary>Nanoseconds since the trace began.</summary>
    public long Time { get; } = time;

    /// <summary>The host thread that wrote it, as the kernel numbers it.</summary>
    public long Thread { get; } = thread;

    /// <summary>A whole number, zero-extended (int: sign-extended); 0 where there is no such field.</summary>
    public ulong Number(string field)
    {
        int index = Shape.IndexOf(field);
        if (index < 0)
            return 0;
        ReadOnlySpan<byte> bytes = Field(index);
        return bytes.Length switch
        {
            1 => bytes[0],
            2 => BinaryPrimitives.ReadUInt16LittleEndian(bytes),
            4 => Shape.Fields[index].Type == FieldType.Int32 ? (ulong)BinaryPrimitives.ReadInt32LittleEndian(bytes) : BinaryPrimitives.ReadUInt32LittleEndian(bytes),
            8 => BinaryPrimitives.ReadUInt64LittleEndian(bytes),
            _ => 0,
        };
    }

    /// <summary>As <see cref="Number"/>, an int.</summary>
    public int Int(string field) => (int)Number(field);

    /// <summary>A text; empty where there is no such field.</summary>
    public string Text(string field)
    {
        int index = Shape.IndexOf(field);
        return index < 0 || Shape.Fields[index].Type != FieldType.String ? "" : new string(MemoryMarshal.Cast<byte, char>(Field(index))).TrimEnd('\0');
    }

    // The bytes of a field; none where the payload ends before.
    private ReadOnlySpan<byte> Field(int index)
    {
        ReadOnlySpan<byte> rest = payload;
        for (int i = 0; ; i++)
        {
            FieldType type = Shape.Fields[i].Type;
            int size = type == FieldType.String ? TextSize(rest) : EventShape.SizeOf(type);
            if (size > rest.Length)
                return [];
            if (i == index)
                return rest[..size];
            rest = rest[size..];
        }
    }

    private static int TextSize(ReadOnlySpan<byte> rest)
    {
        int end = MemoryMarshal.Cast<byte, char>(rest).IndexOf('\0');
        return end < 0 ? rest.Length & ~1 : (end + 1) * sizeof(char);
    }
}
