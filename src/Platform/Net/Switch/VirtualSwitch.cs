using System.Collections.Concurrent;
using FastXen.Events;

namespace FastXen.Platform.Net.Switch;

/// <summary>
/// An Ethernet switch between the guests of the process, and to the host's network where a port is given that. It learns where addresses
/// are. It has no thread and no queue: a frame is given to its takers by the thread that sends it, and a sender waits for a taker that
/// is full.
/// </summary>
public sealed class VirtualSwitch
{
    private readonly Lock changes = new();
    private readonly ConcurrentDictionary<ulong, SwitchPort> places = new();
    private volatile SwitchPort[] ports = [];

    /// <summary>A switch without ports.</summary>
    public VirtualSwitch(string name) => Name = name;

    /// <summary>What guests' configurations call it.</summary>
    public string Name { get; }

    /// <summary>Ports in use.</summary>
    public int Ports => ports.Length;

    /// <summary>Addresses that it knows.</summary>
    public int KnownAddresses => places.Count;

    /// <summary>
    /// Plugs something in, until the port is disposed. <paramref name="address"/>: the address that is there for certain; frames to it go
    /// nowhere else, whoever claims to have it.
    /// </summary>
    public SwitchPort Connect(ILinkEnd end, MacAddress? address = null)
    {
        ArgumentNullException.ThrowIfNull(end);
        var port = new SwitchPort(this, end, address);
        lock (changes)
        {
            ports = [.. ports, port];
            if (address is { } own)
                places[own.Value] = port;
        }
        return port;
    }

    /// <summary>Plugs in the host's network, which must be connected to nothing else.</summary>
    public SwitchPort Connect(INetBackend network)
    {
        var link = new NetworkLink(network);
        SwitchPort port = Connect(link);
        link.Connect(port);
        return port;
    }

    internal void Remove(SwitchPort port)
    {
        lock (changes)
            ports = [.. ports.Where(other => other != port)];
        Forget(port);
    }

    internal bool Forward(SwitchPort from, ReadOnlySpan<byte> frame, FrameOffload offload, IEventSink? waiter)
    {
        if (frame.Length < 2 * MacAddress.Size + sizeof(ushort))
            return true;
        Learn(from, MacAddress.Read(frame[MacAddress.Size..]));
        MacAddress to = MacAddress.Read(frame);
        if (!IsGroup(to) && places.TryGetValue(to.Value, out SwitchPort? place))
            return place == from || place.End.Give(frame, offload, waiter);
        foreach (SwitchPort port in ports)
        {
            // One that is full does not hold up the others.
            if (port != from)
                port.End.Give(frame, offload, null);
        }
        return true;
    }

    private static bool IsGroup(MacAddress address) => (address.Value >> 40 & 1) != 0;

    private void Learn(SwitchPort from, MacAddress address)
    {
        if (IsGroup(address))
            return;
        bool isKnown = places.TryGetValue(address.Value, out SwitchPort? place);
        if (isKnown && (place == from || place!.Address == address))
            return;
        lock (changes)
        {
            if (from.IsRemoved)
                return;
            // One that shows more addresses than it can have begins anew: it cannot take room without end.
            if (from.Learnt >= SwitchPort.MaximumLearnt)
                Forget(from);
            if (places.TryGetValue(address.Value, out place))
                place.Learnt--;
            places[address.Value] = from;
            from.Learnt++;
        }
    }

    private void Forget(SwitchPort port)
    {
        lock (changes)
        {
            foreach ((ulong address, SwitchPort place) in places)
            {
                if (place == port && (port.IsRemoved || port.Address?.Value != address))
                    places.TryRemove(address, out _);
            }
            port.Learnt = 0;
        }
    }
}
