using System.Runtime.InteropServices;
using FastXen.Events;

namespace FastXen.Xen.Xenstore;

/// <summary>A client of the store at the other end of a stream (a Unix socket): the same messages as in a ring.</summary>
public sealed class XenstoreStream : IEventSink, IDisposable
{
    private readonly XenstoreServer server;
    private readonly Stream stream;
    private readonly XenstoreConnection connection;
    private readonly SemaphoreSlim outputReady = new(0);
    private readonly SemaphoreSlim writing = new(1);

    /// <summary>A client with all rights, as the host's tools have.</summary>
    public XenstoreStream(XenstoreServer server, Stream stream)
    {
        ArgumentNullException.ThrowIfNull(server);
        this.server = server;
        this.stream = stream;
        connection = server.Connect(0, this);
    }

    /// <summary>Serves the client until it hangs up, breaks the protocol, or <paramref name="cancellation"/>.</summary>
    public async Task RunAsync(CancellationToken cancellation = default)
    {
        using var end = CancellationTokenSource.CreateLinkedTokenSource(cancellation);
        Task writer = WriteAsync(end.Token);
        try
        {
            await ReadAsync(end.Token).ConfigureAwait(false);
        }
        catch (Exception e) when (e is IOException or OperationCanceledException or ObjectDisposedException)
        {
            // The client hung up.
        }
        finally
        {
            server.Disconnect(connection);
            await end.CancelAsync().ConfigureAwait(false);
            await writer.ConfigureAwait(false);
        }
    }

    /// <inheritdoc/>
    public void Signal() => outputReady.Release();

    /// <inheritdoc/>
    public void Dispose()
    {
        stream.Dispose();
        outputReady.Dispose();
        writing.Dispose();
    }

    private async Task ReadAsync(CancellationToken cancellation)
    {
        var head = new byte[MessageHeader.Size];
        var payload = new byte[MessageHeader.MaximumPayload];
        while (await stream.ReadAtLeastAsync(head, head.Length, throwOnEndOfStream: false, cancellation).ConfigureAwait(false) == head.Length)
        {
            MessageHeader header = MemoryMarshal.Read<MessageHeader>(head);
            if (header.Length > MessageHeader.MaximumPayload)
                return;
            await stream.ReadExactlyAsync(payload.AsMemory(0, (int)header.Length), cancellation).ConfigureAwait(false);
            server.Process(connection, header, payload.AsSpan(0, (int)header.Length));
            // A client that does not read is not heard.
            await FlushAsync(cancellation).ConfigureAwait(false);
        }
    }

    private async Task WriteAsync(CancellationToken cancellation)
    {
        try
        {
            while (true)
            {
                await outputReady.WaitAsync(cancellation).ConfigureAwait(false);
                await FlushAsync(cancellation).ConfigureAwait(false);
            }
        }
        catch (Exception e) when (e is IOException or OperationCanceledException or ObjectDisposedException)
        {
            // The reader notices.
        }
    }

    // Messages whole and in order, whoever of the two loops writes them.
    private async Task FlushAsync(CancellationToken cancellation)
    {
        await writing.WaitAsync(cancellation).ConfigureAwait(false);
        try
        {
            while (connection.TryTake(out byte[] message))
                await stream.WriteAsync(message, cancellation).ConfigureAwait(false);
        }
        finally
        {
            writing.Release();
        }
    }
}
