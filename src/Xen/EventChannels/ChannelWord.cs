namespace FastXen.Xen.EventChannels;

/// <summary>
/// The state of a port in a word that changes as a whole: state 2:0, host peer 3, vCPU 11:4, senders on their way 23:12,
/// remote port or interrupt 39:24, remote domain 55:40.
/// </summary>
internal readonly record struct ChannelWord(ulong Value)
{
    public const ulong OneSender = 1 << 12;
    public const ulong SenderMask = 0xfffUL << 12;
    private const ulong StateMask = 7, HostPeerBit = 8, VcpuMask = 0xffUL << 4;
    private const int VcpuShift = 4, TargetShift = 24, DomainShift = 40;

    public static ChannelWord Of(ChannelState state, int vcpu = 0, int target = 0, ushort domain = 0, bool hostPeer = false) =>
        new((uint)state | (hostPeer ? HostPeerBit : 0) | (ulong)(uint)vcpu << VcpuShift
            | (ulong)(uint)target << TargetShift | (ulong)domain << DomainShift);

    public ChannelState State => (ChannelState)(Value & StateMask);

    /// <summary>The other end is a service of the host.</summary>
    public bool HasHostPeer => (Value & HostPeerBit) != 0;

    /// <summary>Who is notified.</summary>
    public int Vcpu => (byte)(Value >> VcpuShift);

    /// <summary>Remote port, PIRQ or VIRQ.</summary>
    public int Target => (ushort)(Value >> TargetShift);

    /// <summary>Remote domain of an unbound or interdomain port.</summary>
    public ushort Domain => (ushort)(Value >> DomainShift);

    public bool HasSenders => (Value & SenderMask) != 0;

    public bool IsFull => (Value & SenderMask) == SenderMask;

    /// <summary>Bound to the same thing, whichever vCPU is notified.</summary>
    public bool IsBoundAs(ChannelWord other) => ((Value ^ other.Value) & ~(VcpuMask | SenderMask)) == 0;

    public ChannelWord WithVcpu(int vcpu) => new(Value & ~VcpuMask | (ulong)(uint)vcpu << VcpuShift);

    /// <summary>This state, with the senders of another.</summary>
    public ChannelWord WithSendersOf(ChannelWord other) => new(Value & ~SenderMask | other.Value & SenderMask);
}
