using System.Buffers.Binary;
using FastXen.Platform.Net.Switch;
using FastXen.Xen.EventChannels;
using FastXen.Xen.Grants;
using FastXen.Xen.Memory;
using FastXen.Xen.Rings;

namespace FastXen.Xen.Backends.Net;

/// <summary>The ring on which a guest takes frames: one thread at a time.</summary>
internal sealed unsafe class ReceiveRing(XenDomain domain, BackRing ring, HostChannel channel, VifFeatures features)
{
    /// <summary>Slots of request and response are as large.</summary>
    public const int SlotSize = 8;

    private const int ReferenceAt = 4;
    private const ushort DataValidated = 1, ChecksumBlank = 2, MoreData = 4, ExtraInfo = 8;
    private const byte ExtraSegmentation = 1, TcpIpv4 = 1;
    private const short Error = -1;

    // The largest frame's.
    private const int MaximumPages = 5;
    private const int MinimumFrame = 14;

    /// <summary>How the guest takes frames.</summary>
    public VifFeatures Features => features;

    /// <summary>The guest's index was impossible.</summary>
    public bool IsBroken => ring.IsBroken;

    /// <summary>False when the guest can never take such a frame.</summary>
    public bool CanTake(int length, FrameOffload offload) =>
        length is >= MinimumFrame and <= MaximumPages * Frame.Size && (length <= Frame.Size || features.TakesMany)
        && (offload.SegmentSize == 0 || (features.Link & LinkFeatures.LargeSegments) != 0)
        && (offload.Checksum != FrameChecksum.Blank || (features.Link & LinkFeatures.BlankChecksums) != 0);

    /// <summary>Gives the guest a frame if it has pages for it.</summary>
    public bool TryPut(ReadOnlySpan<byte> frame, FrameOffload offload)
    {
        int pages = Pages(frame.Length);
        bool isLarge = offload.SegmentSize != 0;
        if (ring.Ready < Slots(frame.Length, offload))
            return false;
        Span<byte> requests = stackalloc byte[(MaximumPages + 1) * SlotSize];
        bool isGood = true;
        for (int i = 0, slot = 0; i < pages; i++, slot++)
        {
            ring.TryTake(requests.Slice(slot * SlotSize, SlotSize));
            ReadOnlySpan<byte> piece = frame[(i << Frame.Shift)..];
            piece = piece[..Math.Min(piece.Length, Frame.Size)];
            isGood &= Put(piece, BinaryPrimitives.ReadUInt32LittleEndian(requests[(slot * SlotSize + ReferenceAt)..]));
            // What is said of a large segment takes the slot behind the first, whose page the guest gets back.
            if (i == 0 && isLarge)
                ring.TryTake(requests.Slice(++slot * SlotSize, SlotSize));
        }
        int flags = offload.Checksum switch
        {
            FrameChecksum.Blank => ChecksumBlank | DataValidated,
            FrameChecksum.Validated => DataValidated,
            _ => 0,
        };
        Span<byte> response = stackalloc byte[SlotSize];
        for (int i = 0, slot = 0; i < pages; i++, slot++)
        {
            int length = Math.Min(frame.Length - (i << Frame.Shift), Frame.Size);
            int more = i < pages - 1 ? MoreData : 0, extra = i == 0 && isLarge ? ExtraInfo : 0;
            response.Clear();
            requests.Slice(slot * SlotSize, sizeof(ushort)).CopyTo(response);
            BinaryPrimitives.WriteUInt16LittleEndian(response[4..], (ushort)((i == 0 ? flags : 0) | more | extra));
            BinaryPrimitives.WriteInt16LittleEndian(response[6..], isGood ? (short)length : Error);
            ring.Respond(response);
            if (extra == 0)
                continue;
            response.Clear();
            response[0] = ExtraSegmentation;
            BinaryPrimitives.WriteUInt16LittleEndian(response[2..], offload.SegmentSize);
            response[4] = TcpIpv4;
            ring.Respond(response);
            slot++;
        }
        return true;
    }

    /// <summary>Shows the guest what it was given.</summary>
    public void Push()
    {
        if (ring.Push())
            channel.Notify();
    }

    /// <summary>Asks to be told when there are pages for such a frame. True when they came meanwhile.</summary>
    public bool AskForEvent(int length, FrameOffload offload) => ring.AskForEvent(Slots(length, offload));

    private static int Pages(int length) => (length + Frame.Size - 1) >> Frame.Shift;

    private static uint Slots(int length, FrameOffload offload) => (uint)(Pages(length) + (offload.SegmentSize != 0 ? 1 : 0));

    private bool Put(ReadOnlySpan<byte> piece, uint reference) => GrantStatus.Okay ==
        (features.Copies ? domain.Grants.CopyFromHost(piece, reference, 0) : domain.Grants.TransferFromHost(piece, reference));
}
