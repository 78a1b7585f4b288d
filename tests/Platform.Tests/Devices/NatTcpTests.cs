using System.Buffers.Binary;
using System.Net;
using System.Net.Sockets;
using FastXen.Platform.Net.Nat;

namespace FastXen.Platform.Tests.Devices;

public sealed class NatTcpTests : IDisposable
{
    private readonly ManualClock clock = new();
    private readonly Socket listener = new(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
    private readonly NatBackend nat;
    private readonly GuestStation station;

    public NatTcpTests()
    {
        listener.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        listener.Listen();
        nat = new NatBackend(new NatOptions
        {
            AllowHostLoopback = true,
            Clock = clock,
            HostForwards = [new HostForward(false, IPAddress.Loopback, 0, 22)],
        });
        station = new GuestStation(nat);
    }

    public void Dispose()
    {
        nat.Dispose();
        listener.Dispose();
    }

    private int ServerPort => ((IPEndPoint)listener.LocalEndPoint!).Port;

    private (GuestTcp Guest, Socket Server) Connected()
    {
        GuestTcp guest = new(station, GuestStation.Gateway, ServerPort, 1234);
        guest.Connect();
        Socket server = listener.Accept();
        server.ReceiveTimeout = server.SendTimeout = 30_000;
        return (guest, server);
    }

    private static byte[] Bytes(int count)
    {
        byte[] bytes = new byte[count];
        new Random(count).NextBytes(bytes);
        return bytes;
    }

    private static byte[] ReceiveAll(Socket socket, int count)
    {
        byte[] buffer = new byte[count];
        for (int done = 0; done < count;)
        {
            int length = socket.Receive(buffer, done, count - done, SocketFlags.None);
            Assert.NotEqual(0, length);
            done += length;
        }
        return buffer;
    }

    private static bool IsData(byte[] frame) => frame[23] == 6 && frame.Length > 54;

    [Fact]
    public void Echo_over_a_connection_of_the_guest_and_orderly_close_by_the_guest()
    {
        (GuestTcp guest, Socket server) = Connected();
        using Socket _ = server;
        byte[] sent = Bytes(3000);
        guest.Send(GuestTcp.Ack, sent.AsSpan(0, 1000));
        guest.Send(GuestTcp.Ack, sent.AsSpan(1000));
        byte[] received = ReceiveAll(server, 3000);
        Assert.Equal(sent, received);
        server.Send(received);
        Assert.Equal(sent, guest.ReceiveBytes(3000));

        guest.Send(GuestTcp.Fin | GuestTcp.Ack);
        Assert.Equal(0, server.Receive(new byte[1]));
        server.Shutdown(SocketShutdown.Both);
        GuestTcp.Segment fin = guest.ReceiveUntil(segment => (segment.Flags & GuestTcp.Fin) != 0);
        Assert.Equal(guest.Expected, fin.Sequence);
        Assert.Equal(guest.Next, fin.Acknowledgment);
        guest.Expected++;
        guest.Send(GuestTcp.Ack);
        // A lost last ACK is sent again for a while.
        guest.Send(GuestTcp.Fin | GuestTcp.Ack, sequence: guest.Next - 1);
        Assert.Equal(guest.Next, guest.Receive().Acknowledgment);
    }

    [Fact]
    public void Close_by_the_host_leaves_the_other_direction_open()
    {
        (GuestTcp guest, Socket server) = Connected();
        using Socket _ = server;
        server.Send("bye"u8);
        server.Shutdown(SocketShutdown.Send);
        Assert.Equal("bye"u8.ToArray(), guest.ReceiveBytes(3));
        guest.ReceiveUntil(segment => (segment.Flags & GuestTcp.Fin) != 0);
        guest.Expected++;
        guest.Send(GuestTcp.Ack);
        guest.Send(GuestTcp.Ack, "still here"u8);
        Assert.Equal("still here"u8.ToArray(), ReceiveAll(server, 10));
        guest.Send(GuestTcp.Fin | GuestTcp.Ack);
        Assert.Equal(0, server.Receive(new byte[1]));
    }

    [Fact]
    public void Large_segment_and_bulk_both_ways_arrive_whole()
    {
        (GuestTcp guest, Socket server) = Connected();
        using Socket _ = server;
        byte[] sent = Bytes(60_000);
        guest.Send(GuestTcp.Ack, sent);
        Assert.Equal(sent, ReceiveAll(server, sent.Length));
        byte[] back = Bytes(500_000);
        Thread sending = new(() => server.Send(back));
        sending.Start();
        Assert.Equal(back, guest.ReceiveBytes(back.Length));
        sending.Join();
    }

    [Fact]
    public void Refused_connection_and_stray_segment_get_a_reset()
    {
        listener.Dispose();
        using Socket unused = new(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        unused.Bind(new IPEndPoint(IPAddress.Loopback, 0)); // bound, but nobody listens
        GuestTcp guest = new(station, GuestStation.Gateway, ((IPEndPoint)unused.LocalEndPoint!).Port, 1234);
        guest.SendSyn();
        GuestTcp.Segment answer = guest.Receive();
        Assert.Equal(GuestTcp.Rst | GuestTcp.Ack, answer.Flags);
        Assert.Equal(guest.Next, answer.Acknowledgment);

        guest.Expected = 77;
        guest.Send(GuestTcp.Ack, "x"u8);
        answer = guest.Receive();
        Assert.Equal(GuestTcp.Rst, answer.Flags);
        Assert.Equal(77u, answer.Sequence);
    }

    [Fact]
    public void Reset_by_the_guest_reaches_the_host_and_the_other_way_round()
    {
        (GuestTcp guest, Socket server) = Connected();
        guest.Send(GuestTcp.Rst);
        Assert.Equal(SocketError.ConnectionReset, Assert.Throws<SocketException>(() => server.Receive(new byte[1])).SocketErrorCode);
        server.Dispose();

        (guest, server) = Connected();
        server.LingerState = new LingerOption(true, 0);
        server.Dispose();
        Assert.Equal(guest.Expected, guest.ReceiveUntil(segment => (segment.Flags & GuestTcp.Rst) != 0).Sequence);
    }

    [Fact]
    public void Lost_segment_is_sent_again_after_a_timeout()
    {
        (GuestTcp guest, Socket server) = Connected();
        using Socket _ = server;
        using ManualResetEventSlim lost = new();
        station.Lose = frame =>
        {
            if (!IsData(frame))
                return false;
            lost.Set();
            return true;
        };
        server.Send("precious"u8);
        Assert.True(lost.Wait(TimeSpan.FromSeconds(30)));
        station.Lose = _ => false;
        station.Settle();
        clock.Advance(TimeSpan.FromMilliseconds(100));
        Assert.True(station.IsQuiet);
        clock.Advance(TimeSpan.FromSeconds(1));
        Assert.Equal("precious"u8.ToArray(), guest.ReceiveBytes(8));
    }

    [Fact]
    public void Three_duplicate_acknowledgments_bring_a_lost_segment_without_a_timeout()
    {
        (GuestTcp guest, Socket server) = Connected();
        using Socket _ = server;
        bool lost = false;
        station.Lose = frame => IsData(frame) && !lost && (lost = true);
        byte[] sent = Bytes(8000);
        server.Send(sent);
        // The model acknowledges each segment after the gap with the same number.
        Assert.Equal(sent, guest.ReceiveBytes(sent.Length));
        Assert.True(lost);
    }

    [Fact]
    public void Guest_that_never_answers_is_given_up()
    {
        (GuestTcp guest, Socket server) = Connected();
        using Socket _ = server;
        server.Send("hello"u8);
        guest.ReceiveUntil(segment => segment.Payload.Length > 0);
        station.Settle();
        for (int i = 0; i < 12; i++)
            clock.Advance(TimeSpan.FromSeconds(30));
        Assert.Equal(SocketError.ConnectionReset, Assert.Throws<SocketException>(() => server.Receive(new byte[1])).SocketErrorCode);
        guest.ReceiveUntil(segment => (segment.Flags & GuestTcp.Rst) != 0);
    }

    [Fact]
    public void Window_of_the_guest_is_kept_and_a_closed_one_is_probed()
    {
        (GuestTcp guest, Socket server) = Connected();
        using Socket _ = server;
        guest.Window = 0;
        guest.Send(GuestTcp.Ack);
        server.Send(Bytes(3000));
        // The data is in the NAT when it asks for the timer; before that a step of the clock does nothing.
        Assert.True(SpinWait.SpinUntil(() =>
        {
            clock.Advance(TimeSpan.FromSeconds(1));
            return !station.IsQuiet;
        }, TimeSpan.FromSeconds(30)));
        GuestTcp.Segment probe = guest.Receive();
        Assert.Single(probe.Payload);
        Assert.Equal(guest.Expected, probe.Sequence);
        guest.Window = 1500;
        guest.Send(GuestTcp.Ack);
        int total = 0;
        uint edge = guest.Expected + 1500;
        while (total < 1499)
        {
            GuestTcp.Segment segment = guest.ReceiveUntil(s => s.Payload.Length > 0);
            Assert.True((int)(edge - (segment.Sequence + (uint)segment.Payload.Length)) >= 0);
            total += segment.Payload.Length;
        }
        Assert.True(station.IsQuiet);
    }

    [Fact]
    public void Window_of_the_nat_closes_when_the_host_does_not_read_and_opens_again()
    {
        (GuestTcp guest, Socket server) = Connected();
        using Socket _ = server;
        byte[] chunk = Bytes(16384);
        int sent = 0;
        GuestTcp.Segment answer;
        do
        {
            guest.Send(GuestTcp.Ack, chunk);
            sent += chunk.Length;
            answer = guest.Receive();
            while (answer.Acknowledgment != guest.Next && answer.Window != 0)
                answer = guest.Receive();
        }
        while (answer.Window << guest.PeerScale >= chunk.Length && sent < 64 << 20);
        Assert.InRange(sent, chunk.Length, 63 << 20);
        int accepted = sent - (int)(guest.Next - answer.Acknowledgment);
        byte[] received = ReceiveAll(server, accepted);
        for (int i = 0; i < accepted; i++)
            Assert.Equal(chunk[i % chunk.Length], received[i]);
        guest.ReceiveUntil(segment => segment.Window << guest.PeerScale >= 65536);
    }

    [Fact]
    public void Segment_out_of_order_is_asked_for_again_and_overlap_is_cut()
    {
        (GuestTcp guest, Socket server) = Connected();
        using Socket _ = server;
        guest.Send(GuestTcp.Ack, "world"u8, sequence: guest.Next + 6);
        Assert.Equal(guest.Next, guest.Receive().Acknowledgment);
        guest.Send(GuestTcp.Ack, "hello "u8);
        guest.Send(GuestTcp.Ack, "o world"u8, sequence: guest.Next - 2);
        Assert.Equal("hello world"u8.ToArray(), ReceiveAll(server, 11));
    }

    [Fact]
    public void Forwarded_port_calls_the_guest()
    {
        using Socket client = new(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp) { ReceiveTimeout = 30_000 };
        client.Connect(new IPEndPoint(IPAddress.Loopback, nat.ForwardedPorts[0]));
        byte[] syn = station.NextIp(6, GuestStation.Gateway);
        Assert.Equal(GuestTcp.Syn, syn[13]);
        Assert.Equal(22, BinaryPrimitives.ReadUInt16BigEndian(syn.AsSpan(2)));
        GuestTcp guest = new(station, GuestStation.Gateway, BinaryPrimitives.ReadUInt16BigEndian(syn), 22)
        {
            Expected = BinaryPrimitives.ReadUInt32BigEndian(syn.AsSpan(4)) + 1,
        };
        station.Settle();
        clock.Advance(TimeSpan.FromSeconds(1));
        Assert.Equal(GuestTcp.Syn, guest.Receive().Flags);
        guest.SendSyn(GuestTcp.Syn | GuestTcp.Ack);
        Assert.Equal(guest.Next, guest.ReceiveUntil(segment => segment.Flags == GuestTcp.Ack).Acknowledgment);
        guest.Send(GuestTcp.Ack, "SSH-2.0"u8);
        Assert.Equal("SSH-2.0"u8.ToArray(), ReceiveAll(client, 7));
        client.Send("hi"u8);
        Assert.Equal("hi"u8.ToArray(), guest.ReceiveBytes(2));
    }

    [Fact]
    public void Guest_that_refuses_a_forwarded_call_closes_it()
    {
        using Socket client = new(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp) { ReceiveTimeout = 30_000 };
        client.Connect(new IPEndPoint(IPAddress.Loopback, nat.ForwardedPorts[0]));
        byte[] syn = station.NextIp(6, GuestStation.Gateway);
        GuestTcp guest = new(station, GuestStation.Gateway, BinaryPrimitives.ReadUInt16BigEndian(syn), 22)
        {
            Expected = BinaryPrimitives.ReadUInt32BigEndian(syn.AsSpan(4)) + 1,
            Next = 0,
        };
        guest.Send(GuestTcp.Rst | GuestTcp.Ack);
        Assert.Throws<SocketException>(() => client.Receive(new byte[1]));
    }

    [Fact]
    public void Number_of_connections_is_bounded()
    {
        for (int port = 2000; port < 2256; port++)
            new GuestTcp(station, GuestStation.Gateway, ServerPort, port).Connect();
        GuestTcp last = new(station, GuestStation.Gateway, ServerPort, 3000);
        last.SendSyn();
        Assert.Equal(GuestTcp.Rst | GuestTcp.Ack, last.Receive().Flags);
    }
}
