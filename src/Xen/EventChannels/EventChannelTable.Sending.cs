namespace FastXen.Xen.EventChannels;

// Sending: no locks, no allocation.
public sealed partial class EventChannelTable
{
    /// <summary>EVTCHNOP_send: notifies the other end. What is sent to an unbound end is dropped.</summary>
    public int Send(uint port)
    {
        if (!IsValid(port))
            return -Errno.EINVAL;
        ChannelWord word = Read((int)port);
        switch (word.State)
        {
            case ChannelState.Interdomain when word.HasHostPeer:
                Volatile.Read(ref At((int)port).Host)?.Signal();
                return 0;
            case ChannelState.Interdomain:
                // A domain that died meanwhile may have a successor with fewer ports.
                if (domain.Directory.Find(word.Domain)?.EventChannels is { } other && other.IsValid((uint)word.Target))
                    other.Raise(word.Target, ChannelWord.Of(ChannelState.Interdomain, target: (int)port, domain: domain.Id));
                return 0;
            case ChannelState.Ipi:
                Raise((int)port, word);
                return 0;
            case ChannelState.Unbound:
                return 0;
            default:
                return -Errno.EINVAL;
        }
    }

    /// <summary>EVTCHNOP_unmask: an event that came meanwhile is shown to the vCPU.</summary>
    public int Unmask(uint port)
    {
        if (!IsValid(port))
            return -Errno.EINVAL;
        int vcpu = Read((int)port).Vcpu;
        if (shared.ClearMask((int)port) && shared.IsPending((int)port) && shared.Raise(vcpu, (int)port))
            signal.Notify(vcpu);
        return 0;
    }

    /// <summary>Raises a VIRQ of a vCPU (for global ones: vCPU 0). False when it is not bound.</summary>
    public bool SendVirq(int virq, int vcpu = 0)
    {
        int port = Volatile.Read(ref virqPorts[vcpu * Virq.Count + virq]);
        return port != 0 && Raise(port, ChannelWord.Of(ChannelState.Virq, target: virq));
    }

    /// <summary>A VIRQ of a vCPU is bound.</summary>
    public bool IsVirqBound(int virq, int vcpu = 0) => Volatile.Read(ref virqPorts[vcpu * Virq.Count + virq]) != 0;

    /// <summary>Raises a physical interrupt. False when it is not bound.</summary>
    public bool SendPirq(int pirq)
    {
        int port = pirqPorts is { } ports ? Volatile.Read(ref ports[pirq]) : 0;
        return port != 0 && Raise(port, ChannelWord.Of(ChannelState.Pirq, target: pirq));
    }

    /// <summary>The port of a physical interrupt; 0 where it is not bound.</summary>
    internal uint PortOfPirq(int pirq) => pirqPorts is { } ports ? Volatile.Read(ref ports[pirq]) : 0u;

    /// <summary>EVTCHNOP_status.</summary>
    public int Status(uint port, out ChannelStatus status)
    {
        status = default;
        if (!IsValid(port))
            return -Errno.EINVAL;
        ChannelWord word = Read((int)port);
        ChannelState state = word.State is ChannelState.Reserved or ChannelState.Closing ? ChannelState.Free : word.State;
        status = new ChannelStatus(state, word.Vcpu, word.Domain, word.Target);
        return 0;
    }

    internal void NotifyFromHost(HostChannel channel) =>
        Raise(channel.Port, ChannelWord.Of(ChannelState.Interdomain, target: channel.Port, domain: channel.Domain, hostPeer: true), channel);
}
