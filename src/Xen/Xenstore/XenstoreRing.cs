using System.Runtime.InteropServices;
using FastXen.Events;

namespace FastXen.Xen.Xenstore;

/// <summary>
/// The store's end of a domain's ring page (xenstore_domain_interface of the public header io/xs_wire.h). The page is the guest's: its
/// indices are read once each time and checked, ours are kept here and only shown there.
/// </summary>
internal sealed unsafe class XenstoreRing : IEventSink
{
    private const int RingSize = 1024, RingMask = RingSize - 1;
    private const int RequestIndices = 2048, ResponseIndices = 2056;
    // Requests of one turn, so that a busy domain does not keep the others waiting.
    private const int Turn = 32;

    private readonly XenstoreServer server;
    private readonly Action<XenstoreRing> schedule;
    private readonly byte* page;
    private readonly byte[] input = new byte[MessageHeader.Size + MessageHeader.MaximumPayload];
    private int inputLength;
    private byte[] output = [];
    private int outputDone;
    private uint requestConsumer, responseProducer;

    /// <param name="server">The store.</param>
    /// <param name="domain">The domain at the other end.</param>
    /// <param name="page">The ring page, which stays where it is until the ring is closed.</param>
    /// <param name="schedule">Has <see cref="Serve"/> called soon, by one thread at a time.</param>
    public XenstoreRing(XenstoreServer server, ushort domain, byte* page, Action<XenstoreRing> schedule)
    {
        this.server = server;
        this.page = page;
        this.schedule = schedule;
        Connection = server.Connect(domain, this, isDomain: true);
        requestConsumer = Index(RequestIndices);
        responseProducer = Index(ResponseIndices + 4);
    }

    public XenstoreConnection Connection { get; }

    /// <summary>The guest broke the protocol and is not served any more (until it is introduced again).</summary>
    public bool IsBroken { get; private set; }

    /// <summary>Set while it waits for its turn.</summary>
    public int Scheduled;

    public void Signal() => schedule(this);

    /// <summary>Begins anew, with empty rings.</summary>
    public void Reset()
    {
        server.Reset(Connection);
        inputLength = 0;
        output = [];
        outputDone = 0;
        requestConsumer = responseProducer = 0;
        for (int offset = RequestIndices; offset < ResponseIndices + 8; offset += 4)
            SetIndex(offset, 0);
        IsBroken = false;
    }

    /// <summary>Moves what can be moved. True when the guest is to be notified; <paramref name="isDone"/>: false when there is more to do.</summary>
    public bool Serve(out bool isDone)
    {
        bool moved = false;
        isDone = true;
        for (int turn = 0; !IsBroken; turn++)
        {
            if (turn == Turn)
            {
                isDone = false;
                break;
            }
            moved |= Send(out bool isEmpty);
            // Requests wait until the guest has taken the replies: so that it cannot make us keep them.
            if (!isEmpty || !Receive(ref moved))
                break;
        }
        if (IsBroken)
            server.Reset(Connection);
        return moved;
    }

    /// <summary>Nothing is under way, as far as one can see: no request is halfway, the guest has all replies, or the ring is broken.</summary>
    public bool IsQuiet => IsBroken || (inputLength == 0 && outputDone == output.Length && Index(RequestIndices + 4) == requestConsumer && Connection.IsIdle);

    private bool Send(out bool isEmpty)
    {
        bool moved = false;
        isEmpty = false;
        while (true)
        {
            if (outputDone == output.Length)
            {
                outputDone = 0;
                if (!Connection.TryTake(out output))
                {
                    isEmpty = true;
                    return moved;
                }
            }
            uint used = responseProducer - Index(ResponseIndices);
            if (used > RingSize)
            {
                IsBroken = true;
                return moved;
            }
            int place = (int)(responseProducer & RingMask);
            int part = Math.Min(Math.Min(RingSize - (int)used, RingSize - place), output.Length - outputDone);
            if (part == 0)
                return moved;
            output.AsSpan(outputDone, part).CopyTo(new Span<byte>(page + RingSize + place, part));
            outputDone += part;
            responseProducer += (uint)part;
            SetIndex(ResponseIndices + 4, responseProducer);
            moved = true;
        }
    }

    // Takes bytes up to the end of one request. False when there is no whole one.
    private bool Receive(ref bool moved)
    {
        while (true)
        {
            int wanted = MessageHeader.Size;
            if (inputLength >= MessageHeader.Size)
            {
                MessageHeader header = MemoryMarshal.Read<MessageHeader>(input);
                if (header.Length > MessageHeader.MaximumPayload)
                {
                    IsBroken = true;
                    return false;
                }
                wanted += (int)header.Length;
                if (inputLength == wanted)
                {
                    inputLength = 0;
                    server.Process(Connection, header, input.AsSpan(MessageHeader.Size, (int)header.Length));
                    return true;
                }
            }
            uint filled = Index(RequestIndices + 4) - requestConsumer;
            if (filled > RingSize)
            {
                IsBroken = true;
                return false;
            }
            int place = (int)(requestConsumer & RingMask);
            int part = Math.Min(Math.Min((int)filled, RingSize - place), wanted - inputLength);
            if (part == 0)
                return false;
            new ReadOnlySpan<byte>(page + place, part).CopyTo(input.AsSpan(inputLength));
            inputLength += part;
            requestConsumer += (uint)part;
            SetIndex(RequestIndices, requestConsumer);
            moved = true;
        }
    }

    private uint Index(int offset) => Volatile.Read(ref *(uint*)(page + offset));

    private void SetIndex(int offset, uint value) => Volatile.Write(ref *(uint*)(page + offset), value);
}
