using System.Buffers;
using FastXen.Events;

namespace FastXen.Platform.Net.Switch;

/// <summary>Gives frames to ends that cannot deal with all offloads.</summary>
public static class LinkEnds
{
    /// <summary>As <see cref="ILinkEnd.Take"/>, with checksums put in and large segments cut where the end cannot do it.</summary>
    public static bool Give(this ILinkEnd end, ReadOnlySpan<byte> frame, FrameOffload offload, IEventSink? waiter)
    {
        ArgumentNullException.ThrowIfNull(end);
        LinkFeatures features = end.Features;
        if (offload.SegmentSize != 0 && (features & LinkFeatures.LargeSegments) == 0)
            return Cut(end, frame, offload, waiter);
        if (offload.Checksum != FrameChecksum.Blank || (features & LinkFeatures.BlankChecksums) != 0)
            return end.Take(frame, offload, waiter);
        byte[] whole = ArrayPool<byte>.Shared.Rent(frame.Length);
        Span<byte> copy = whole.AsSpan(0, frame.Length);
        frame.CopyTo(copy);
        if (InternetFrame.TryParse(copy, out InternetFrame parsed))
            parsed.PutChecksum(copy);
        bool isTaken = end.Take(copy, offload with { Checksum = FrameChecksum.Validated }, waiter);
        ArrayPool<byte>.Shared.Return(whole);
        return isTaken;
    }

    // Only the first segment waits: an end that has room for it has room, or loses some, as networks do.
    private static bool Cut(ILinkEnd end, ReadOnlySpan<byte> frame, FrameOffload offload, IEventSink? waiter)
    {
        byte[] buffer = ArrayPool<byte>.Shared.Rent(frame.Length);
        var segments = new TcpSegments(frame, offload.SegmentSize, buffer);
        bool isTaken = true;
        for (bool isFirst = true; segments.Next(out Span<byte> segment); isFirst = false)
        {
            bool took = end.Take(segment, new FrameOffload(FrameChecksum.Validated), isFirst ? waiter : null);
            if (!isFirst)
                continue;
            isTaken = took;
            if (!took)
                break;
        }
        ArrayPool<byte>.Shared.Return(buffer);
        return isTaken;
    }
}
