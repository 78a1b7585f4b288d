using FastXen.Platform.Dma;

namespace FastXen.Platform.Virtio;

/// <summary>
/// One request taken from a virtqueue: what the device reads, then what it writes. All segments are held from when the chain was taken
/// until it is completed. The object is the queue's and is used again for the next request.
/// </summary>
public sealed unsafe class DescriptorChain
{
    private readonly DeviceMemory memory;
    private readonly Segment[] segments;
    private int readableCount;
    private int count;
    private Segment indirect;

    internal DescriptorChain(DeviceMemory memory, int capacity)
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
    /// <remarks>Good until the request is completed.</remarks>
#pragma warning disable CA1822 // Of this chain's segments.
    public Span<byte> Span(Segment segment) => new((byte*)segment.Host, segment.Length);
#pragma warning restore CA1822

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
            memory.NotifyWritten(segment.Address + (ulong)offset, length);
            done += length;
            offset = 0;
        }
        return done;
    }

    /// <summary>Tells memory that the device wrote the start of a segment by its <see cref="Span"/>.</summary>
    public void NotifyWritten(Segment segment, int length) => memory.NotifyWritten(segment.Address, length);

    internal void Begin(ushort head)
    {
        Release();
        Head = head;
    }

    // Gives back what the chain holds.
    internal void Release()
    {
        for (int i = 0; i < count; i++)
            memory.Release(segments[i].Address, segments[i].Length, i < readableCount ? DmaAccess.Read : DmaAccess.Write);
        count = readableCount = 0;
        if (indirect.Length != 0)
            memory.Release(indirect.Address, indirect.Length, DmaAccess.Read);
        indirect = default;
    }

    // Takes hold of a table of descriptors: one for each chain.
    internal bool TryAddTable(ulong address, int length, out byte* table)
    {
        if (!memory.TryHold(address, length, DmaAccess.Read, out table))
            return false;
        indirect = new Segment(address, length);
        return true;
    }

    // False when the device cannot reach the segment, when it comes in the wrong order or is one too many.
    internal bool TryAdd(ulong address, uint length, bool writable)
    {
        if (length == 0)
            return true;
        if (count == segments.Length || length > int.MaxValue || (!writable && readableCount != count))
            return false;
        if (!memory.TryHold(address, (int)length, writable ? DmaAccess.Write : DmaAccess.Read, out byte* host))
            return false;
        segments[count++] = new Segment(address, (int)length) { Host = (nint)host };
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
