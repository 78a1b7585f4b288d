namespace FastXen.Platform.Uart;

/// <summary>A bounded queue of bytes, which takes no more memory than was in it at a time. Not synchronised.</summary>
internal sealed class ByteQueue(int capacity)
{
    private const int FirstSize = 16;

    private byte[] bytes = new byte[Math.Min(capacity, FirstSize)];
    private int head;

    /// <summary>Bytes in the queue.</summary>
    public int Count { get; private set; }

    /// <summary>Bytes that still fit.</summary>
    public int Room => capacity - Count;

    /// <summary>Appends what fits; returns how many bytes.</summary>
    public int Enqueue(ReadOnlySpan<byte> source)
    {
        int taken = Math.Min(source.Length, Room);
        if (Count + taken > bytes.Length)
            Grow(Count + taken);
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

    private void Grow(int atLeast)
    {
        byte[] larger = new byte[Math.Min(Math.Max(2 * bytes.Length, atLeast), capacity)];
        int count = Dequeue(larger);
        (bytes, head, Count) = (larger, 0, count);
    }

    /// <summary>Drops everything.</summary>
    public void Clear() => Count = 0;
}
