using System.Buffers.Binary;
using System.Net;
using System.Net.Sockets;
using FastXen.Platform.Net.Nat;

namespace FastXen.Platform.Tests.Devices;

public sealed class NatTests
{
    private static readonly NatOptions Loopback = new() { AllowHostLoopback = true };

    private static Socket UdpServer()
    {
        Socket socket = new(AddressFamily.InterNetwork, SocketType.Dgram, ProtocolType.Udp) { ReceiveTimeout = 30_000 };
        socket.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        return socket;
    }

    private static int PortOf(Socket socket) => ((IPEndPoint)socket.LocalEndPoint!).Port;

    private static byte[] Arp(uint wanted)
    {
        byte[] arp = new byte[28];
        BinaryPrimitives.WriteUInt64BigEndian(arp, 0x0001_0800_0604_0001);
        GuestStation.Mac.CopyTo(arp, 8);
        BinaryPrimitives.WriteUInt32BigEndian(arp.AsSpan(14), GuestStation.Address);
        BinaryPrimitives.WriteUInt32BigEndian(arp.AsSpan(24), wanted);
        return arp;
    }

    private static byte[] Dhcp(byte type, uint? requested = null)
    {
        byte[] message = new byte[300];
        message[0] = 1;
        message[1] = 1;
        message[2] = 6;
        BinaryPrimitives.WriteUInt32BigEndian(message.AsSpan(4), 0xdeadbeef);
        GuestStation.Mac.CopyTo(message, 28);
        BinaryPrimitives.WriteUInt32BigEndian(message.AsSpan(236), 0x63825363);
        int at = 240;
        message[at++] = 53;
        message[at++] = 1;
        message[at++] = type;
        if (requested is { } address)
        {
            message[at++] = 50;
            message[at++] = 4;
            BinaryPrimitives.WriteUInt32BigEndian(message.AsSpan(at), address);
            at += 4;
        }
        message[at] = 255;
        return message;
    }

    private static Dictionary<int, byte[]> Options(byte[] reply)
    {
        Assert.Equal(2, reply[0]);
        Assert.Equal(0xdeadbeef, BinaryPrimitives.ReadUInt32BigEndian(reply.AsSpan(4)));
        Assert.Equal(GuestStation.Mac, reply[28..34]);
        Dictionary<int, byte[]> options = [];
        for (int at = 240; reply[at] != 255; at += 2 + reply[at + 1])
            options.Add(reply[at], reply[(at + 2)..(at + 2 + reply[at + 1])]);
        return options;
    }

    [Theory]
    [InlineData(GuestStation.Gateway)]
    [InlineData(GuestStation.Dns)]
    public void Router_answers_arp_for_its_addresses(uint wanted)
    {
        using NatBackend nat = new();
        GuestStation guest = new(nat);
        guest.SendEthernet(0x0806, Arp(GuestStation.Address));
        guest.SendEthernet(0x0806, Arp(0x0a000263));
        Assert.True(guest.IsQuiet);
        guest.SendEthernet(0x0806, Arp(wanted));
        byte[] reply = guest.Next();
        Assert.Equal(GuestStation.Mac, reply[..6]);
        Assert.Equal(reply[6..12], reply[22..28]);
        Assert.Equal(0x0002, BinaryPrimitives.ReadUInt16BigEndian(reply.AsSpan(20)));
        Assert.Equal(wanted, BinaryPrimitives.ReadUInt32BigEndian(reply.AsSpan(28)));
        Assert.Equal(GuestStation.Mac, reply[32..38]);
        Assert.Equal(GuestStation.Address, BinaryPrimitives.ReadUInt32BigEndian(reply.AsSpan(38)));
    }

