namespace FastXen.Platform.Uart;

/// <summary>A bounded queue of bytes. Not synchronised.</summary>
internal sealed class ByteQueue(int capacity)
{
    private readonly byte[] bytes = new byte[capacity];
    private int head;

    /// <summary>Bytes in the queue.</summary>
    public int Count { get; private set; }

    /// <summary>Bytes that still fit.</summary>
    public int Room => bytes.Length - Count;

    /// <summary>Appends what fits; returns how many bytes.</summary>
    public int Enqueue(ReadOnlySpan<byte> source)
    {
        int taken = Math.Min(source.Length, Room);
        for (int i = 0; i < taken; i++)
            bytes[(head + Count + i) % bytes.Length] = source[i];
        Count += taken;
        return taken;
    }

    /// <summary>Takes the oldest byte.</summary>
    public bool TryDequeue(out byte value)
    {
        value = bytes[head];
        if (Count == 0)
            return false;
        head = (head + 1) % bytes.Length;
        Count--;
        return true;
    }

    /// <summary>Takes the oldest bytes; returns how many.</summary>
    public int Dequeue(Span<byte> destination)
    {
        int taken = 0;
        while (taken < destination.Length && TryDequeue(out byte value))
            destination[taken++] = value;
        return taken;
    }

    /// <summary>Drops everything.</summary>
    public void Clear() => Count = 0;
}
