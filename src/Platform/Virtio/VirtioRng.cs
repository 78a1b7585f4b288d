using System.Security.Cryptography;

namespace FastXen.Platform.Virtio;

/// <summary>
/// A virtio entropy source (virtio 1.2, 5.4). It gives the host's random numbers, or numbers from a seed on a deterministic machine.
/// </summary>
public sealed class VirtioRng(int? seed = null) : VirtioDevice
{
    // More than this is not given for one request.
    private const int MaxBytes = 4096;

    private const int Batch = 16;

    private readonly Random? random = seed is { } value ? new Random(value) : null;
    private readonly byte[] buffer = new byte[MaxBytes];

    /// <inheritdoc/>
    public override ushort Type => 4;

    /// <inheritdoc/>
    public override string Name => "virtio-rng";

    /// <inheritdoc/>
    public override int ClassCode => 0x10_80_00;

    /// <inheritdoc/>
    public override ulong Features => 0;

    /// <inheritdoc/>
    public override ReadOnlySpan<int> QueueSizes => [16];

    /// <inheritdoc/>
    public override ReadOnlySpan<byte> Config => default;

    /// <inheritdoc/>
    protected internal override bool Process(int queue)
    {
        VirtQueue requests = Transport.Queue(queue);
        for (int i = 0; i < Batch; i++)
        {
            if (!requests.TryTake(out DescriptorChain request))
                return requests.ListenAgain();
            Span<byte> bytes = buffer.AsSpan(0, (int)Math.Min(request.WritableLength, MaxBytes));
            if (random is null)
                RandomNumberGenerator.Fill(bytes);
            else
                random.NextBytes(bytes);
            requests.Complete(request.Head, (uint)request.CopyTo(0, bytes));
        }
        return true;
    }
}
