using System.Net;
using System.Net.Sockets;

namespace FastXen.Platform.Net.Nat;

/// <summary>
/// UDP of the guest: one connected host socket for each pair of endpoints, so that only those whom the guest called can answer; idle
/// ones are closed. Forwarded ports of the host keep one flow for each peer.
/// </summary>
internal sealed class UdpNat(NatOptions options, FrameWriter writer, Routing routing, Lock gate) : IDisposable
{
    private const int MaxFlows = 256;
    private const int MaxDatagram = 65536;
    private const int FirstPeerPort = 40000;
    private const int PeerPorts = 20000;
    private static readonly TimeSpan IdleLimit = TimeSpan.FromMinutes(2);

    // The guest's port and the endpoint that it talks to.
    private readonly record struct Key(int GuestPort, Ipv4Address Remote, int RemotePort);

    private sealed class Flow(Key key, Socket socket, EndPoint? peer)
    {
        public Key Key => key;

        public Socket Socket => socket;

        // Whom a forwarded port's socket answers; null on a connected socket, which is the flow's own.
        public EndPoint? Peer => peer;

        public long LastUse { get; set; }
    }

    private readonly Dictionary<Key, Flow> flows = [];
    private readonly List<Socket> forwards = [];
    private int nextPeerPort;
    private bool disposed;

    /// <summary>Sends a datagram of the guest.</summary>
    public void Handle(Ipv4Address destination, in UdpDatagram datagram)
    {
        Key key = new(datagram.SourcePort, destination, datagram.DestinationPort);
        if (!flows.TryGetValue(key, out Flow? flow))
        {
            if (!routing.TryMap(destination, datagram.DestinationPort, out IPEndPoint host) || Open(key, host) is not { } opened)
                return;
            flow = opened;
        }
        flow.LastUse = options.Clock.GetTimestamp();
        try
        {
            if (flow.Peer is null)
                flow.Socket.Send(datagram.Payload);
            else
                flow.Socket.SendTo(datagram.Payload, flow.Peer);
        }
        catch (SocketException)
        {
            // Lost, as datagrams may be: the socket's buffer is full, or an earlier one was refused.
        }
    }

    /// <summary>Opens a forwarded port. Returns the host's port.</summary>
    public int Forward(HostForward forward)
    {
        Socket socket = new(AddressFamily.InterNetwork, SocketType.Dgram, ProtocolType.Udp) { Blocking = false };
        try
        {
            socket.Bind(new IPEndPoint(forward.HostAddress, forward.HostPort));
        }
        catch (SocketException e)
        {
            socket.Dispose();
            throw new DeviceConfigurationException($"Host forward of UDP {forward.HostAddress}:{forward.HostPort} cannot listen: {e.Message}.", e);
        }
        forwards.Add(socket);
        _ = ReceiveForwarded(socket, forward.GuestPort);
        return ((IPEndPoint)socket.LocalEndPoint!).Port;
    }

    /// <summary>Forgets all flows. Under the lock.</summary>
    public void Clear()
    {
        foreach (Flow flow in flows.Values)
            Close(flow);
        flows.Clear();
    }

    /// <summary>Closes everything. Under the lock.</summary>
    public void Dispose()
    {
        disposed = true;
        Clear();
        foreach (Socket socket in forwards)
            socket.Dispose();
    }

    private Flow? Open(Key key, IPEndPoint host)
    {
        MakeRoom();
        Socket socket = new(AddressFamily.InterNetwork, SocketType.Dgram, ProtocolType.Udp) { Blocking = false };
        try
        {
            socket.Connect(host);
        }
        catch (SocketException)
        {
            socket.Dispose();
            return null;
        }
        Flow flow = new(key, socket, null);
        flows.Add(key, flow);
        _ = Receive(flow);
        return flow;
    }

    private async Task Receive(Flow flow)
    {
        byte[] buffer = new byte[MaxDatagram];
        while (true)
        {
            int length = 0;
            bool refused = false;
            try
            {
                length = await flow.Socket.ReceiveAsync(buffer).ConfigureAwait(false);
            }
            catch (ObjectDisposedException)
            {
                return;
            }
            catch (SocketException e)
            {
                if (e.SocketErrorCode == SocketError.OperationAborted)
                    return;
                refused = true;
            }
            lock (gate)
            {
                if (disposed || !flows.TryGetValue(flow.Key, out Flow? current) || current != flow)
                    return;
                if (refused)
                {
                    flows.Remove(flow.Key);
                    Close(flow);
                    return;
                }
                flow.LastUse = options.Clock.GetTimestamp();
                writer.SendUdp(flow.Key.Remote, flow.Key.RemotePort, options.Guest, flow.Key.GuestPort, buffer.AsSpan(0, length));
            }
        }
    }

    private async Task ReceiveForwarded(Socket socket, int guestPort)
    {
        byte[] buffer = new byte[MaxDatagram];
        while (true)
        {
            SocketReceiveFromResult result;
            try
            {
                result = await socket.ReceiveFromAsync(buffer, new IPEndPoint(IPAddress.Any, 0)).ConfigureAwait(false);
            }
            catch (ObjectDisposedException)
            {
                return;
            }
            catch (SocketException e)
            {
                if (e.SocketErrorCode == SocketError.OperationAborted)
                    return;
                continue; // an earlier answer was refused
            }
            lock (gate)
            {
                if (disposed)
                    return;
                Flow flow = FlowOf(socket, guestPort, result.RemoteEndPoint);
                flow.LastUse = options.Clock.GetTimestamp();
                writer.SendUdp(flow.Key.Remote, flow.Key.RemotePort, options.Guest, guestPort, buffer.AsSpan(0, result.ReceivedBytes));
            }
        }
    }

    // The guest sees each peer of a forwarded port as a port of the gateway.
    private Flow FlowOf(Socket socket, int guestPort, EndPoint peer)
    {
        foreach (Flow flow in flows.Values)
        {
            if (flow.Socket == socket && peer.Equals(flow.Peer))
                return flow;
        }
        MakeRoom();
        Key key;
        do
            key = new Key(guestPort, options.Gateway, FirstPeerPort + nextPeerPort++ % PeerPorts);
        while (flows.ContainsKey(key));
        Flow created = new(key, socket, peer);
        flows.Add(key, created);
        return created;
    }

    // Idle flows go when a new one comes, and the one that rests longest when there are too many.
    private void MakeRoom()
    {
        Flow? oldest = null;
        foreach (Flow flow in flows.Values.ToArray())
        {
            if (options.Clock.GetElapsedTime(flow.LastUse) > IdleLimit)
            {
                flows.Remove(flow.Key);
                Close(flow);
            }
            else if (oldest is null || flow.LastUse < oldest.LastUse)
            {
                oldest = flow;
            }
        }
        if (flows.Count < MaxFlows || oldest is null)
            return;
        flows.Remove(oldest.Key);
        Close(oldest);
    }

    private static void Close(Flow flow)
    {
        if (flow.Peer is null)
            flow.Socket.Dispose();
    }
}
