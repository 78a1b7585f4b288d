using System.Runtime.InteropServices;
using System.Text;
using FastXen.Xen.Xenstore;

namespace FastXen.Xen.Tests.Xenstore;

/// <summary>The ring to the store as a domain's kernel uses it.</summary>
internal static unsafe class GuestRing
{
    public const ulong RingFrame = 62;
    public const int RequestConsumer = 2048, RequestProducer = 2052, ResponseConsumer = 2056, ResponseProducer = 2060;

    public static ref uint Index(Guest guest, int offset) => ref *(uint*)(guest.Host(RingFrame) + offset);

    public static void Await(Func<bool> condition)
    {
        for (int i = 0; i < 20_000; i++)
        {
            if (condition())
                return;
            Thread.Sleep(1);
        }
        Assert.Fail("nothing happened");
    }

    public static void Send(Guest guest, uint port, ReadOnlySpan<byte> bytes)
    {
        foreach (byte b in bytes)
        {
            if (Index(guest, RequestProducer) - Volatile.Read(ref Index(guest, RequestConsumer)) == 1024)
            {
                guest.Domain.EventChannels.Send(port);
                Await(() => Index(guest, RequestProducer) - Volatile.Read(ref Index(guest, RequestConsumer)) < 1024);
            }
            guest.Host(RingFrame)[Index(guest, RequestProducer) & 1023] = b;
            Volatile.Write(ref Index(guest, RequestProducer), Index(guest, RequestProducer) + 1);
        }
        guest.Domain.EventChannels.Send(port);
    }

    public static byte[] Receive(Guest guest, uint port, int count)
    {
        var bytes = new byte[count];
        for (int i = 0; i < count; i++)
        {
            Await(() => Index(guest, ResponseConsumer) != Volatile.Read(ref Index(guest, ResponseProducer)));
            bytes[i] = guest.Host(RingFrame)[1024 + (Index(guest, ResponseConsumer) & 1023)];
            Volatile.Write(ref Index(guest, ResponseConsumer), Index(guest, ResponseConsumer) + 1);
            if ((Index(guest, ResponseConsumer) & 255) == 0)
                guest.Domain.EventChannels.Send(port);
        }
        guest.Domain.EventChannels.Send(port);
        return bytes;
    }

    public static string Ask(Guest guest, uint port, RequestType type, string payload)
    {
        Send(guest, port, new MessageHeader(type, 7, 0, 0).ToMessage(Encoding.Latin1.GetBytes(payload)));
        MessageHeader header = MemoryMarshal.Read<MessageHeader>(Receive(guest, port, MessageHeader.Size));
        return $"{header.Type}:{Encoding.Latin1.GetString(Receive(guest, port, (int)header.Length))}";
    }
}
