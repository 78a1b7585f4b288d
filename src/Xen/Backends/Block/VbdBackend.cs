using System.Buffers.Binary;
using FastXen.Platform.Block;
using FastXen.Xen.Grants;
using FastXen.Xen.Memory;
using FastXen.Xen.Rings;
using FastXen.Xen.Xenstore;

namespace FastXen.Xen.Backends.Block;

/// <summary>
/// A virtual block device: requests of the public header io/blkif.h on a disk of the host, straight between the disk and the guest's
/// pages. Requests are done one after the other, in their order.
/// </summary>
public sealed unsafe class VbdBackend : BackendDevice
{
    /// <summary>Segments of an indirect request at most; their list fits in one frame.</summary>
    public const int MaximumIndirectSegments = 256;

    // The larger of request and response, and offsets in a request of 64-bit guests.
    private const int SlotSize = 112, ResponseSize = 16, IdAt = 8, SectorAt = 16, CountAt = 24, SegmentsAt = 24, ListAt = 28;
    private const int SegmentSize = 8, MaximumSegments = 11;

    private const byte ReadRequest = 0, WriteRequest = 1, BarrierRequest = 2, FlushRequest = 3, DiscardRequest = 5, IndirectRequest = 6;
    private const short Okay = 0, Error = -1, Unsupported = -2;

    private const int SectorShift = 9;
    private const int CdromInfo = 1, RemovableInfo = 2, ReadOnlyInfo = 4;

    // Requests between two turns of other devices.
    private const int Turn = 32;

    private readonly DiskAttachment disk;
    private readonly IBlockBackend image;
    private readonly bool isReadOnly;
    private BackRing? ring;
    private uint ringReference;
    private long bytesRead, bytesWritten, requests, errors;

    internal VbdBackend(XenstoreServer store, XenDomain domain, DiskAttachment disk)
        : base(store, domain, "vbd", VirtualDiskName.Parse(disk.Name))
    {
        this.disk = disk;
        image = disk.Image;
        isReadOnly = disk.IsReadOnly || image.IsReadOnly;
    }

    /// <inheritdoc/>
    public override bool IsBroken => ring is { IsBroken: true };

    /// <summary>Bytes that the guest has read.</summary>
    public long BytesRead => Volatile.Read(ref bytesRead);

    /// <summary>Bytes that the guest has written.</summary>
    public long BytesWritten => Volatile.Read(ref bytesWritten);

    /// <summary>Requests that were answered.</summary>
    public long Requests => Volatile.Read(ref requests);

    /// <summary>Requests that were answered with an error.</summary>
    public long Errors => Volatile.Read(ref errors);

    private long Sectors => image.Length >> SectorShift;

    private protected override void DescribeBack()
    {
        Tell("dev", disk.Name);
        Tell("device-type", disk.IsCdrom ? "cdrom" : "disk");
        Tell("type", "file");
        Tell("mode", isReadOnly ? "r" : "w");
        Tell("removable", disk.IsCdrom ? 1 : 0);
        Tell("feature-barrier", isReadOnly ? 0 : 1);
        Tell("feature-flush-cache", isReadOnly ? 0 : 1);
        Tell("feature-discard", isReadOnly ? 0 : 1);
        Tell("feature-max-indirect-segments", MaximumIndirectSegments);
        Tell("sectors", Sectors);
        Tell("sector-size", IBlockBackend.SectorSize);
        Tell("info", (disk.IsCdrom ? CdromInfo | RemovableInfo : 0) | (isReadOnly ? ReadOnlyInfo : 0));
        Tell("hotplug-status", "connected");
    }

    private protected override void DescribeFront()
    {
        Give("virtual-device", Text(Number));
        Give("device-type", disk.IsCdrom ? "cdrom" : "disk");
    }

    private protected override string? ReadParameters() =>
        Ask("ring-ref") is { } reference && Ask("event-channel") is { } port ? $"ring-ref {reference}, event-channel {port}" : null;

    private protected override bool Connect()
    {
        ringReference = Ask("ring-ref") ?? 0;
        if (Domain.Grants.MapToHost(ringReference, isReadOnly: false, out byte* page) != GrantStatus.Okay)
            return false;
        ring = new BackRing(page, SlotSize);
        return true;
    }

    private protected override void Disconnect()
    {
        if (ring == null)
            return;
        ring = null;
        Domain.Grants.UnmapFromHost(ringReference, isReadOnly: false);
    }

    private protected override void LetGo()
    {
        try
        {
            if (!isReadOnly)
                image.Flush();
        }
        catch (IOException e)
        {
            Report($"disk {disk.Name} of domain {Domain.Id} cannot be written back: {e.Message}");
        }
        if (disk.OwnsImage)
            image.Dispose();
    }

    private protected override bool Serve()
    {
        BackRing requestRing = ring!;
        Span<byte> request = stackalloc byte[SlotSize];
        for (int i = 0; i < Turn; i++)
        {
            if (!requestRing.TryTake(request))
            {
                if (!requestRing.AskForEvent())
                    return false;
                continue;
            }
            short status = Do(request);
            Interlocked.Increment(ref requests);
            if (status != Okay)
                Interlocked.Increment(ref errors);
            Respond(requestRing, request, status);
        }
        return true;
    }

