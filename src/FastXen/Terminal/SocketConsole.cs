using System.Net.Sockets;
using FastXen.Loader;
using FastXen.Platform.Uart;
using FastXen.Sockets;

namespace FastXen.Terminal;

/// <summary>A console on a Unix socket, which only its owner can open. One client at a time; output without a client is lost.</summary>
internal sealed class SocketConsole : ICharacterBackend, IDisposable
{
    private readonly InputPump _pump;
    private readonly string _path;
    private readonly Socket _listener;
    private volatile Socket? _client;

    public SocketConsole(string path, Action<Exception> failed)
    {
        _pump = new InputPump(failed);
        _path = path;
        try
        {
            _listener = UnixListener.Listen(path, backlog: 1);
        }
        catch (Exception e) when (e is SocketException or ArgumentException or IOException or UnauthorizedAccessException)
        {
            throw new ImageException(path, $"cannot be made a socket: {e.Message}", e);
        }
    }

    /// <inheritdoc/>
    public void Write(ReadOnlySpan<byte> bytes)
    {
        Socket? client = _client;
        try
        {
            while (client is not null && bytes.Length > 0) bytes = bytes[client.Send(bytes)..];
        }
        catch (Exception e) when (e is SocketException or ObjectDisposedException)
        {
            _client = null;
        }
    }

    /// <inheritdoc/>
    public void Connect(ICharacterInput input)
    {
        _pump.Connect(input, Serve);
    }

    private void Serve()
    {
        Span<byte> buffer = stackalloc byte[1024];
        while (true)
        {
            try
            {
                using Socket client = _listener.Accept();
                _client = client;
                while (client.Receive(buffer) is > 0 and int length) _pump.Send(buffer[..length]);
            }
            catch (SocketException e) when (e.SocketErrorCode is not (SocketError.OperationAborted or SocketError.Interrupted or SocketError.NotSocket))
            {
                // The client is gone; the next one may come.
            }
            catch (Exception e) when (e is SocketException or ObjectDisposedException)
            {
                return;
            }
            _client = null;
        }
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        _pump.Stop();
        _listener.Dispose();
        File.Delete(_path);
    }
}
