using System.Buffers.Binary;
using FastXen.Platform.Net.Switch;
using FastXen.Xen.EventChannels;
using FastXen.Xen.Grants;
using FastXen.Xen.Memory;
using FastXen.Xen.Rings;

namespace FastXen.Xen.Backends.Net;

/// <summary>The ring on which a guest sends frames: one thread at a time. A frame is copied, so that it cannot change, and answered.</summary>
internal sealed class TransmitRing(XenDomain domain, BackRing ring, HostChannel channel)
{
    /// <summary>Bytes of a request; a response is smaller.</summary>
    public const int SlotSize = 12;

    /// <summary>Bytes of a frame at most: its size is a 16-bit number.</summary>
    public const int MaximumFrame = ushort.MaxValue;

    // Offsets in a request, in a response, and in extra information.
    private const int OffsetAt = 4, FlagsAt = 6, IdAt = 8, SizeAt = 10, ResponseSize = 4;
    private const int TypeAt = 0, ExtraFlagsAt = 1, SegmentSizeAt = 2, SegmentTypeAt = 4;
    private const ushort ChecksumBlank = 1, DataValidated = 2, MoreData = 4, ExtraInfo = 8;
    private const byte ExtraSegmentation = 1, ExtraTypes = 4, MoreExtra = 1, TcpIpv4 = 1;
    private const short Okay = 0, Error = -1, Null = 1;

    // Frontends use at most 18 slots for a frame, and one of extra information.
    private const int MaximumSlots = 32;
    private const int MinimumFrame = 14;

    private readonly byte[] requests = new byte[MaximumSlots * SlotSize];
    private readonly bool[] isExtra = new bool[MaximumSlots];

    /// <summary>The guest's index was impossible.</summary>
    public bool IsBroken => ring.IsBroken;

    /// <summary>Something waits; false after the guest was asked to tell when there is.</summary>
    public bool HasMore() => ring.Ready > 0 || ring.AskForEvent();

    /// <summary>Takes the next frame and answers it. Its length, 0 for one that was refused, or -1 when there is none.</summary>
    public int Take(Span<byte> frame, out FrameOffload offload)
    {
        offload = default;
        int slots = Collect();
        if (slots == 0)
            return -1;
        int length = slots <= MaximumSlots ? Assemble(slots, frame, out offload) : 0;
        for (int i = 0; i < Math.Min(slots, MaximumSlots); i++)
            Respond(requests.AsSpan(i * SlotSize), isExtra[i] ? Null : length > 0 ? Okay : Error);
        if (ring.Push())
            channel.Notify();
        return length;
    }

    // Takes the slots of a frame; more than the most are answered at once, as refused.
    private int Collect()
    {
        int count = 0;
        bool isData = true, more = true, moreData = false;
        Span<byte> surplus = stackalloc byte[SlotSize];
        while (more)
        {
            Span<byte> request = count < MaximumSlots ? requests.AsSpan(count * SlotSize, SlotSize) : surplus;
            if (!ring.TryTake(request))
            {
                // A frame without its end.
                if (count > 0)
                    count = Refuse(count);
                break;
            }
            bool extraFollows = false;
            if (isData)
            {
                ushort flags = BinaryPrimitives.ReadUInt16LittleEndian(request[FlagsAt..]);
                // Only the first says what is behind the extra information.
                extraFollows = count == 0 && (flags & ExtraInfo) != 0;
                moreData = (flags & MoreData) != 0;
            }
            else
            {
                extraFollows = (request[ExtraFlagsAt] & MoreExtra) != 0;
            }
            if (count < MaximumSlots)
                isExtra[count] = !isData;
            else
                Respond(surplus, isData ? Error : Null);
            count++;
            isData = !extraFollows;
            more = extraFollows || moreData;
        }
        return count;
    }

    // Marks a frame so that it is refused as a whole.
    private int Refuse(int count)
    {
        BinaryPrimitives.WriteUInt16LittleEndian(requests.AsSpan(SizeAt), 0);
        return count;
    }

    private int Assemble(int slots, Span<byte> frame, out FrameOffload offload)
    {
        offload = default;
        int total = Size(0), first = total;
        ushort flags = BinaryPrimitives.ReadUInt16LittleEndian(requests.AsSpan(FlagsAt)), segment = 0;
        for (int i = 1; i < slots; i++)
        {
            ReadOnlySpan<byte> request = requests.AsSpan(i * SlotSize, SlotSize);
            if (!isExtra[i])
                first -= Size(i);
            else if (request[TypeAt] is 0 or >= ExtraTypes)
                return 0;
            else if (request[TypeAt] != ExtraSegmentation)
                continue;
            else if (request[SegmentTypeAt] != TcpIpv4 || (segment = BinaryPrimitives.ReadUInt16LittleEndian(request[SegmentSizeAt..])) == 0)
                return 0;
        }
        // The first slot has the size of all.
        if (total < MinimumFrame || first < 0)
            return 0;
        int done = 0;
        for (int i = 0; i < slots; i++)
        {
            if (isExtra[i])
                continue;
            ReadOnlySpan<byte> request = requests.AsSpan(i * SlotSize, SlotSize);
            int size = i == 0 ? first : Size(i), offset = BinaryPrimitives.ReadUInt16LittleEndian(request[OffsetAt..]);
            uint reference = BinaryPrimitives.ReadUInt32LittleEndian(request);
            if (offset + size > Frame.Size || domain.Grants.CopyToHost(reference, offset, frame.Slice(done, size)) != GrantStatus.Okay)
                return 0;
            done += size;
        }
        FrameChecksum checksum = (flags & ChecksumBlank) != 0 ? FrameChecksum.Blank
            : (flags & DataValidated) != 0 ? FrameChecksum.Validated : FrameChecksum.Unchecked;
        // The checksums of segments are always made when they are cut.
        offload = new FrameOffload(segment != 0 ? FrameChecksum.Blank : checksum, segment);
        return total;
    }

    private int Size(int slot) => BinaryPrimitives.ReadUInt16LittleEndian(requests.AsSpan(slot * SlotSize + SizeAt));

    private void Respond(ReadOnlySpan<byte> request, short status)
    {
        Span<byte> response = stackalloc byte[ResponseSize];
        request.Slice(IdAt, sizeof(ushort)).CopyTo(response);
        BinaryPrimitives.WriteInt16LittleEndian(response[2..], status);
        ring.Respond(response);
    }
}
