using FastXen.Events;

namespace FastXen.Xen.EventChannels;

/// <summary>
/// The far end of a domain's event channel in the host: xenstore, consoles and backends that run here. The guest sees an interdomain
/// channel to the domain in whose name the service acts.
/// </summary>
public sealed class HostChannel
{
    private readonly EventChannelTable table;
    private readonly IEventSink sink;

    internal HostChannel(EventChannelTable table, int port, ushort domain, IEventSink sink)
    {
        this.table = table;
        this.sink = sink;
        Port = port;
        Domain = domain;
    }

    /// <summary>The guest's port.</summary>
    public int Port { get; }

    /// <summary>The guest has not closed its port.</summary>
    public bool IsConnected { get; private set; } = true;

    /// <summary>In whose name the service acts.</summary>
    internal ushort Domain { get; }

    /// <summary>Sends to the guest. Without effect after either side has closed.</summary>
    public void Notify() => table.NotifyFromHost(this);

    /// <summary>Closes this end; the guest's port is unbound again.</summary>
    public void Close() => table.CloseHost(this);

    internal IEventSink Sink => sink;

    internal void Signal() => sink.Signal();

    internal void Disconnect() => IsConnected = false;
}
