using System.Buffers.Binary;
using FastXen.Platform.Virtio;

namespace FastXen.Platform.Net;

/// <summary>
/// A virtio network card (virtio 1.2, 5.1) with one pair of queues. Checksums may be left to the device, and large TCP segments
/// where the backend takes them: the guest's instructions are dearer than the host's.
/// </summary>
public sealed class VirtioNet : VirtioDevice, IFrameSink
{
    private const int HeaderSize = 12;
    private const int EthernetHeader = 14;
    private const int MaxFrame = EthernetHeader + 65535;
    private const int MaxQueued = 1024;
    private const int Batch = 64;
    private const int ReceiveQueue = 0;
    private const int TransmitQueue = 1;

    private const ulong ChecksumFeature = 1 << 0;
    private const ulong GuestChecksumFeature = 1 << 1;
    private const ulong MacFeature = 1 << 5;
    private const ulong HostTso4Feature = 1 << 11;
    private const ulong StatusFeature = 1 << 16;

    private const byte NeedsChecksum = 1;
    private const byte DataValid = 2;
    private const byte LinkUp = 1;

    private readonly INetBackend backend;
    private readonly byte[] config = new byte[12];
    private readonly byte[] frame = new byte[MaxFrame];
    private readonly Lock gate = new();
    private readonly Queue<byte[]> arrived = new();

    /// <summary>Makes a card. The backend stays the caller's, so that it outlives a reboot.</summary>
    public VirtioNet(INetBackend backend, MacAddress mac)
    {
        this.backend = backend;
        mac.Write(config);
        config[6] = LinkUp;
    }

    /// <inheritdoc/>
    public override ushort Type => 1;

    /// <inheritdoc/>
    public override string Name => "virtio-net";

    /// <inheritdoc/>
    public override int ClassCode => 0x02_00_00;

    /// <inheritdoc/>
    public override ulong Features => ChecksumFeature | MacFeature | StatusFeature
        | (backend.ChecksumsAreValid ? GuestChecksumFeature : 0)
        | (backend.TakesLargeSegments ? HostTso4Feature : 0);

    /// <inheritdoc/>
    public override ReadOnlySpan<int> QueueSizes => [256, 256];

    /// <inheritdoc/>
    public override ReadOnlySpan<byte> Config => config;

    /// <inheritdoc/>
    protected internal override bool CanRunInline => false;

    /// <inheritdoc/>
    protected internal override void OnAttached() => backend.Connect(this);

    /// <inheritdoc/>
    public bool Receive(ReadOnlySpan<byte> frame)
    {
        if (frame.Length > MaxFrame || !Transport.IsReady)
            return false;
        lock (gate)
        {
            if (arrived.Count == MaxQueued)
                return false;
            arrived.Enqueue(frame.ToArray());
        }
        Transport.Signal(ReceiveQueue);
        return true;
    }

    /// <inheritdoc/>
    protected internal override bool Process(int queue) => queue == TransmitQueue ? Transmit() : Deliver();

    /// <inheritdoc/>
    protected internal override void OnReset()
    {
        lock (gate)
            arrived.Clear();
    }

    /// <inheritdoc/>
    protected override void Dispose(bool disposing)
    {
        backend.Connect(null);
        base.Dispose(disposing);
    }

    private bool Transmit()
    {
        VirtQueue queue = Transport.Queue(TransmitQueue);
        Span<byte> header = stackalloc byte[HeaderSize];
        for (int i = 0; i < Batch; i++)
        {
            if (!queue.TryTake(out DescriptorChain request))
                return queue.ListenAgain();
            long length = request.ReadableLength - HeaderSize;
            if (length < 0 || request.CopyFrom(0, header) != HeaderSize)
            {
                Transport.Break();
                return false;
            }
            Span<byte> bytes = default;
            if (length is >= EthernetHeader and <= MaxFrame)
                bytes = frame.AsSpan(0, request.CopyFrom(HeaderSize, frame.AsSpan(0, (int)length)));
            // Before it is sent: whoever takes the frame may wait for the guest, which may wait for its memory.
            queue.Complete(request.Head, 0);
            if (bytes.IsEmpty)
                continue;
            if ((header[0] & NeedsChecksum) != 0)
                CompleteChecksum(bytes, header);
            backend.Send(bytes);
        }
        return true;
    }

    // The guest put the sum of the pseudo-header into the field; the rest of the packet is summed here.
    private static void CompleteChecksum(Span<byte> bytes, ReadOnlySpan<byte> header)
    {
        int start = BinaryPrimitives.ReadUInt16LittleEndian(header[6..]);
        int field = start + BinaryPrimitives.ReadUInt16LittleEndian(header[8..]);
        if (field + 2 <= bytes.Length)
            BinaryPrimitives.WriteUInt16BigEndian(bytes[field..], InternetChecksum.Fold(InternetChecksum.Add(0, bytes[start..])));
    }

    private bool Deliver()
    {
        VirtQueue queue = Transport.Queue(ReceiveQueue);
        Span<byte> header = stackalloc byte[HeaderSize];
        header.Clear();
        header[0] = (Transport.AcceptedFeatures & GuestChecksumFeature) != 0 ? DataValid : (byte)0;
        header[10] = 1; // number of buffers
        for (int i = 0; i < Batch; i++)
        {
            byte[]? next;
            lock (gate)
            {
                if (!arrived.TryPeek(out next))
                    return false;
            }
            if (!queue.TryTake(out DescriptorChain request))
                return queue.ListenAgain();
            lock (gate)
                arrived.Dequeue();
            // A frame that does not fit is dropped, and the guest gets its buffer back empty.
            bool fits = request.WritableLength >= HeaderSize + next.Length;
            if (fits)
            {
                request.CopyTo(0, header);
                request.CopyTo(HeaderSize, next);
            }
            queue.Complete(request.Head, fits ? (uint)(HeaderSize + next.Length) : 0);
        }
        return true;
    }
}
