using System.Buffers.Binary;

namespace FastXen.Platform.Net.Nat;

/// <summary>A DHCP server for one guest (RFC 2131): it always gives the same address.</summary>
internal sealed class DhcpServer(NatOptions options, FrameWriter writer)
{
    public const int ServerPort = 67;

    private const int ClientPort = 68;
    private const int OptionsStart = 240;
    private const uint MagicCookie = 0x6382_5363;
    private const uint LeaseSeconds = 86400;

    private const byte Discover = 1;
    private const byte Offer = 2;
    private const byte Request = 3;
    private const byte Ack = 5;
    private const byte Nak = 6;
    private const byte Inform = 8;

    private const byte SubnetMaskOption = 1;
    private const byte RouterOption = 3;
    private const byte DnsOption = 6;
    private const byte RequestedAddressOption = 50;
    private const byte LeaseOption = 51;
    private const byte MessageTypeOption = 53;
    private const byte ServerOption = 54;
    private const byte EndOption = 255;

    /// <summary>Answers a message of the guest.</summary>
    public void Handle(ReadOnlySpan<byte> message)
    {
        if (message.Length < OptionsStart || message[0] != 1 || BinaryPrimitives.ReadUInt32BigEndian(message[236..]) != MagicCookie)
            return;
        if (Find(message, MessageTypeOption) is not [byte type])
            return;
        ReadOnlySpan<byte> server = Find(message, ServerOption);
        if (server.Length == 4 && Ipv4Address.Read(server) != options.Gateway)
            return;
        switch (type)
        {
            case Discover:
                Reply(message, Offer);
                break;
            case Request:
                ReadOnlySpan<byte> requested = Find(message, RequestedAddressOption);
                Ipv4Address wanted = Ipv4Address.Read(requested.Length == 4 ? requested : message[12..]);
                Reply(message, wanted == options.Guest ? Ack : Nak);
                break;
            case Inform:
                Reply(message, Ack);
                break;
        }
    }

    private void Reply(ReadOnlySpan<byte> request, byte type)
    {
        Span<byte> reply = stackalloc byte[OptionsStart + 60];
        reply.Clear();
        reply[0] = 2;
        reply[1] = 1;
        reply[2] = 6;
        request.Slice(4, 4).CopyTo(reply[4..]); // transaction
        request.Slice(10, 2).CopyTo(reply[10..]); // flags
        if (type != Nak)
        {
            options.Guest.Write(reply[16..]);
            options.Gateway.Write(reply[20..]);
        }
        request.Slice(28, 16).CopyTo(reply[28..]); // hardware address
        BinaryPrimitives.WriteUInt32BigEndian(reply[236..], MagicCookie);
        int at = OptionsStart;
        Put(reply, ref at, MessageTypeOption, [type]);
        PutWord(reply, ref at, ServerOption, options.Gateway.Value);
        if (type != Nak)
        {
            PutWord(reply, ref at, LeaseOption, LeaseSeconds);
            PutWord(reply, ref at, SubnetMaskOption, uint.MaxValue << (32 - options.PrefixLength));
            PutWord(reply, ref at, RouterOption, options.Gateway.Value);
            PutWord(reply, ref at, DnsOption, options.Dns.Value);
        }
        reply[at] = EndOption;
        writer.SendUdp(options.Gateway, ServerPort, Ipv4Address.Broadcast, ClientPort, reply);
    }

    private static void PutWord(Span<byte> reply, ref int at, byte option, uint value)
    {
        Span<byte> bytes = stackalloc byte[4];
        BinaryPrimitives.WriteUInt32BigEndian(bytes, value);
        Put(reply, ref at, option, bytes);
    }

    private static void Put(Span<byte> reply, ref int at, byte option, ReadOnlySpan<byte> value)
    {
        reply[at++] = option;
        reply[at++] = (byte)value.Length;
        value.CopyTo(reply[at..]);
        at += value.Length;
    }

    private static ReadOnlySpan<byte> Find(ReadOnlySpan<byte> message, byte option)
    {
        ReadOnlySpan<byte> rest = message[OptionsStart..];
        while (rest.Length > 0 && rest[0] != EndOption)
        {
            if (rest[0] == 0)
            {
                rest = rest[1..];
                continue;
            }
            if (rest.Length < 2 || rest.Length < 2 + rest[1])
                break;
            if (rest[0] == option)
                return rest.Slice(2, rest[1]);
            rest = rest[(2 + rest[1])..];
        }
        return default;
    }
}