    [Fact]
    public void Dhcp_leads_from_discover_to_a_lease()
    {
        using NatBackend nat = new();
        GuestStation guest = new(nat);
        guest.SendUdp(68, uint.MaxValue, 67, Dhcp(1), source: 0);
        byte[] offer = guest.NextUdp(GuestStation.Gateway, 67, 68, uint.MaxValue);
        Assert.Equal([2], Options(offer)[53]);
        Assert.Equal(GuestStation.Address, BinaryPrimitives.ReadUInt32BigEndian(offer.AsSpan(16)));

        guest.SendUdp(68, uint.MaxValue, 67, Dhcp(3, GuestStation.Address), source: 0);
        byte[] ack = guest.NextUdp(GuestStation.Gateway, 67, 68, uint.MaxValue);
        Dictionary<int, byte[]> options = Options(ack);
        Assert.Equal([5], options[53]);
        Assert.Equal([255, 255, 255, 0], options[1]);
        Assert.Equal([10, 0, 2, 2], options[3]);
        Assert.Equal([10, 0, 2, 3], options[6]);
        Assert.Equal([10, 0, 2, 2], options[54]);

        guest.SendUdp(68, uint.MaxValue, 67, Dhcp(3, 0xc0a80005), source: 0);
        byte[] nak = guest.NextUdp(GuestStation.Gateway, 67, 68, uint.MaxValue);
        Assert.Equal([6], Options(nak)[53]);
        Assert.Equal(0u, BinaryPrimitives.ReadUInt32BigEndian(nak.AsSpan(16)));
    }

    [Fact]
    public void Gateway_answers_echo()
    {
        using NatBackend nat = new();
        GuestStation guest = new(nat);
        byte[] echo = [8, 0, 0, 0, 0x12, 0x34, 0, 7, 1, 2, 3, 4, 5];
        guest.SendIp(1, GuestStation.Gateway, echo);
        byte[] reply = guest.NextIp(1, GuestStation.Gateway);
        Assert.Equal(0, reply[0]);
        Assert.Equal(echo[4..], reply[4..]);
    }

    [Theory]
    [InlineData(1)]
    [InlineData(1472)]
    [InlineData(9000)]
    public void Udp_goes_to_a_server_of_the_host_and_back(int length)
    {
        using Socket server = UdpServer();
        using NatBackend nat = new(Loopback);
        GuestStation guest = new(nat);
        byte[] sent = new byte[length];
        new Random(length).NextBytes(sent);
        guest.SendUdp(5000, GuestStation.Gateway, PortOf(server), sent);
        byte[] buffer = new byte[65536];
        EndPoint peer = new IPEndPoint(IPAddress.Any, 0);
        int received = server.ReceiveFrom(buffer, ref peer);
        Assert.Equal(sent, buffer[..received]);
        server.SendTo(buffer.AsSpan(0, received), peer);
        Assert.Equal(sent, guest.NextUdp(GuestStation.Gateway, PortOf(server), 5000));
    }

    [Fact]
    public void Only_those_whom_the_guest_called_can_answer()
    {
        using Socket server = UdpServer();
        using Socket stranger = UdpServer();
        using NatBackend nat = new(Loopback);
        GuestStation guest = new(nat);
        guest.SendUdp(5000, GuestStation.Gateway, PortOf(server), "hi"u8);
        byte[] buffer = new byte[64];
        EndPoint peer = new IPEndPoint(IPAddress.Any, 0);
        server.ReceiveFrom(buffer, ref peer);
        stranger.SendTo("evil"u8, peer);
        server.SendTo("good"u8, peer);
        Assert.Equal("good"u8.ToArray(), guest.NextUdp(GuestStation.Gateway, PortOf(server), 5000));
    }

    [Fact]
    public void Loopback_of_the_host_is_closed_unless_allowed()
    {
        using Socket server = UdpServer();
        using (NatBackend closed = new())
        {
            GuestStation guest = new(closed);
            guest.SendUdp(5000, GuestStation.Gateway, PortOf(server), "no"u8);
            guest.SendUdp(5000, 0x7f000001, PortOf(server), "no"u8);
        }
        using (NatBackend open = new(Loopback))
        {
            GuestStation guest = new(open);
            guest.SendUdp(5000, 0x7f000001, PortOf(server), "no"u8);
            guest.SendUdp(5000, GuestStation.Gateway, PortOf(server), "yes"u8);
        }
        byte[] buffer = new byte[64];
        Assert.Equal(3, server.Receive(buffer));
        Assert.Equal(0, server.Available);
    }

