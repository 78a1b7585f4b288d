using System.Buffers.Binary;
using FastXen.Platform.Virtio;

namespace FastXen.Platform.Block;

/// <summary>A virtio disk (virtio 1.2, 5.2) on a backend.</summary>
public sealed class VirtioBlock : VirtioDevice
{
    // Together they bound one request, so that a reset never waits long.
    private const int MaxSegmentBytes = 1 << 20;
    private const int MaxSegments = 126;

    // Requests between two interrupts at most.
    private const int Batch = 16;

    private const int HeaderSize = 16;
    private const int IdSize = 20;

    private const ulong SizeMaxFeature = 1 << 1;
    private const ulong SegMaxFeature = 1 << 2;
    private const ulong ReadOnlyFeature = 1 << 5;
    private const ulong BlockSizeFeature = 1 << 6;
    private const ulong FlushFeature = 1 << 9;

    private const uint ReadRequest = 0;
    private const uint WriteRequest = 1;
    private const uint FlushRequest = 4;
    private const uint IdRequest = 8;

    private const byte Ok = 0;
    private const byte IoError = 1;
    private const byte Unsupported = 2;

    private readonly IBlockBackend backend;
    private readonly byte[] id = new byte[IdSize];
    private readonly byte[] config = new byte[0x3c];

    /// <summary>Makes a disk. The backend stays the caller's, so that it outlives a reboot. At most 20 ASCII characters of <paramref name="serial"/> are seen by the guest.</summary>
    public VirtioBlock(IBlockBackend backend, string serial)
    {
        this.backend = backend;
        System.Text.Encoding.ASCII.GetBytes(serial.AsSpan(0, Math.Min(serial.Length, IdSize)), id);
        BinaryPrimitives.WriteInt64LittleEndian(config, backend.Length / IBlockBackend.SectorSize);
        BinaryPrimitives.WriteInt32LittleEndian(config.AsSpan(8), MaxSegmentBytes);
        BinaryPrimitives.WriteInt32LittleEndian(config.AsSpan(12), MaxSegments);
        BinaryPrimitives.WriteInt32LittleEndian(config.AsSpan(20), IBlockBackend.SectorSize);
    }

    /// <inheritdoc/>
    public override ushort Type => 2;

    /// <inheritdoc/>
    public override string Name => "virtio-blk";

    /// <inheritdoc/>
    public override int ClassCode => 0x01_00_00;

    /// <inheritdoc/>
    public override ulong Features =>
        SizeMaxFeature | SegMaxFeature | BlockSizeFeature | FlushFeature | (backend.IsReadOnly ? ReadOnlyFeature : 0);

    /// <inheritdoc/>
    public override ReadOnlySpan<int> QueueSizes => [256];

    /// <inheritdoc/>
    public override ReadOnlySpan<byte> Config => config;

    /// <inheritdoc/>
    protected internal override bool Process(int queue)
    {
        VirtQueue requests = Transport.Queue(queue);
        for (int i = 0; i < Batch; i++)
        {
            if (!requests.TryTake(out DescriptorChain request))
                return requests.ListenAgain();
            if (!TryServe(request, out uint written))
            {
                Transport.Break();
                return false;
            }
            requests.Complete(request.Head, written);
        }
        return true;
    }

    /// <inheritdoc/>
    protected override void Dispose(bool disposing)
    {
        try
        {
            if (!backend.IsReadOnly)
                backend.Flush();
        }
        catch (IOException)
        {
            // Nobody is left who could be told.
        }
        base.Dispose(disposing);
    }

    // False when there is no header, or no room for the status.
    private bool TryServe(DescriptorChain request, out uint written)
    {
        written = 0;
        Span<byte> header = stackalloc byte[HeaderSize];
        long room = request.WritableLength - 1;
        if (request.CopyFrom(0, header) != HeaderSize || room < 0)
            return false;
        uint type = BinaryPrimitives.ReadUInt32LittleEndian(header);
        ulong sector = BinaryPrimitives.ReadUInt64LittleEndian(header[8..]);
        byte status;
        try
        {
            status = type switch
            {
                ReadRequest => ReadSectors(request, sector, room),
                WriteRequest => WriteSectors(request, sector),
                FlushRequest => Flush(),
                IdRequest => ReadId(request, room),
                _ => Unsupported,
            };
        }
        catch (IOException)
        {
            status = IoError;
        }
        request.CopyTo(room, [status]);
        written = (uint)(status == Ok && type is ReadRequest or IdRequest ? Math.Min(room, uint.MaxValue - 1) + 1 : 1);
        return true;
    }

    private byte ReadSectors(DescriptorChain request, ulong sector, long length)
    {
        if (!TryPosition(sector, length, out long position))
            return IoError;
        foreach (Segment segment in request.Writable)
        {
            // The last byte of the last segment is the status.
            int part = (int)Math.Min(segment.Length, length);
            backend.Read(position, request.Span(segment)[..part]);
            request.NotifyWritten(segment, part);
            position += part;
            length -= part;
        }
        return Ok;
    }

    private byte WriteSectors(DescriptorChain request, ulong sector)
    {
        if (backend.IsReadOnly || !TryPosition(sector, request.ReadableLength - HeaderSize, out long position))
            return IoError;
        int skip = HeaderSize;
        foreach (Segment segment in request.Readable)
        {
            Span<byte> data = request.Span(segment);
            int skipped = Math.Min(skip, data.Length);
            skip -= skipped;
            backend.Write(position, data[skipped..]);
            position += data.Length - skipped;
        }
        return Ok;
    }

    private byte Flush()
    {
        backend.Flush();
        return Ok;
    }

    private byte ReadId(DescriptorChain request, long room)
    {
        request.CopyTo(0, id.AsSpan(0, (int)Math.Min(room, IdSize)));
        return Ok;
    }

    private bool TryPosition(ulong sector, long length, out long position)
    {
        ulong sectors = (ulong)backend.Length / IBlockBackend.SectorSize;
        position = 0;
        if (length % IBlockBackend.SectorSize != 0 || length > (long)MaxSegments * MaxSegmentBytes
            || sector > sectors || (ulong)length / IBlockBackend.SectorSize > sectors - sector)
        {
            return false;
        }
        position = (long)sector * IBlockBackend.SectorSize;
        return true;
    }
}
