using System.Net.Sockets;
using System.Text.Json;
using System.Threading.Channels;
using FastXen.Loader;
using FastXen.Loader.Hosting;
using FastXen.Xen.Xenstore;

namespace FastXen.Control;

/// <summary>One client of a control socket: lines in, lines out, or a console.</summary>
internal sealed class ControlConnection(Socket client, Host host, ControlService service)
{
    private const int MostEvents = 4096;
    private static readonly TimeSpan LineTime = TimeSpan.FromSeconds(20);
    private static readonly TimeSpan IdleTime = TimeSpan.FromMinutes(30);
    private static readonly TimeSpan SendTime = TimeSpan.FromSeconds(20);
    private const int InputTime = 60_000;
    private static readonly TimeSpan InputPause = TimeSpan.FromMilliseconds(2);

    private byte[] _buffer = new byte[1024];
    private int _filled;

    /// <summary>Answers requests until the client leaves.</summary>
    public async Task ServeAsync(CancellationToken stop)
    {
        while (await ReadLineAsync(stop).ConfigureAwait(false) is { } line)
        {
            ControlRequest? request = null;
            try
            {
                request = Read(line);
                if (request.Version != ControlProtocol.Version)
                    throw new ControlException($"protocol version {request.Version} is not spoken here, only {ControlProtocol.Version}");
                switch (request.Command)
                {
                    case "console":
                        await AttachAsync(request, stop).ConfigureAwait(false);
                        return;
                    case "events":
                        await SendEventsAsync(request, stop).ConfigureAwait(false);
                        return;
                    case "xenstore":
                        await ServeStoreAsync(request, stop).ConfigureAwait(false);
                        return;
                }
                JsonElement result = await service.AnswerAsync(request, stop).ConfigureAwait(false);
                await SendAsync(new ControlAnswer { Id = request.Id, Result = result }, stop).ConfigureAwait(false);
            }
            catch (JsonException e)
            {
                // What comes after may be the rest of the same garbage: line by line it is refused as well.
                await RefuseAsync($"not a request: {ControlService.Printable(e.Message)}", stop).ConfigureAwait(false);
            }
            catch (Exception e) when (e is ControlException or LoadException)
            {
                await SendAsync(new ControlAnswer { Id = request?.Id ?? 0, Error = e.Message }, stop).ConfigureAwait(false);
            }
            catch (Exception e) when (e is not (OperationCanceledException or SocketException or ObjectDisposedException))
            {
                host.Log.Write($"control socket: {request?.Command}: internal error: {e}");
                await SendAsync(new ControlAnswer { Id = request?.Id ?? 0, Error = $"internal error: {e.Message}" }, stop).ConfigureAwait(false);
            }
        }
    }

    /// <summary>Answers with an error.</summary>
    public Task RefuseAsync(string sentence, CancellationToken stop) => SendAsync(new ControlAnswer { Error = sentence }, stop);

    // The next line without its end, which stays in the buffer until it is dropped; null when there is no more.
    private async Task<ReadOnlyMemory<byte>?> ReadLineAsync(CancellationToken stop)
    {
        int searched = 0;
        using CancellationTokenSource patience = CancellationTokenSource.CreateLinkedTokenSource(stop);
        patience.CancelAfter(_filled == 0 ? IdleTime : LineTime);
        while (true)
        {
            int end = _buffer.AsSpan(searched, _filled - searched).IndexOf((byte)'\n');
            if (end >= 0) return _buffer.AsMemory(0, searched + end);
            searched = _filled;
            if (_filled >= ControlProtocol.LongestLine)
            {
                await RefuseAsync($"a request has at most {ControlProtocol.LongestLine} bytes", stop).ConfigureAwait(false);
                return null;
            }
            if (_filled == _buffer.Length) Array.Resize(ref _buffer, Math.Min(_buffer.Length * 4, ControlProtocol.LongestLine));
            int count = await client.ReceiveAsync(_buffer.AsMemory(_filled), patience.Token).ConfigureAwait(false);
            if (count == 0)
            {
                if (_filled > 0) await RefuseAsync("not a request: the line has no end", stop).ConfigureAwait(false);
                return null;
            }
            if (_filled == 0) patience.CancelAfter(LineTime);
            _filled += count;
        }
    }

    // Takes the line out of the buffer, whatever it is.
    private ControlRequest Read(ReadOnlyMemory<byte> line)
    {
        try
        {
            return JsonSerializer.Deserialize(line.Span, ControlJson.Default.ControlRequest) ?? throw new ControlException("a request is a JSON object");
        }
        finally
        {
            Drop(line.Length + 1);
        }
    }

    private void Drop(int count)
    {
        _filled -= count;
        _buffer.AsSpan(count, _filled).CopyTo(_buffer);
    }

    private Task SendAsync(ControlAnswer answer, CancellationToken stop) =>
        SendAsync(JsonSerializer.SerializeToUtf8Bytes(answer, ControlJson.Default.ControlAnswer), stop);

    private async Task SendAsync(byte[] json, CancellationToken stop)
    {
        using CancellationTokenSource patience = CancellationTokenSource.CreateLinkedTokenSource(stop);
        patience.CancelAfter(SendTime);
        ReadOnlyMemory<byte> rest = (byte[])[.. json, (byte)'\n'];
        while (rest.Length > 0) rest = rest[await client.SendAsync(rest, patience.Token).ConfigureAwait(false)..];
    }

