using FastXen.Events;

namespace FastXen.Platform.Net.Switch;

/// <summary>A port of a <see cref="VirtualSwitch"/>: takes the frames of what is plugged in.</summary>
public sealed class SwitchPort : ILinkEnd, IDisposable
{
    /// <summary>Addresses that are learnt behind a port.</summary>
    public const int MaximumLearnt = 256;

    private readonly VirtualSwitch owner;

    internal SwitchPort(VirtualSwitch owner, ILinkEnd end, MacAddress? address)
    {
        this.owner = owner;
        End = end;
        Address = address;
    }

    /// <inheritdoc/>
    public LinkFeatures Features => LinkFeatures.BlankChecksums | LinkFeatures.LargeSegments;

    internal ILinkEnd End { get; }

    internal MacAddress? Address { get; }

    internal bool IsRemoved { get; private set; }

    // Under the switch's lock.
    internal int Learnt { get; set; }

    /// <inheritdoc/>
    public bool Take(ReadOnlySpan<byte> frame, FrameOffload offload, IEventSink? waiter) =>
        IsRemoved || owner.Forward(this, frame, offload, waiter);

    /// <summary>Unplugs.</summary>
    public void Dispose()
    {
        if (IsRemoved)
            return;
        IsRemoved = true;
        owner.Remove(this);
    }
}