    private void Respond(BackRing to, ReadOnlySpan<byte> request, short status)
    {
        Span<byte> response = stackalloc byte[ResponseSize];
        response.Clear();
        request.Slice(IdAt, sizeof(ulong)).CopyTo(response);
        response[8] = request[0];
        BinaryPrimitives.WriteInt16LittleEndian(response[10..], status);
        to.Respond(response);
        if (to.Push())
            Channel?.Notify();
    }

    private short Do(ReadOnlySpan<byte> request)
    {
        try
        {
            int count = request[1];
            ulong sector = BinaryPrimitives.ReadUInt64LittleEndian(request[SectorAt..]);
            switch (request[0])
            {
                case ReadRequest or WriteRequest when count is > 0 and <= MaximumSegments:
                    return Transfer(request.Slice(SegmentsAt, count * SegmentSize), sector, isWrite: request[0] == WriteRequest);
                case BarrierRequest or FlushRequest when !isReadOnly && count <= MaximumSegments:
                    return Order(request.Slice(SegmentsAt, count * SegmentSize), sector);
                case IndirectRequest:
                    return DoIndirect(request, sector);
                case DiscardRequest when !isReadOnly:
                    return Discard(sector, BinaryPrimitives.ReadUInt64LittleEndian(request[CountAt..]));
                case ReadRequest or WriteRequest or BarrierRequest or FlushRequest:
                    return Error;
                default:
                    return Unsupported;
            }
        }
        catch (IOException e)
        {
            Report($"disk {disk.Name} of domain {Domain.Id}: {e.Message}");
            return Error;
        }
    }

    // What was written before is permanent before this is written, and this before the answer.
    private short Order(ReadOnlySpan<byte> segments, ulong sector)
    {
        image.Flush();
        if (segments.IsEmpty)
            return Okay;
        short status = Transfer(segments, sector, isWrite: true);
        if (status == Okay)
            image.Flush();
        return status;
    }

    private short DoIndirect(ReadOnlySpan<byte> request, ulong sector)
    {
        byte operation = request[1];
        int count = BinaryPrimitives.ReadUInt16LittleEndian(request[2..]);
        if (operation is not (ReadRequest or WriteRequest) || count is 0 or > MaximumIndirectSegments)
            return Error;
        // Copied, so that the guest cannot change what was checked.
        Span<byte> segments = stackalloc byte[MaximumIndirectSegments * SegmentSize];
        segments = segments[..(count * SegmentSize)];
        uint list = BinaryPrimitives.ReadUInt32LittleEndian(request[ListAt..]);
        return Domain.Grants.CopyToHost(list, 0, segments) == GrantStatus.Okay ? Transfer(segments, sector, operation == WriteRequest) : Error;
    }

    private short Discard(ulong sector, ulong count)
    {
        if (!IsOnDisk(sector, count))
            return Error;
        return count == 0 ? Okay : image.TryDiscard((long)sector << SectorShift, (long)count << SectorShift) ? Okay : Unsupported;
    }

    private short Transfer(ReadOnlySpan<byte> segments, ulong sector, bool isWrite)
    {
        int count = segments.Length / SegmentSize;
        Span<HostGrant> grants = stackalloc HostGrant[count];
        Span<IoVector> pieces = stackalloc IoVector[count];
        ulong sectors = 0;
        for (int i = 0; i < count; i++)
        {
            ReadOnlySpan<byte> segment = segments[(i * SegmentSize)..];
            int first = segment[4], last = segment[5];
            if (last < first || last >= Frame.Size >> SectorShift)
                return Error;
            sectors += (uint)(last - first + 1);
            grants[i].Reference = BinaryPrimitives.ReadUInt32LittleEndian(segment);
            grants[i].IsReadOnly = isWrite;
        }
        if (isWrite && isReadOnly || !IsOnDisk(sector, sectors))
            return Error;
        if (Domain.Grants.MapToHost(grants) != GrantStatus.Okay)
            return Error;
        try
        {
            for (int i = 0; i < count; i++)
            {
                int first = segments[i * SegmentSize + 4], last = segments[i * SegmentSize + 5];
                pieces[i] = new IoVector(grants[i].Frame + (first << SectorShift), (last - first + 1) << SectorShift);
            }
            long position = (long)sector << SectorShift, length = (long)sectors << SectorShift;
            if (isWrite)
            {
                image.Write(position, pieces);
                Interlocked.Add(ref bytesWritten, length);
            }
            else
            {
                image.Read(position, pieces);
                Interlocked.Add(ref bytesRead, length);
            }
            return Okay;
        }
        finally
        {
            Domain.Grants.UnmapFromHost(grants);
        }
    }

    private bool IsOnDisk(ulong sector, ulong count) => sector <= (ulong)Sectors && count <= (ulong)Sectors - sector;
}
