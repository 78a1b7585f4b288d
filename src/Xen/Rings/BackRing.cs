using System.Numerics;
using FastXen.Xen.Memory;

namespace FastXen.Xen.Rings;

/// <summary>
/// The backend's end of a shared ring of requests and responses in one frame (public header io/ring.h): four indices, then slots that
/// a request and its response use one after the other. The page is the guest's: requests are copied out, indices are read once and
/// checked, ours are kept here. One thread at a time.
/// </summary>
/// <param name="page">The page, which the caller keeps where it is.</param>
/// <param name="slotSize">Bytes of the larger one of a request and a response.</param>
public sealed unsafe class BackRing(byte* page, int slotSize)
{
    private const int RequestProducer = 0, RequestEvent = 4, ResponseProducer = 8, ResponseEvent = 12, Slots = 64;

    private uint requestConsumer = *(uint*)(page + ResponseProducer);
    private uint responseProducer = *(uint*)(page + ResponseProducer);
    private uint pushed = *(uint*)(page + ResponseProducer);

    /// <summary>Slots: the largest power of two that fits, as both ends compute it.</summary>
    public uint Count { get; } = (uint)BitOperations.RoundUpToPowerOf2((uint)((Frame.Size - Slots) / slotSize) + 1) / 2;

    /// <summary>The guest's index was impossible: nothing is taken any more.</summary>
    public bool IsBroken { get; private set; }

    /// <summary>Requests that were taken and have no response yet.</summary>
    public uint Pending => requestConsumer - responseProducer;

    /// <summary>Requests that wait to be taken.</summary>
    public uint Ready
    {
        get
        {
            uint ready = Index(RequestProducer) - requestConsumer;
            // More than there are slots, less those whose responses are still to come.
            if (ready > Count - Pending)
                IsBroken = true;
            return IsBroken ? 0 : ready;
        }
    }

    /// <summary>Copies the next request out. False when there is none.</summary>
    public bool TryTake(Span<byte> request)
    {
        if (Ready == 0)
            return false;
        new ReadOnlySpan<byte>(Slot(requestConsumer), slotSize)[..request.Length].CopyTo(request);
        requestConsumer++;
        return true;
    }

    /// <summary>Puts a response into the next slot; the guest sees it after <see cref="Push"/>. One for each request that was taken.</summary>
    public void Respond(ReadOnlySpan<byte> response)
    {
        if (Pending == 0)
            throw new InvalidOperationException("a response without a request");
        response.CopyTo(new Span<byte>(Slot(responseProducer), slotSize));
        responseProducer++;
    }

    /// <summary>Shows the responses. True when the guest asked to be notified of them.</summary>
    public bool Push()
    {
        uint before = pushed;
        pushed = responseProducer;
        SetIndex(ResponseProducer, pushed);
        // The guest writes its event index and then looks at ours; one of the two sees the other.
        Interlocked.MemoryBarrier();
        return pushed - Index(ResponseEvent) < pushed - before;
    }

    /// <summary>
    /// Asks to be notified when there is a request, or so many. True when they have come meanwhile: go on instead of waiting.
    /// </summary>
    public bool AskForEvent(uint requests = 1)
    {
        SetIndex(RequestEvent, requestConsumer + requests);
        Interlocked.MemoryBarrier();
        return Ready >= requests;
    }

    private byte* Slot(uint index) => page + Slots + (index & (Count - 1)) * slotSize;

    private uint Index(int offset) => Volatile.Read(ref *(uint*)(page + offset));

    private void SetIndex(int offset, uint value) => Volatile.Write(ref *(uint*)(page + offset), value);
}
