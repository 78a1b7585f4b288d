using FastXen.Mmu;

namespace FastXen.Platform.Virtio;

/// <summary>
/// One request taken from a virtqueue: what the device reads, then what it writes. All segments were checked to be RAM when the chain
/// was taken. The object is the queue's and is used again for the next request.
/// </summary>
public sealed class DescriptorChain
{
    private readonly PhysicalMemory memory;
    private readonly Segment[] segments;
    private int readableCount;
    private int count;

    internal DescriptorChain(PhysicalMemory memory, int capacity)
    {
        this.memory = memory;
        segments = new Segment[capacity];
    }

    /// <summary>Index of the first descriptor: names the request in the used ring.</summary>
    public ushort Head { get; private set; }

    /// <summary>What the device may read.</summary>
    public ReadOnlySpan<Segment> Readable => segments.AsSpan(0, readableCount);

    /// <summary>What the device may write.</summary>
    public ReadOnlySpan<Segment> Writable => segments.AsSpan(readableCount, count - readableCount);

    /// <summary>Bytes that the device may read.</summary>
    public long ReadableLength => Sum(Readable);

    /// <summary>Bytes that the device may write.</summary>
    public long WritableLength => Sum(Writable);

    /// <summary>The memory of a segment.</summary>
    public Span<byte> Span(Segment segment) =>
        memory.TryGetSpan(segment.Address, segment.Length, out Span<byte> span) ? span : default;

    /// <summary>Copies from the readable part, from byte <paramref name="offset"/> of it; returns how many bytes there were.</summary>
    public int CopyFrom(long offset, Span<byte> destination)
    {
        int done = 0;
        foreach (Segment segment in Readable)
        {
            if (done == destination.Length)
                break;
            if (offset >= segment.Length)
            {
                offset -= segment.Length;
                continue;
            }
            Span<byte> source = Span(segment)[(int)offset..];
            int length = Math.Min(source.Length, destination.Length - done);
            source[..length].CopyTo(destination[done..]);
            done += length;
            offset = 0;
        }
        return done;
    }

    /// <summary>Copies to the writable part, from byte <paramref name="offset"/> of it; returns how many bytes fitted.</summary>
    public int CopyTo(long offset, ReadOnlySpan<byte> source)
    {
        int done = 0;
        foreach (Segment segment in Writable)
        {
            if (done == source.Length)
                break;
            if (offset >= segment.Length)
            {
                offset -= segment.Length;
                continue;
            }
            Span<byte> destination = Span(segment)[(int)offset..];
            int length = Math.Min(destination.Length, source.Length - done);
            source.Slice(done, length).CopyTo(destination);
            memory.NotifyWritten(segment.Address + (ulong)offset, (ulong)length);
            done += length;
            offset = 0;
        }
        return done;
    }

    /// <summary>Tells memory that the device wrote the start of a segment by its <see cref="Span"/>.</summary>
    public void NotifyWritten(Segment segment, int length) => memory.NotifyWritten(segment.Address, (ulong)length);

    internal void Begin(ushort head)
    {
        Head = head;
        count = readableCount = 0;
    }

    // False when the segment is not RAM, comes in the wrong order or is one too many.
    internal bool TryAdd(ulong address, uint length, bool writable)
    {
        if (length == 0)
            return true;
        if (count == segments.Length || length > int.MaxValue || !memory.IsRam(address, length))
            return false;
        if (!writable && readableCount != count)
            return false;
        segments[count++] = new Segment(address, (int)length);
        if (!writable)
            readableCount++;
        return true;
    }

    private static long Sum(ReadOnlySpan<Segment> segments)
    {
        long sum = 0;
        foreach (Segment segment in segments)
            sum += segment.Length;
        return sum;
    }
}
