using FastXen.Events;

namespace FastXen.Xen.EventChannels;

// Binding ports.
public sealed partial class EventChannelTable
{
    /// <summary>EVTCHNOP_alloc_unbound: a port that <paramref name="remote"/> may bind.</summary>
    public int AllocateUnbound(ushort remote)
    {
        lock (changes)
        {
            int port = AllocatePort();
            return port < 0 ? port : Take(port, ChannelWord.Of(ChannelState.Unbound, domain: remote));
        }
    }

    /// <summary>
    /// EVTCHNOP_bind_interdomain: binds a new port to a port of another domain that waits for this domain, or (privileged) is served by the host in its name:
    /// then the service of the host goes, or is in the middle of something: -EAGAIN.
    /// </summary>
    public int BindInterdomain(ushort remoteDomain, uint remotePort)
    {
        XenDomain? remote = remoteDomain == DomainIds.Self ? domain : domain.Directory.Find(remoteDomain);
        if (remote == null)
            return -Errno.ESRCH;
        EventChannelTable other = remote.EventChannels;
        if (domain.IsPrivileged && other.ServiceFor(domain.Id, remotePort) is { } service && service.Yield(domain) is not 0 and var error)
            return error;
        using (Both(other))
        {
            int port = AllocatePort();
            if (port < 0)
                return port;
            if (!other.IsValid(remotePort))
                return -Errno.EINVAL;
            ChannelWord theirs = other.Read((int)remotePort);
            if (theirs.State != ChannelState.Unbound || theirs.Domain != domain.Id)
                return -Errno.EINVAL;
            Take(port, ChannelWord.Of(ChannelState.Interdomain, target: (int)remotePort, domain: remote.Id));
            other.Set((int)remotePort, ChannelWord.Of(ChannelState.Interdomain, theirs.Vcpu, port, domain.Id));
            // What was sent to the unbound port is lost: the new one begins with an event.
            Wake(SetPending(port, 0));
            return port;
        }
    }

    /// <summary>
    /// Connects a service of the host to a port that waits for <paramref name="asDomain"/>; the port begins with an event for the service.
    /// Null when the port does not wait for that domain.
    /// </summary>
    public HostChannel? BindHost(ushort asDomain, uint port, IEventSink sink)
    {
        ArgumentNullException.ThrowIfNull(sink);
        HostChannel channel;
        lock (changes)
        {
            if (!IsValid(port))
                return null;
            ChannelWord word = Read((int)port);
            if (word.State != ChannelState.Unbound || word.Domain != asDomain)
                return null;
            channel = new HostChannel(this, (int)port, asDomain, sink);
            At((int)port).Host = channel;
            Set((int)port, ChannelWord.Of(ChannelState.Interdomain, word.Vcpu, (int)port, asDomain, hostPeer: true));
        }
        sink.Signal();
        return channel;
    }

    // Who serves a port in a domain's name and would leave it to that domain.
    private IYieldingService? ServiceFor(ushort asDomain, uint port)
    {
        lock (changes)
        {
            if (!IsValid(port) || Read((int)port) is not { State: ChannelState.Interdomain, HasHostPeer: true } word || word.Domain != asDomain)
                return null;
            return At((int)port).Host?.Sink as IYieldingService;
        }
    }

    /// <summary>EVTCHNOP_bind_virq.</summary>
    public int BindVirq(int virq, int vcpu)
    {
        if (virq is < 0 or >= Virq.Count || Virq.IsGlobal(virq) && vcpu != 0)
            return -Errno.EINVAL;
        if ((uint)vcpu >= (uint)domain.Vcpus)
            return -Errno.ENOENT;
        lock (changes)
        {
            ref ushort bound = ref virqPorts[vcpu * Virq.Count + virq];
            if (bound != 0)
                return -Errno.EEXIST;
            int port = AllocatePort();
            if (port < 0)
                return port;
            Take(port, ChannelWord.Of(ChannelState.Virq, vcpu, virq));
            Volatile.Write(ref bound, (ushort)port);
            // A timer that expired earlier waits for this.
            if (virq == Virq.Itc)
                signal.Notify(vcpu);
            return port;
        }
    }

    /// <summary>EVTCHNOP_bind_ipi.</summary>
    public int BindIpi(int vcpu)
    {
        if ((uint)vcpu >= (uint)domain.Vcpus)
            return -Errno.ENOENT;
        lock (changes)
        {
            int port = AllocatePort();
            return port < 0 ? port : Take(port, ChannelWord.Of(ChannelState.Ipi, vcpu));
        }
    }

    /// <summary>EVTCHNOP_bind_pirq.</summary>
    public int BindPirq(int pirq, bool willShare)
    {
        if (pirq is < 0 or >= Pirqs)
            return -Errno.EINVAL;
        if (PirqController is not { } controller || !controller.IsPermitted(pirq))
            return -Errno.EPERM;
        lock (changes)
        {
            pirqPorts ??= new ushort[Pirqs];
            if (pirqPorts[pirq] != 0)
                return -Errno.EEXIST;
            int port = AllocatePort();
            if (port < 0)
                return port;
            int result = controller.Bind(pirq, willShare);
            if (result != 0)
                return result;
            Take(port, ChannelWord.Of(ChannelState.Pirq, target: pirq));
            Volatile.Write(ref pirqPorts[pirq], (ushort)port);
            controller.Bound(pirq);
            return port;
        }
    }

    /// <summary>EVTCHNOP_bind_vcpu: which vCPU a port notifies. Not for IPIs and the VIRQs of a vCPU.</summary>
    public int BindVcpu(uint port, uint vcpu)
    {
        if (vcpu >= (uint)domain.Vcpus)
            return -Errno.ENOENT;
        lock (changes)
        {
            if (!IsValid(port))
                return -Errno.EINVAL;
            ChannelWord word = Read((int)port);
            bool isMovable = word.State is ChannelState.Unbound or ChannelState.Interdomain or ChannelState.Pirq
                || word.State == ChannelState.Virq && Virq.IsGlobal(word.Target);
            if (!isMovable)
                return -Errno.EINVAL;
            Set((int)port, word.WithVcpu((int)vcpu));
            if (word.State == ChannelState.Pirq && word.Vcpu != (int)vcpu)
                PirqController?.SetAffinity(word.Target, (int)vcpu);
            return 0;
        }
    }

    // Locks this table and another one (or the same), always in the same order.
    private Locks Both(EventChannelTable other) =>
        this == other ? new Locks(changes, null)
        : domain.Id < other.domain.Id ? new Locks(changes, other.changes) : new Locks(other.changes, changes);

    private readonly ref struct Locks
    {
        private readonly Lock first;
        private readonly Lock? second;

        public Locks(Lock first, Lock? second)
        {
            this.first = first;
            this.second = second;
            first.Enter();
            second?.Enter();
        }

        public void Dispose()
        {
            second?.Exit();
            first.Exit();
        }
    }
}
