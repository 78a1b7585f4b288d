namespace FastXen.Platform.Net.Nat;

/// <summary>A bounded queue of bytes that can be read without being taken: a TCP buffer. Memory grows with use.</summary>
internal sealed class ByteRing(int capacity)
{
    private const int FirstSize = 4096;

    private byte[] bytes = [];
    private int head;

    public int Count { get; private set; }

    public int Room => capacity - Count;

    /// <summary>Appends; there is room.</summary>
    public void Append(ReadOnlySpan<byte> source)
    {
        if (Count + source.Length > bytes.Length)
            Grow(Count + source.Length);
        int tail = (head + Count) % Math.Max(bytes.Length, 1);
        int first = Math.Min(source.Length, bytes.Length - tail);
        source[..first].CopyTo(bytes.AsSpan(tail));
        source[first..].CopyTo(bytes);
        Count += source.Length;
    }

    /// <summary>Copies bytes from an offset; they are there.</summary>
    public void Peek(int offset, Span<byte> destination)
    {
        int start = (head + offset) % Math.Max(bytes.Length, 1);
        int first = Math.Min(destination.Length, bytes.Length - start);
        bytes.AsSpan(start, first).CopyTo(destination);
        bytes.AsSpan(0, destination.Length - first).CopyTo(destination[first..]);
    }

    /// <summary>Drops the oldest bytes.</summary>
    public void Skip(int count)
    {
        head = (head + count) % Math.Max(bytes.Length, 1);
        Count -= count;
    }

    private void Grow(int needed)
    {
        byte[] larger = new byte[Math.Min(capacity, Math.Max(FirstSize, (int)System.Numerics.BitOperations.RoundUpToPowerOf2((uint)needed)))];
        Peek(0, larger.AsSpan(0, Count));
        bytes = larger;
        head = 0;
    }
}
