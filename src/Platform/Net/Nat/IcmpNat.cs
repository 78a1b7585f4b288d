using System.Buffers.Binary;
using System.Net.Sockets;

namespace FastXen.Platform.Net.Nat;

/// <summary>
/// Echo for the guest: the gateway and the name server answer themselves; other hosts are asked through an unprivileged ping socket,
/// if the host allows those (net.ipv4.ping_group_range).
/// </summary>
internal sealed class IcmpNat(NatOptions options, FrameWriter writer, Lock gate)
{
    private const byte EchoReply = 0;
    private const byte EchoRequest = 8;
    private const int Header = 8;
    private const int MaxPending = 16;
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(10);

    private int pending;

    public void Handle(in Ipv4Packet packet)
    {
        ReadOnlySpan<byte> echo = packet.Payload;
        if (echo.Length < Header || echo[0] != EchoRequest)
            return;
        if (packet.Destination == options.Gateway || packet.Destination == options.Dns)
            Reply(packet.Destination, packet.Source, echo);
        else if (!options.Restrict && !packet.Destination.IsSpecial && pending < MaxPending)
            _ = Ask(packet.Destination, packet.Source, echo.ToArray());
    }

    private async Task Ask(Ipv4Address host, Ipv4Address guest, byte[] echo)
    {
        pending++;
        try
        {
            using Socket socket = new(AddressFamily.InterNetwork, SocketType.Dgram, ProtocolType.Icmp);
            using CancellationTokenSource patience = new(Patience);
            await socket.ConnectAsync(host.EndPoint(0), patience.Token).ConfigureAwait(false);
            byte[] answer = new byte[65536];
            // The host puts in its own identifier and checksum.
            await socket.SendAsync(echo, SocketFlags.None, patience.Token).ConfigureAwait(false);
            int length = await socket.ReceiveAsync(answer, SocketFlags.None, patience.Token).ConfigureAwait(false);
            if (length >= Header && answer[0] == EchoReply && length == echo.Length)
            {
                echo.AsSpan(4, 4).CopyTo(answer.AsSpan(4));
                lock (gate)
                    Reply(host, guest, answer.AsSpan(0, length));
            }
        }
        catch (Exception e) when (e is SocketException or OperationCanceledException)
        {
            // No answer, as on any network.
        }
        finally
        {
            lock (gate)
                pending--;
        }
    }

    private void Reply(Ipv4Address from, Ipv4Address to, ReadOnlySpan<byte> echo)
    {
        Span<byte> reply = writer.Payload[..echo.Length];
        echo.CopyTo(reply);
        reply[0] = EchoReply;
        BinaryPrimitives.WriteUInt16BigEndian(reply[2..], 0);
        BinaryPrimitives.WriteUInt16BigEndian(reply[2..], InternetChecksum.Fold(InternetChecksum.Add(0, reply)));
        writer.SendIpv4(Ipv4Packet.Icmp, from, to, echo.Length);
    }
}
