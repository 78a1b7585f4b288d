using System.Buffers.Binary;
using FastXen.Xen.Backends;
using FastXen.Xen.Memory;
using FastXen.Xen.Xenstore;

namespace FastXen.Xen.Tests.Backends;

/// <summary>A guest's network driver.</summary>
internal sealed unsafe class NetFrontend(Guest guest, XenstoreServer server, uint handle = 0) : Frontend(guest, server, $"vif/{handle}")
{
    public const ushort ChecksumBlank = 1, DataValidated = 2, MoreData = 4, ExtraInfo = 8;
    public const ushort ReceivedValidated = 1, ReceivedBlank = 2;
    private const int TransmitSize = 12, ReceiveSize = 8, Count = 1024;
    private const ulong TransmitFrame = 10, ReceiveFrame = 11, FirstTransmitPage = 20, FirstReceivePage = 40;
    private const int TransmitPages = 20;

    private readonly Queue<ulong> freePages = new(Enumerable.Range((int)FirstReceivePage, 60).Select(n => (ulong)n));
    private readonly Dictionary<ushort, (uint Reference, ulong Page)> posted = [];
    private uint sent, answered, offered, received;
    private ushort lastId;

    public record struct Received(byte[] Bytes, int Flags, int SegmentSize, int Slots);

    public record struct Part(uint Reference, int Offset, int Size, int Flags);

    public byte* TransmitPage => Guest.Host(TransmitFrame);

    public byte* ReceivePage => Guest.Host(ReceiveFrame);

    /// <summary>Pages are given to it, not copied into.</summary>
    public bool Flips { get; init; }

    public uint TransmitReference { get; private set; }

    public uint ReceiveReference { get; private set; }

    public int PostedPages => posted.Count;

    public void Connect(bool many = true, bool large = true, bool blank = true)
    {
        Await(XenbusState.InitWait);
        Publish();
        Write("request-rx-copy", Flips ? 0 : 1);
        Write("feature-rx-notify", 1);
        Write("feature-sg", many ? 1 : 0);
        Write("feature-gso-tcpv4", large ? 1 : 0);
        Write("feature-no-csum-offload", blank ? 0 : 1);
        SetState(XenbusState.Connected);
        Await(XenbusState.Connected);
    }

    public void Publish()
    {
        InitializeRing(TransmitPage);
        InitializeRing(ReceivePage);
        sent = answered = offered = received = 0;
        foreach ((_, ulong page) in posted.Values)
            freePages.Enqueue(page);
        posted.Clear();
        TransmitReference = Grant(TransmitFrame);
        ReceiveReference = Grant(ReceiveFrame);
        Port = Guest.Domain.EventChannels.AllocateUnbound(DomainIds.Host);
        Write("tx-ring-ref", TransmitReference);
        Write("rx-ring-ref", ReceiveReference);
        Write("event-channel", Port);
    }

    /// <summary>Puts a slot into the ring.</summary>
    public ushort PutSlot(Part part)
    {
        byte* slot = TransmitPage + Slots + sent % Count * TransmitSize;
        *(uint*)slot = part.Reference;
        *(ushort*)(slot + 4) = (ushort)part.Offset;
        *(ushort*)(slot + 6) = (ushort)part.Flags;
        *(ushort*)(slot + 8) = ++lastId;
        *(ushort*)(slot + 10) = (ushort)part.Size;
        sent++;
        return lastId;
    }

    public void PutExtra(byte type, byte flags, ushort segmentSize, byte segmentType)
    {
        byte* slot = TransmitPage + Slots + sent % Count * TransmitSize;
        new Span<byte>(slot, TransmitSize).Clear();
        slot[0] = type;
        slot[1] = flags;
        *(ushort*)(slot + 2) = segmentSize;
        slot[4] = segmentType;
        sent++;
    }

    public void PushTransmit()
    {
        Volatile.Write(ref Index(TransmitPage, RequestProducer), sent);
        Kick();
    }

    /// <summary>Sends a frame, cut over pages, and waits until it was taken. Returns the status of its first slot.</summary>
    public int Send(ReadOnlySpan<byte> frame, int flags = 0, ushort segmentSize = 0, int pieceSize = Frame.Size)
    {
        Put(frame, flags, segmentSize, pieceSize);
        PushTransmit();
        return Finish();
    }

    /// <summary>Puts a frame into pages and the ring.</summary>
    public void Put(ReadOnlySpan<byte> frame, int flags = 0, ushort segmentSize = 0, int pieceSize = Frame.Size, ulong firstPage = FirstTransmitPage)
    {
        int pieces = Math.Max(1, (frame.Length + pieceSize - 1) / pieceSize);
        Assert.InRange(pieces, 1, TransmitPages);
        for (int i = 0; i < pieces; i++)
        {
            ReadOnlySpan<byte> piece = frame[(i * pieceSize)..];
            piece = piece[..Math.Min(piece.Length, pieceSize)];
            int offset = (Frame.Size - piece.Length) / 2;
            ulong gpfn = firstPage + (ulong)i;
            piece.CopyTo(new Span<byte>(Guest.Host(gpfn) + offset, piece.Length));
            int more = i < pieces - 1 ? MoreData : 0, extra = i == 0 && segmentSize != 0 ? ExtraInfo : 0;
            PutSlot(new Part(Grant(gpfn, isReadOnly: true), offset, i == 0 ? frame.Length : piece.Length, more | extra | (i == 0 ? flags : 0)));
            if (extra != 0)
                PutExtra(1, 0, segmentSize, 1);
        }
    }

