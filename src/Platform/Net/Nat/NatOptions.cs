using System.Net;

namespace FastXen.Platform.Net.Nat;

/// <summary>How the user-mode network is set up.</summary>
public sealed record NatOptions
{
    /// <summary>The gateway: the host as the guest sees it.</summary>
    public Ipv4Address Gateway { get; init; } = new(0x0a000202);

    /// <summary>The name server as the guest sees it.</summary>
    public Ipv4Address Dns { get; init; } = new(0x0a000203);

    /// <summary>What DHCP gives to the guest.</summary>
    public Ipv4Address Guest { get; init; } = new(0x0a00020f);

    /// <summary>Length of the network's prefix.</summary>
    public int PrefixLength { get; init; } = 24;

    /// <summary>The guest may reach servers on the host's loopback interface at the gateway's address. Off: a guest is not trusted.</summary>
    public bool AllowHostLoopback { get; init; }

    /// <summary>The guest may reach nothing but the gateway, DHCP and its name server.</summary>
    public bool Restrict { get; init; }

    /// <summary>Where name queries go. By default the host's first name server.</summary>
    public IPEndPoint? Resolver { get; init; }

    /// <summary>Ports of the host that lead to the guest.</summary>
    public IReadOnlyList<HostForward> HostForwards { get; init; } = [];

    /// <summary>The clock of timeouts and retransmissions.</summary>
    public TimeProvider Clock { get; init; } = TimeProvider.System;
}
