namespace FastXen.Xen.EventChannels;

// Closing ports.
public sealed partial class EventChannelTable
{
    /// <summary>EVTCHNOP_close. The other end of an interdomain channel is unbound again.</summary>
    public int Close(uint port)
    {
        if (!IsValid(port))
            return -Errno.EINVAL;
        ChannelWord before = Read((int)port);
        EventChannelTable? other = PeerOf(before);
        using (Both(other ?? this))
        {
            ChannelWord word = Read((int)port);
            // Between the look and the locks the port may have been closed, which is an error, and bound again.
            if (word.State is ChannelState.Free or ChannelState.Reserved || other != null && !word.IsBoundAs(before)
                || other == null && PeerOf(word) != null)
                return -Errno.EINVAL;
            Unbind((int)port, word, other);
            Shut((int)port);
            // So that what is bound next does not begin with an event.
            shared.ClearPending((int)port);
            HostChannel? host = At((int)port).Host;
            At((int)port).Host = null;
            Set((int)port, default);
            used[port / 64] &= ~(1UL << (int)port);
            host?.Disconnect();
            host?.Signal();
            return 0;
        }
    }

    /// <summary>EVTCHNOP_reset: closes all ports.</summary>
    public void Reset()
    {
        for (uint port = 0; port < (uint)validPorts; port++)
            Close(port);
    }

    /// <summary>Closes all ports of a domain that is being destroyed; no more can be bound.</summary>
    internal void CloseAll()
    {
        lock (changes)
            isDying = true;
        Reset();
    }

    internal void CloseHost(HostChannel channel)
    {
        lock (changes)
        {
            if (At(channel.Port).Host != channel)
                return;
            int vcpu = Read(channel.Port).Vcpu;
            Shut(channel.Port);
            At(channel.Port).Host = null;
            Set(channel.Port, ChannelWord.Of(ChannelState.Unbound, vcpu, domain: channel.Domain));
            channel.Disconnect();
        }
    }

    private EventChannelTable? PeerOf(ChannelWord word) =>
        word.State == ChannelState.Interdomain && !word.HasHostPeer ? domain.Directory.Find(word.Domain)?.EventChannels : null;

    private void Unbind(int port, ChannelWord word, EventChannelTable? other)
    {
        switch (word.State)
        {
            case ChannelState.Interdomain when other != null:
                ChannelWord theirs = other.Read(word.Target);
                other.Set(word.Target, ChannelWord.Of(ChannelState.Unbound, theirs.Vcpu, domain: domain.Id));
                break;
            case ChannelState.Virq:
                for (int i = word.Target; i < virqPorts.Length; i += Virq.Count)
                {
                    if (virqPorts[i] == port)
                        Volatile.Write(ref virqPorts[i], 0);
                }
                break;
            case ChannelState.Pirq:
                PirqController?.Unbind(word.Target);
                Volatile.Write(ref pirqPorts![word.Target], 0);
                break;
        }
    }
}
