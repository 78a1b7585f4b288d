using FastXen.Platform.Net;
using FastXen.Platform.Net.Switch;

namespace FastXen.Xen.Backends.Net;

/// <summary>A network card for a domain: on a switch, or on a network of the host of its own.</summary>
/// <param name="Handle">Its number among the domain's cards, from 0 on.</param>
/// <param name="Address">Its address.</param>
public sealed record NetworkAttachment(uint Handle, MacAddress Address)
{
    /// <summary>The switch that it is plugged into; one of this and <see cref="Network"/>.</summary>
    public VirtualSwitch? Switch { get; init; }

    /// <summary>The network of the host (NAT, TAP) that nothing else uses.</summary>
    public INetBackend? Network { get; init; }

    /// <summary><see cref="Network"/> is disposed when the card is detached.</summary>
    public bool OwnsNetwork { get; init; } = true;

    /// <summary>How long others wait for a guest that takes no frames, before it loses them.</summary>
    public TimeSpan Patience { get; init; } = TimeSpan.FromMilliseconds(100);
}
