using System.Buffers.Binary;
using System.Net;
using System.Net.Sockets;
using System.Security.Cryptography;

namespace FastXen.Platform.Net.Nat;

/// <summary>TCP of the guest: its connections, forwarded ports of the host, and their timers.</summary>
internal sealed class TcpNat : IDisposable
{
    private const int MaxConnections = 256;
    private const int FirstPeerPort = 40000;
    private const int PeerPorts = 20000;
    private const int Backlog = 16;

    private readonly NatOptions options;
    private readonly Routing routing;
    private readonly Dictionary<TcpKey, TcpConnection> connections = [];
    private readonly List<Socket> listeners = [];
    private readonly ITimer timer;
    private long scheduled = long.MaxValue;
    private int nextPeerPort;
    private bool disposed;

    public TcpNat(NatOptions options, FrameWriter writer, Routing routing, Lock gate)
    {
        this.options = options;
        this.routing = routing;
        Writer = writer;
        Gate = gate;
        timer = options.Clock.CreateTimer(_ => OnTimer(), null, Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);
    }

    /// <summary>The NAT's lock.</summary>
    public Lock Gate { get; }

    public FrameWriter Writer { get; }

    /// <summary>The clock in milliseconds.</summary>
    public long Now => (long)options.Clock.GetElapsedTime(0, options.Clock.GetTimestamp()).TotalMilliseconds;

    /// <summary>An initial sequence number.</summary>
    public uint NewSequence() => (uint)RandomNumberGenerator.GetInt32(int.MaxValue);

    /// <summary>Handles a segment of the guest.</summary>
    public void Handle(Ipv4Address destination, in TcpSegment segment)
    {
        TcpKey key = new(segment.SourcePort, destination, segment.DestinationPort);
        bool calls = (segment.Flags & (TcpFlags.Syn | TcpFlags.Ack | TcpFlags.Rst)) == TcpFlags.Syn;
        if (connections.TryGetValue(key, out TcpConnection? connection))
        {
            if (!calls || !connection.IsOver)
            {
                connection.OnSegment(segment);
                return;
            }
            connection.Close(reset: false);
        }
        if (calls && connections.Count < MaxConnections && routing.TryMap(destination, segment.DestinationPort, out IPEndPoint host))
            Open(key, host, segment);
        else if (!segment.Has(TcpFlags.Rst))
            SendReset(key, segment);
    }