    // After the answer the connection is the console: bytes both ways, until the client ends its side or the domain goes.
    private async Task AttachAsync(ControlRequest request, CancellationToken stop)
    {
        HostedDomain domain = service.DomainOf(request);
        ConsoleReader reader = domain.Console.OpenReader(request.History);
        DomainDone attached = new() { Id = domain.Id, Name = domain.Name };
        await SendAsync(new ControlAnswer { Id = request.Id, Result = JsonSerializer.SerializeToElement(attached, ControlJson.Default.DomainDone) }, stop).ConfigureAwait(false);
        using CancellationTokenSource leave = CancellationTokenSource.CreateLinkedTokenSource(stop);
        Task typing = TypeAsync(domain.Console, leave.Token);
        Task printing = PrintAsync(reader, leave.Token);
        await Task.WhenAny(typing, printing).ConfigureAwait(false);
        await leave.CancelAsync().ConfigureAwait(false);
        try
        {
            await typing.ConfigureAwait(false);
            await printing.ConfigureAwait(false);
        }
        catch (OperationCanceledException)
        {
            // As asked.
        }
    }

    private async Task TypeAsync(DomainConsole console, CancellationToken stop)
    {
        while (true)
        {
            ReadOnlyMemory<byte> rest = _buffer.AsMemory(0, _filled);
            long refused = Environment.TickCount64;
            while (rest.Length > 0)
            {
                int taken = console.Offer(rest.Span);
                rest = rest[taken..];
                if (taken > 0)
                {
                    refused = Environment.TickCount64;
                    continue;
                }
                // The serial line's queue is short, and a guest may be slow, or paused: but neither for ever, nor for a client that has gone.
                if (Environment.TickCount64 - refused > InputTime || (client.Poll(0, SelectMode.SelectRead) && client.Available == 0)) break;
                await Task.Delay(InputPause, stop).ConfigureAwait(false);
            }
            _filled = await client.ReceiveAsync(_buffer, stop).ConfigureAwait(false);
            if (_filled == 0) return;
        }
    }

    private async Task PrintAsync(ConsoleReader reader, CancellationToken stop)
    {
        byte[] bytes = new byte[4096];
        while (await reader.ReadAsync(bytes, stop).ConfigureAwait(false) is > 0 and int count)
        {
            ReadOnlyMemory<byte> rest = bytes.AsMemory(0, count);
            while (rest.Length > 0) rest = rest[await client.SendAsync(rest, stop).ConfigureAwait(false)..];
        }
    }

    // After the answer each event is a line of its own.
    private async Task SendEventsAsync(ControlRequest request, CancellationToken stop)
    {
        Channel<HostEvent> events = Channel.CreateBounded<HostEvent>(new BoundedChannelOptions(MostEvents) { FullMode = BoundedChannelFullMode.DropOldest });
        void Take(HostEvent happened) => events.Writer.TryWrite(happened);
        host.Happened += Take;
        using CancellationTokenSource leave = CancellationTokenSource.CreateLinkedTokenSource(stop);
        Task watching = WatchAsync(leave);
        try
        {
            await AnswerAsync(request, "events", stop).ConfigureAwait(false);
            await foreach (HostEvent happened in events.Reader.ReadAllAsync(leave.Token).ConfigureAwait(false))
            {
                EventLine line = new(happened.Time.TotalSeconds, happened.Kind, happened.Id, happened.Name, happened.Detail);
                await SendAsync(JsonSerializer.SerializeToUtf8Bytes(line, ControlJson.Default.EventLine), leave.Token).ConfigureAwait(false);
            }
        }
        finally
        {
            host.Happened -= Take;
            await leave.CancelAsync().ConfigureAwait(false);
            await watching.ConfigureAwait(false);
        }
    }

    // After the answer the connection speaks xenstore's own protocol, as tools with all rights have it.
    private async Task ServeStoreAsync(ControlRequest request, CancellationToken stop)
    {
        if (_filled != 0) throw new ControlException("'xenstore' is answered before anything else is sent");
        await AnswerAsync(request, "xenstore", stop).ConfigureAwait(false);
        await using NetworkStream stream = new(client, ownsSocket: false);
        using XenstoreStream store = new(host.Xen.Store.Server, stream);
        await store.RunAsync(stop).ConfigureAwait(false);
    }

    private Task AnswerAsync(ControlRequest request, string name, CancellationToken stop) =>
        SendAsync(new ControlAnswer { Id = request.Id, Result = JsonSerializer.SerializeToElement(new DomainDone { Id = 0, Name = name }, ControlJson.Default.DomainDone) }, stop);

    // Notices that a client which has nothing to say has gone.
    private async Task WatchAsync(CancellationTokenSource leave)
    {
        byte[] ignored = new byte[256];
        try
        {
            while (await client.ReceiveAsync(ignored, leave.Token).ConfigureAwait(false) > 0)
            {
            }
            await leave.CancelAsync().ConfigureAwait(false);
        }
        catch (Exception e) when (e is SocketException or OperationCanceledException)
        {
            await leave.CancelAsync().ConfigureAwait(false);
        }
    }
}
