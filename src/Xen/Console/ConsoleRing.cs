namespace FastXen.Xen.Console;

/// <summary>
/// The host's end of a domain's console page (xencons_interface of the public header io/console.h). The page is the guest's: an index
/// that cannot be is taken for an empty or a full ring, and the host goes on with its own. One thread at a time on each side.
/// </summary>
public sealed unsafe class ConsoleRing
{
    /// <summary>Bytes of input that the ring holds.</summary>
    public const int InputSize = 1024;

    /// <summary>Bytes of output that the ring holds.</summary>
    public const int OutputSize = 2048;

    private const int OutputOffset = InputSize;
    private const int InputConsumer = 3072, InputProducer = 3076, OutputConsumer = 3080, OutputProducer = 3084;

    private readonly byte* page;
    private uint inputProducer, outputConsumer;

    /// <summary>Takes over a page, which the caller keeps where it is.</summary>
    public ConsoleRing(byte* page)
    {
        this.page = page;
        inputProducer = Index(InputProducer);
        outputConsumer = Index(OutputConsumer);
    }

    /// <summary>
    /// Takes what the guest wrote, as much as fits. 0 as well when the guest's index
    /// is impossible: then what it claims to have written is skipped.
    /// </summary>
    public int Read(Span<byte> destination)
    {
        uint producer = Index(OutputProducer);
        uint filled = producer - outputConsumer;
        if (filled > OutputSize)
        {
            outputConsumer = producer;
            SetIndex(OutputConsumer, producer);
            return 0;
        }
        int count = Math.Min((int)filled, destination.Length);
        int place = (int)(outputConsumer % OutputSize);
        int first = Math.Min(count, OutputSize - place);
        new ReadOnlySpan<byte>(page + OutputOffset + place, first).CopyTo(destination);
        new ReadOnlySpan<byte>(page + OutputOffset, count - first).CopyTo(destination[first..]);
        outputConsumer += (uint)count;
        SetIndex(OutputConsumer, outputConsumer);
        return count;
    }

    /// <summary>At least half of the place for output is in use: a guest may be waiting for room.</summary>
    public bool IsFilling => Index(OutputProducer) - outputConsumer >= OutputSize / 2;

    /// <summary>Gives the guest input; returns how many bytes fit. It is to be notified when there are any.</summary>
    public int Write(ReadOnlySpan<byte> source)
    {
        uint used = inputProducer - Index(InputConsumer);
        // An impossible index: as if full, until the guest mends it.
        if (used >= InputSize)
            return 0;
        int count = Math.Min(InputSize - (int)used, source.Length);
        int place = (int)(inputProducer % InputSize);
        int first = Math.Min(count, InputSize - place);
        source[..first].CopyTo(new Span<byte>(page + place, first));
        source[first..count].CopyTo(new Span<byte>(page, count - first));
        inputProducer += (uint)count;
        SetIndex(InputProducer, inputProducer);
        return count;
    }

    private uint Index(int offset) => Volatile.Read(ref *(uint*)(page + offset));

    private void SetIndex(int offset, uint value) => Volatile.Write(ref *(uint*)(page + offset), value);
}