    [Fact]
    public void Name_queries_go_to_the_resolver_and_no_other_port()
    {
        using Socket resolver = UdpServer();
        using NatBackend nat = new(new NatOptions { Resolver = (IPEndPoint)resolver.LocalEndPoint!, Restrict = true });
        GuestStation guest = new(nat);
        guest.SendUdp(6000, GuestStation.Dns, 54, "bad"u8);
        guest.SendUdp(6000, GuestStation.Dns, 53, "query"u8);
        byte[] buffer = new byte[64];
        EndPoint peer = new IPEndPoint(IPAddress.Any, 0);
        Assert.Equal(5, resolver.ReceiveFrom(buffer, ref peer));
        resolver.SendTo("answer"u8, peer);
        Assert.Equal("answer"u8.ToArray(), guest.NextUdp(GuestStation.Dns, 53, 6000));
    }

    [Fact]
    public void Forwarded_udp_port_reaches_the_guest_and_answers_find_their_peer()
    {
        using NatBackend nat = new(new NatOptions { HostForwards = [new HostForward(true, IPAddress.Loopback, 0, 7777)] });
        GuestStation guest = new(nat);
        using Socket one = UdpServer();
        using Socket two = UdpServer();
        IPEndPoint forwarded = new(IPAddress.Loopback, nat.ForwardedPorts[0]);
        foreach (Socket client in (Socket[])[one, two])
        {
            client.SendTo("ping"u8, forwarded);
            byte[] datagram = guest.NextIp(17, GuestStation.Gateway);
            Assert.Equal(7777, BinaryPrimitives.ReadUInt16BigEndian(datagram.AsSpan(2)));
            Assert.Equal("ping"u8.ToArray(), datagram[8..]);
            guest.SendUdp(7777, GuestStation.Gateway, BinaryPrimitives.ReadUInt16BigEndian(datagram), "pong"u8);
            byte[] buffer = new byte[64];
            Assert.Equal(4, client.Receive(buffer));
            Assert.Equal("pong"u8.ToArray(), buffer[..4]);
        }
    }

    [Fact]
    public void Port_that_is_taken_is_named()
    {
        using Socket taken = UdpServer();
        NatOptions options = new() { HostForwards = [new HostForward(true, IPAddress.Loopback, PortOf(taken), 1)] };
        string message = Assert.Throws<DeviceConfigurationException>(() => new NatBackend(options)).Message;
        Assert.Contains($"UDP 127.0.0.1:{PortOf(taken)}", message, StringComparison.Ordinal);
    }

    [Fact]
    public void Random_frames_are_survived()
    {
        Random random = new(11);
        using NatBackend nat = new(new NatOptions { Restrict = true });
        GuestStation guest = new(nat);
        byte[] arp = Arp(GuestStation.Gateway);
        byte[] dhcp = Dhcp(3, GuestStation.Address);
        for (int i = 0; i < 20_000; i++)
        {
            byte[] bytes = new byte[random.Next(400)];
            random.NextBytes(bytes);
            switch (random.Next(6))
            {
                case 0:
                    nat.Send(bytes);
                    break;
                case 1:
                    guest.SendEthernet(random.Next(2) == 0 ? (ushort)0x0800 : (ushort)0x0806, bytes);
                    break;
                case 2:
                    byte[] mangled = (byte[])dhcp.Clone();
                    for (int n = 0; n < 5; n++)
                        mangled[random.Next(mangled.Length)] = (byte)random.Next(256);
                    guest.SendUdp(68, uint.MaxValue, 67, mangled.AsSpan(0, random.Next(mangled.Length + 1)));
                    break;
                case 3:
                    guest.SendIp((byte)(random.Next(3) switch { 0 => 1, 1 => 6, _ => 17 }), GuestStation.Gateway, bytes);
                    break;
                case 4:
                    byte[] broken = (byte[])arp.Clone();
                    broken[random.Next(broken.Length)] = (byte)random.Next(256);
                    guest.SendEthernet(0x0806, broken.AsSpan(0, random.Next(broken.Length + 1)));
                    break;
                default:
                    byte[] segment = new byte[20 + random.Next(60)];
                    random.NextBytes(segment);
                    segment[12] = (byte)(5 + random.Next(11) << 4);
                    guest.SendIp(6, (uint)random.NextInt64(), segment);
                    break;
            }
        }
        while (!guest.IsQuiet)
            guest.Next();
        guest.SendEthernet(0x0806, arp);
        Assert.Equal(42, guest.Next().Length);
    }
}
