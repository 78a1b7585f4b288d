using System.Runtime.InteropServices;
using System.Text;
using FastXen.Events;
using FastXen.Xen.Xenstore;

namespace FastXen.Xen.Tests.Xenstore;

/// <summary>A client of a store without a transport: requests are answered at once.</summary>
internal sealed class StoreTester(XenstoreServer server, ushort domain, bool isDomain = true) : IEventSink
{
    private uint request;

    public XenstoreConnection Connection { get => field ??= server.Connect(domain, this, isDomain); }

    public Queue<string> Events { get; } = new();

    public int Signals { get; private set; }

    public void Signal() => Signals++;

    /// <summary>The answer's payload, or "!" and the error.</summary>
    public string Ask(RequestType type, string payload, uint transaction = 0)
    {
        server.Process(Connection, new MessageHeader(type, ++request, transaction, 0), Encoding.Latin1.GetBytes(payload));
        string? answer = null;
        foreach ((MessageHeader header, string text) in Take())
        {
            if (header.Type == RequestType.WatchEvent)
            {
                Assert.Equal((0u, 0u), (header.Request, header.Transaction));
                Events.Enqueue(text[..^1].Replace('\0', ' '));
                continue;
            }
            Assert.Null(answer);
            Assert.Equal((request, transaction), (header.Request, header.Transaction));
            Assert.True(header.Type == type || header.Type == RequestType.Error);
            answer = header.Type == RequestType.Error ? "!" + text.TrimEnd('\0') : text;
        }
        Assert.NotNull(answer);
        return answer;
    }

    public string Read(string path, uint transaction = 0) => Ask(RequestType.Read, path + "\0", transaction);

    public string Write(string path, string value, uint transaction = 0) => Ask(RequestType.Write, $"{path}\0{value}", transaction).TrimEnd('\0');

    public string Make(string path, uint transaction = 0) => Ask(RequestType.MakeDirectory, path + "\0", transaction).TrimEnd('\0');

    public string Remove(string path, uint transaction = 0) => Ask(RequestType.Remove, path + "\0", transaction).TrimEnd('\0');

    public string List(string path, uint transaction = 0) => Ask(RequestType.Directory, path + "\0", transaction).TrimEnd('\0').Replace('\0', ' ');

    public string Watch(string path, string token) => Ask(RequestType.Watch, $"{path}\0{token}\0").TrimEnd('\0');

    public string Unwatch(string path, string token) => Ask(RequestType.Unwatch, $"{path}\0{token}\0").TrimEnd('\0');

    public string Permissions(string path) => Ask(RequestType.GetPermissions, path + "\0").TrimEnd('\0').Replace('\0', ' ');

    public string SetPermissions(string path, string permissions, uint transaction = 0) =>
        Ask(RequestType.SetPermissions, $"{path}\0{permissions.Replace(' ', '\0')}\0", transaction).TrimEnd('\0');

    public uint Start() => uint.Parse(Ask(RequestType.TransactionStart, "\0").TrimEnd('\0'));

    public string End(uint transaction, bool commit = true) => Ask(RequestType.TransactionEnd, commit ? "T\0" : "F\0", transaction).TrimEnd('\0');

    public string TakeEvents()
    {
        foreach ((MessageHeader header, string text) in Take())
        {
            Assert.Equal(RequestType.WatchEvent, header.Type);
            Events.Enqueue(text[..^1].Replace('\0', ' '));
        }
        string all = string.Join(", ", Events);
        Events.Clear();
        return all;
    }

    private IEnumerable<(MessageHeader Header, string Text)> Take()
    {
        while (Connection.TryTake(out byte[] message))
        {
            MessageHeader header = MemoryMarshal.Read<MessageHeader>(message);
            Assert.Equal(message.Length, MessageHeader.Size + (int)header.Length);
            Assert.True(header.Length <= MessageHeader.MaximumPayload);
            yield return (header, Encoding.Latin1.GetString(message.AsSpan(MessageHeader.Size)));
        }
    }
}