    /// <summary>Opens a forwarded port. Returns the host's port.</summary>
    public int Forward(HostForward forward)
    {
        Socket listener = new(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        try
        {
            listener.Bind(new IPEndPoint(forward.HostAddress, forward.HostPort));
            listener.Listen(Backlog);
        }
        catch (SocketException e)
        {
            listener.Dispose();
            throw new DeviceConfigurationException($"Host forward of TCP {forward.HostAddress}:{forward.HostPort} cannot listen: {e.Message}.", e);
        }
        listeners.Add(listener);
        _ = AcceptForwarded(listener, forward.GuestPort);
        return ((IPEndPoint)listener.LocalEndPoint!).Port;
    }

    /// <summary>Answers a segment that belongs to nothing.</summary>
    public void SendReset(TcpKey key, in TcpSegment cause)
    {
        bool hasAck = cause.Has(TcpFlags.Ack);
        Span<byte> bytes = Writer.Payload[..TcpSegment.MinHeader];
        bytes.Clear();
        BinaryPrimitives.WriteUInt16BigEndian(bytes, (ushort)key.RemotePort);
        BinaryPrimitives.WriteUInt16BigEndian(bytes[2..], (ushort)key.GuestPort);
        BinaryPrimitives.WriteUInt32BigEndian(bytes[4..], hasAck ? cause.Acknowledgment : 0);
        BinaryPrimitives.WriteUInt32BigEndian(bytes[8..], hasAck ? 0 : cause.Sequence + cause.Length);
        bytes[12] = TcpSegment.MinHeader / 4 << 4;
        bytes[13] = (byte)(hasAck ? TcpFlags.Rst : TcpFlags.Rst | TcpFlags.Ack);
        SendSegment(key, bytes.Length);
    }

    /// <summary>Puts the checksum into the segment in the writer's payload, and sends it.</summary>
    public void SendSegment(TcpKey key, int length)
    {
        Span<byte> bytes = Writer.Payload[..length];
        ushort checksum = FrameWriter.TransportChecksum(Ipv4Packet.Tcp, key.Remote, options.Guest, bytes);
        BinaryPrimitives.WriteUInt16BigEndian(bytes[16..], checksum);
        Writer.SendIpv4(Ipv4Packet.Tcp, key.Remote, options.Guest, length);
    }

    /// <summary>Has the timer run no later than this.</summary>
    public void Schedule(long deadline)
    {
        if (deadline >= scheduled || disposed)
            return;
        scheduled = deadline;
        timer.Change(TimeSpan.FromMilliseconds(Math.Max(deadline - Now, 1)), Timeout.InfiniteTimeSpan);
    }

    public void Remove(TcpConnection connection) => connections.Remove(connection.Key);

    /// <summary>Breaks all connections toward the host. Under the lock.</summary>
    public void Clear()
    {
        foreach (TcpConnection connection in connections.Values.ToArray())
            connection.Close(reset: true);
    }

    /// <summary>Closes everything. Under the lock.</summary>
    public void Dispose()
    {
        disposed = true;
        timer.Dispose();
        foreach (Socket listener in listeners)
            listener.Dispose();
        Clear();
    }

    private void OnTimer()
    {
        lock (Gate)
        {
            scheduled = long.MaxValue;
            long now = Now;
            foreach (TcpConnection connection in connections.Values.ToArray())
            {
                if (connection.Deadline <= now)
                    connection.OnTimer();
            }
            long next = long.MaxValue;
            foreach (TcpConnection connection in connections.Values)
                next = Math.Min(next, connection.Deadline);
            Schedule(next);
        }
    }

    private void Open(TcpKey key, IPEndPoint host, in TcpSegment syn)
    {
        Socket socket = new(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
        TcpConnection connection = TcpConnection.Accept(this, key, socket, syn);
        connections.Add(key, connection);
        _ = Connect(connection, socket, host);
    }

    private async Task Connect(TcpConnection connection, Socket socket, IPEndPoint host)
    {
        await Task.CompletedTask.ConfigureAwait(ConfigureAwaitOptions.ForceYielding); // not under the lock of the caller
        bool connected = false;
        try
        {
            await socket.ConnectAsync(host).ConfigureAwait(false);
            socket.SetSocketOption(SocketOptionLevel.Socket, SocketOptionName.KeepAlive, true);
            connected = true;
        }
        catch (Exception e) when (e is SocketException or ObjectDisposedException)
        {
            // The guest gets a reset.
        }
        lock (Gate)
        {
            if (connected)
                connection.OnConnected();
            else
                connection.Abort();
        }
    }

    private async Task AcceptForwarded(Socket listener, int guestPort)
    {
        while (true)
        {
            Socket socket;
            try
            {
                socket = await listener.AcceptAsync().ConfigureAwait(false);
                socket.NoDelay = true;
            }
            catch (ObjectDisposedException)
            {
                return;
            }
            catch (SocketException e)
            {
                if (e.SocketErrorCode == SocketError.OperationAborted)
                    return;
                // Out of descriptors, or the peer has gone already. Not in a tight loop.
                await Task.Delay(TimeSpan.FromMilliseconds(100), options.Clock).ConfigureAwait(false);
                continue;
            }
            lock (Gate)
            {
                if (disposed || connections.Count >= MaxConnections)
                {
                    socket.Dispose();
                    continue;
                }
                TcpKey key;
                do
                    key = new TcpKey(guestPort, options.Gateway, FirstPeerPort + nextPeerPort++ % PeerPorts);
                while (connections.ContainsKey(key));
                connections.Add(key, TcpConnection.Call(this, key, socket));
            }
        }
    }
}
