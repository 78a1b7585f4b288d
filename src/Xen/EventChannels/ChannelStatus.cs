namespace FastXen.Xen.EventChannels;

/// <summary>
/// What a port is bound to. <paramref name="Domain"/>: the remote one of unbound and interdomain ports; <paramref name="Target"/>: remote
/// port, PIRQ or VIRQ.
/// </summary>
public readonly record struct ChannelStatus(ChannelState State, int Vcpu, ushort Domain, int Target);