    /// <summary>Waits until all slots were answered; the status of the first that was not yet.</summary>
    public int Finish()
    {
        int? status = null;
        while (answered != sent)
        {
            int next = TakeAnswer();
            status ??= next;
        }
        return status ?? 0;
    }

    public bool IsAnswered => Volatile.Read(ref Index(TransmitPage, ResponseProducer)) == sent;

    public int TakeAnswer()
    {
        Await(() => Volatile.Read(ref Index(TransmitPage, ResponseProducer)) != answered);
        byte* slot = TransmitPage + Slots + answered++ % Count * TransmitSize;
        Index(TransmitPage, ResponseEvent) = answered + 1;
        return *(short*)(slot + 2);
    }

    /// <summary>Offers pages for frames.</summary>
    public void Post(int pages)
    {
        for (int i = 0; i < pages; i++)
        {
            ulong page = freePages.Dequeue();
            uint reference;
            if (Flips)
            {
                Assert.True(Guest.Memory.Release(page));
                reference = Grant(page, flags: 2);
            }
            else
            {
                reference = Grant(page);
            }
            byte* slot = ReceivePage + Slots + offered % Count * ReceiveSize;
            *(ushort*)slot = (ushort)(offered % Count);
            *(uint*)(slot + 4) = reference;
            posted[(ushort)(offered % Count)] = (reference, page);
            offered++;
        }
        Volatile.Write(ref Index(ReceivePage, RequestProducer), offered);
        Kick();
    }

    /// <summary>Offers a page by a reference of the test's.</summary>
    public void PostReference(uint reference)
    {
        byte* slot = ReceivePage + Slots + offered % Count * ReceiveSize;
        *(ushort*)slot = (ushort)(offered % Count);
        *(uint*)(slot + 4) = reference;
        posted[(ushort)(offered % Count)] = (reference, freePages.Dequeue());
        offered++;
        Volatile.Write(ref Index(ReceivePage, RequestProducer), offered);
        Kick();
    }

    public bool HasReceived => Volatile.Read(ref Index(ReceivePage, ResponseProducer)) != received;

    /// <summary>Takes the next frame; null for one that failed.</summary>
    public Received? Receive()
    {
        var bytes = new List<byte>();
        int first = 0, segmentSize = 0, slots = 0;
        bool more = true, failed = false;
        while (more)
        {
            Await(() => HasReceived);
            byte* slot = ReceivePage + Slots + received % Count * ReceiveSize;
            Assert.Equal(received % Count, *(ushort*)slot);
            (uint reference, ulong page) = posted[*(ushort*)slot];
            Take(reference, page);
            int offset = *(ushort*)(slot + 2), flags = *(ushort*)(slot + 4), status = *(short*)(slot + 6);
            failed |= status < 0;
            if (status > 0)
                bytes.AddRange(new Span<byte>(Guest.Host(page) + offset, status));
            if (slots++ == 0)
                first = flags;
            if ((flags & ExtraInfo) != 0)
            {
                Await(() => HasReceived);
                slots++;
                slot = ReceivePage + Slots + received % Count * ReceiveSize;
                ushort id = (ushort)(received % Count);
                Assert.Equal((1, 0, 1), (slot[0], slot[1], slot[4]));
                segmentSize = *(ushort*)(slot + 2);
                Take(posted[id].Reference, posted[id].Page);
            }
            more = (flags & MoreData) != 0;
        }
        Index(ReceivePage, ResponseEvent) = received + 1;
        return failed ? null : new Received([.. bytes], first & 3, segmentSize, slots);
    }

    // Takes a page back.
    private void Take(uint reference, ulong page)
    {
        posted.Remove((ushort)(received % Count));
        received++;
        freePages.Enqueue(page);
        int flags = Flags(reference);
        Assert.Equal(0, flags & 0x18 & (Flips ? 0x10 : 0x18));
        if (Flips && Guest.Host(page) == null)
            Assert.True(Guest.Memory.Populate(page));
        Entry(reference)[0] = 0;
    }

    /// <summary>An Ethernet frame of a type of our own.</summary>
    public static byte[] Plain(ulong to, ulong from, int length, byte fill)
    {
        var frame = new byte[length];
        Array.Fill(frame, fill);
        Address(to).CopyTo(frame, 0);
        Address(from).CopyTo(frame, 6);
        BinaryPrimitives.WriteUInt16BigEndian(frame.AsSpan(12), 0x88b5);
        return frame;
    }

    public static byte[] Address(ulong value)
    {
        var bytes = new byte[8];
        BinaryPrimitives.WriteUInt64BigEndian(bytes, value);
        return bytes[2..];
    }
}
