using FastXen.Xen.Backends;
using FastXen.Xen.Xenstore;

namespace FastXen.Xen.Tests.Backends;

/// <summary>A guest's block driver.</summary>
internal sealed unsafe class BlockFrontend(Guest guest, XenstoreServer server, uint number = 51712) : Frontend(guest, server, $"vbd/{number}")
{
    public const byte Read = 0, Write_ = 1, Barrier = 2, Flush = 3, Discard = 5, Indirect = 6;
    public const int Okay = 0, Error = -1, Unsupported = -2;
    private const int SlotSize = 112, Count = 128;
    private uint produced, consumed;
    private ulong lastId;

    public record struct Segment(uint Reference, byte First, byte Last);

    public ulong RingFrame { get; set; } = 10;

    public uint RingReference { get; private set; }

    public byte* Ring => Guest.Host(RingFrame);

    /// <summary>Writes the parameters and waits until the backend is connected.</summary>
    public void Connect()
    {
        Await(XenbusState.InitWait);
        Publish();
        SetState(XenbusState.Initialised);
        Await(XenbusState.Connected);
        SetState(XenbusState.Connected);
    }

    public void Publish()
    {
        InitializeRing(Ring);
        produced = consumed = 0;
        RingReference = Grant(RingFrame);
        Port = Guest.Domain.EventChannels.AllocateUnbound(DomainIds.Host);
        Write("ring-ref", RingReference);
        Write("event-channel", Port);
        Write("protocol", "ia64-abi");
    }

    public byte* NextSlot() => Ring + Slots + produced % Count * SlotSize;

    /// <summary>Puts a request into the ring; the backend sees it after <see cref="Push"/>.</summary>
    public ulong Put(byte operation, ulong sector, params ReadOnlySpan<Segment> segments)
    {
        byte* slot = NextSlot();
        slot[0] = operation;
        slot[1] = (byte)segments.Length;
        *(ushort*)(slot + 2) = 51712 & 0xffff;
        *(ulong*)(slot + 8) = ++lastId;
        *(ulong*)(slot + 16) = sector;
        for (int i = 0; i < Math.Min(segments.Length, 11); i++)
            PutSegment(slot + 24 + 8 * i, segments[i]);
        produced++;
        return lastId;
    }

    public static void PutSegment(byte* place, Segment segment)
    {
        *(uint*)place = segment.Reference;
        place[4] = segment.First;
        place[5] = segment.Last;
    }

    public ulong PutIndirect(byte operation, ulong sector, int count, uint list)
    {
        byte* slot = NextSlot();
        new Span<byte>(slot, SlotSize).Clear();
        slot[0] = Indirect;
        slot[1] = operation;
        *(ushort*)(slot + 2) = (ushort)count;
        *(ulong*)(slot + 8) = ++lastId;
        *(ulong*)(slot + 16) = sector;
        *(uint*)(slot + 28) = list;
        produced++;
        return lastId;
    }

    public ulong PutDiscard(ulong sector, ulong count)
    {
        Put(Discard, sector);
        *(ulong*)(Ring + Slots + (produced - 1) % Count * SlotSize + 24) = count;
        return lastId;
    }

    public void Push()
    {
        Volatile.Write(ref Index(Ring, RequestProducer), produced);
        Kick();
    }

    /// <summary>Waits for the next response; responses come in the order of their requests.</summary>
    public (ulong Id, int Operation, int Status) Take()
    {
        Await(() => Volatile.Read(ref Index(Ring, ResponseProducer)) != consumed);
        byte* slot = Ring + Slots + consumed++ % Count * SlotSize;
        Index(Ring, ResponseEvent) = consumed + 1;
        return (*(ulong*)slot, slot[8], *(short*)(slot + 10));
    }

    /// <summary>One request and its status.</summary>
    public int Do(byte operation, ulong sector, params ReadOnlySpan<Segment> segments)
    {
        ulong id = Put(operation, sector, segments);
        return Finish(id, operation);
    }

    public int Finish(ulong id, byte operation)
    {
        Push();
        (ulong Id, int Operation, int Status) response = Take();
        Assert.Equal((id, operation), (response.Id, response.Operation));
        return response.Status;
    }
}
