using System.Runtime.InteropServices;
using System.Text;

namespace FastXen.Xen.Xenstore;

/// <summary>An error that the store answered, by its name: "ENOENT".</summary>
public sealed class XenstoreException(string name) : Exception($"the store answers {name}")
{
    /// <summary>The error's name.</summary>
    public string Name => name;
}

/// <summary>A tool's side of a stream to the store. One thread at a time. Strings are Latin-1, so that any byte survives.</summary>
public sealed class XenstoreClient(Stream stream) : IDisposable
{
    private readonly Queue<(string Path, string Token)> events = new();
    private uint request;

    /// <summary>Sends a request and waits for its answer. Throws <see cref="XenstoreException"/>, or an <see cref="IOException"/>.</summary>
    public string Ask(RequestType type, string payload, uint transaction = 0)
    {
        request++;
        stream.Write(new MessageHeader(type, request, transaction, 0).ToMessage(Encoding.Latin1.GetBytes(payload)));
        while (true)
        {
            (MessageHeader header, string answer) = Receive();
            if (header.Type == RequestType.WatchEvent)
                Keep(answer);
            else if (header.Request == request)
                return header.Type == RequestType.Error ? throw new XenstoreException(answer.TrimEnd('\0')) : answer;
        }
    }

    /// <summary>The value of a node.</summary>
    public string Read(string path) => Ask(RequestType.Read, path + "\0");

    /// <summary>Writes a node.</summary>
    public void Write(string path, string value) => Ask(RequestType.Write, $"{path}\0{value}");

    /// <summary>Removes a node and all below it.</summary>
    public void Remove(string path) => Ask(RequestType.Remove, path + "\0");

    /// <summary>The names of a node's children.</summary>
    public string[] List(string path) => Ask(RequestType.Directory, path + "\0").Split('\0', StringSplitOptions.RemoveEmptyEntries);

    /// <summary>Watches a path; the first event comes at once.</summary>
    public void Watch(string path, string token) => Ask(RequestType.Watch, $"{path}\0{token}\0");

    /// <summary>Waits for the next event of a watch.</summary>
    public (string Path, string Token) NextEvent()
    {
        while (events.Count == 0)
        {
            (MessageHeader header, string answer) = Receive();
            if (header.Type == RequestType.WatchEvent)
                Keep(answer);
        }
        return events.Dequeue();
    }

    /// <inheritdoc/>
    public void Dispose() => stream.Dispose();

    private void Keep(string payload)
    {
        string[] strings = payload.Split('\0');
        events.Enqueue((strings[0], strings.ElementAtOrDefault(1) ?? ""));
    }

    private (MessageHeader Header, string Payload) Receive()
    {
        Span<byte> head = stackalloc byte[MessageHeader.Size];
        stream.ReadExactly(head);
        MessageHeader header = MemoryMarshal.Read<MessageHeader>(head);
        if (header.Length > MessageHeader.MaximumPayload)
            throw new IOException("the store sent a message that is too long");
        var payload = new byte[header.Length];
        stream.ReadExactly(payload);
        return (header, Encoding.Latin1.GetString(payload));
    }
}
