using System.Net.Sockets;
using System.Text.Json;
using System.Text.Json.Serialization.Metadata;

namespace FastXen.Control;

/// <summary>A connection to a running host, one request after the other.</summary>
internal sealed class ControlClient : IDisposable
{
    private const int Patience = 60_000;

    private readonly Socket _socket;
    private byte[] _buffer = new byte[4096];
    private int _filled;
    private long _lastId;

    /// <summary>Connects; <paramref name="socket"/> as in <see cref="ControlSocket.Connect"/>.</summary>
    public ControlClient(string? socket) => _socket = ControlSocket.Connect(socket);

    /// <summary>Asks, and reads the answer. An error of the host is a <see cref="ControlException"/>.</summary>
    public T Ask<T>(ControlRequest request, JsonTypeInfo<T> type)
    {
        JsonElement result = Ask(request);
        try
        {
            return result.Deserialize(type) ?? throw new JsonException("null");
        }
        catch (JsonException e)
        {
            throw new ControlException($"the host's answer is not understood: {e.Message}", e);
        }
    }

    /// <summary>As <see cref="Ask{T}"/>, without a look at the result.</summary>
    public JsonElement Ask(ControlRequest request)
    {
        ControlRequest numbered = request with { Id = ++_lastId };
        try
        {
            // Who waits for a guest waits for as long as that takes.
            _socket.ReceiveTimeout = request.Wait ? 0 : Patience;
            _socket.SendTimeout = Patience;
            SendAll([.. JsonSerializer.SerializeToUtf8Bytes(numbered, ControlJson.Default.ControlRequest), (byte)'\n']);
            ControlAnswer answer = JsonSerializer.Deserialize(ReadLine(), ControlJson.Default.ControlAnswer) ?? throw new JsonException("null");
            if (answer.Error is { } error) throw new ControlException(error);
            return answer.Result ?? throw new ControlException("the host's answer has no result");
        }
        catch (JsonException e)
        {
            throw new ControlException($"the host's answer is not understood: {e.Message}", e);
        }
        catch (SocketException e)
        {
            throw new ControlException(e.SocketErrorCode is SocketError.TimedOut or SocketError.WouldBlock ? "the host does not answer" : $"the host went away: {e.Message}", e);
        }
    }

    /// <summary>After <c>console</c>: output of the guest; 0 bytes at its end.</summary>
    public int Receive(Span<byte> bytes)
    {
        if (_filled > 0)
        {
            int count = Math.Min(_filled, bytes.Length);
            _buffer.AsSpan(0, count).CopyTo(bytes);
            Drop(count);
            return count;
        }
        _socket.ReceiveTimeout = 0;
        return _socket.Receive(bytes);
    }

    /// <summary>After <c>console</c>: types.</summary>
    public void SendAll(ReadOnlySpan<byte> bytes)
    {
        while (bytes.Length > 0) bytes = bytes[_socket.Send(bytes)..];
    }

    /// <summary>After <c>xenstore</c>: the connection itself, which the caller closes; nothing else may be asked then.</summary>
    public Stream TakeStream()
    {
        _socket.ReceiveTimeout = 0;
        return new NetworkStream(_socket, ownsSocket: true);
    }

    /// <summary>After <c>console</c>: nothing more will be typed, and the host may close the connection.</summary>
    public void EndInput() => _socket.Shutdown(SocketShutdown.Send);

    /// <summary>The next line, without its end: an answer, or an event.</summary>
    public byte[] ReadLine()
    {
        int searched = 0;
        while (true)
        {
            int end = _buffer.AsSpan(searched, _filled - searched).IndexOf((byte)'\n');
            if (end >= 0)
            {
                byte[] line = _buffer[..(searched + end)];
                Drop(line.Length + 1);
                return line;
            }
            searched = _filled;
            if (_filled == _buffer.Length) Array.Resize(ref _buffer, _buffer.Length * 2);
            int count = _socket.Receive(_buffer.AsSpan(_filled));
            if (count == 0) throw new ControlException("the host went away");
            _filled += count;
        }
    }

    private void Drop(int count)
    {
        _filled -= count;
        _buffer.AsSpan(count, _filled).CopyTo(_buffer);
    }

    /// <inheritdoc/>
    public void Dispose() => _socket.Dispose();
}
