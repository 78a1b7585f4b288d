using System.Text;
using FastXen.Events;

namespace FastXen.Xen.Xenstore;

/// <summary>
/// A client of the store. Messages for it wait here until its transport takes them; what waits is bounded: transports take requests only
/// while nothing waits, equal events wait once, and with too many a watch's events become one of its own path.
/// </summary>
public sealed class XenstoreConnection
{
    private const int MaximumEvents = 1024;

    private readonly Queue<(byte[] Message, (string, string)? Event)> output = new();
    private readonly HashSet<(string, string)> waiting = [];

    internal XenstoreConnection(Identity identity, IEventSink transport, bool isDomain)
    {
        Identity = identity;
        IsDomain = isDomain;
        Transport = transport;
    }

    /// <summary>The domain in whose name it asks.</summary>
    public ushort Domain => Identity.Domain;

    internal Identity Identity { get; set; }

    internal IEventSink Transport { get; }

    // The domain itself is at the other end, not a tool in its name.
    internal bool IsDomain { get; }

    internal bool IsOpen { get; set; } = true;

    internal List<Watch> Watches { get; } = [];

    internal Dictionary<uint, Transaction> Transactions { get; } = [];

    internal uint LastTransaction { get; set; }

    /// <summary>Nothing waits for the client.</summary>
    internal bool IsIdle
    {
        get
        {
            lock (output)
                return output.Count == 0;
        }
    }

    /// <summary>Takes the next message to the client. Under no lock of the caller's that the server may want.</summary>
    internal bool TryTake(out byte[] message)
    {
        lock (output)
        {
            if (!output.TryDequeue(out (byte[] Message, (string, string)? Event) entry))
            {
                message = [];
                return false;
            }
            if (entry.Event is { } taken)
                waiting.Remove(taken);
            message = entry.Message;
            return true;
        }
    }

    internal void Reply(in MessageHeader header, ReadOnlySpan<byte> payload)
    {
        lock (output)
            output.Enqueue((header.ToMessage(payload), null));
        Transport.Signal();
    }

    internal void Notify(Watch watch, string path)
    {
        string shown = watch.Shown(path);
        lock (output)
        {
            if (waiting.Count >= MaximumEvents || shown.Length + watch.Token.Length + 2 > MessageHeader.MaximumPayload)
                shown = watch.Shown(watch.Path);
            if (!waiting.Add((shown, watch.Token)))
                return;
            byte[] payload = Encoding.Latin1.GetBytes($"{shown}\0{watch.Token}\0");
            output.Enqueue((new MessageHeader(RequestType.WatchEvent, 0, 0, 0).ToMessage(payload), (shown, watch.Token)));
        }
        Transport.Signal();
    }

    // The domain begins anew (INTRODUCE again), or is gone.
    internal void Forget()
    {
        Watches.Clear();
        Transactions.Clear();
        lock (output)
        {
            output.Clear();
            waiting.Clear();
        }
    }
}
