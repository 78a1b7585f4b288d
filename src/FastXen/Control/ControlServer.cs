using System.Net.Sockets;
using FastXen.Loader.Hosting;

namespace FastXen.Control;

/// <summary>Listens on a host's control socket. Nothing that comes over it harms the host.</summary>
internal sealed class ControlServer : IAsyncDisposable
{
    private const int MostConnections = 128;
    private const int Backlog = 64;

    private readonly Host _host;
    private readonly ControlService _service;
    private readonly Socket _listener;
    private readonly CancellationTokenSource _stop = new();
    private readonly SemaphoreSlim _places = new(MostConnections);
    private readonly Task _accepting;
    private int _connections;
    private volatile bool _closing;

    private ControlServer(Host host, string path, Socket listener)
    {
        _host = host;
        Path = path;
        _listener = listener;
        _service = new ControlService(host, path);
        _accepting = AcceptAsync();
    }

    /// <summary>The socket.</summary>
    public string Path { get; }

    /// <summary>
    /// Begins to listen: at <paramref name="path"/>, or (null) where a client looks for the hosts of this user. What is wrong is a <see cref="ControlException"/>.
    /// </summary>
    public static ControlServer Start(Host host, string? path)
    {
        string place = path ?? ControlSocket.OwnPath();
        return new ControlServer(host, place, ControlSocket.Listen(place, Backlog));
    }

    private async Task AcceptAsync()
    {
        while (!_stop.IsCancellationRequested)
        {
            try
            {
                await _places.WaitAsync(_stop.Token).ConfigureAwait(false);
                Socket client = await _listener.AcceptAsync(_stop.Token).ConfigureAwait(false);
                _ = ServeAsync(client);
            }
            catch (OperationCanceledException)
            {
                return;
            }
            catch (Exception e) when (e is ObjectDisposedException || _closing)
            {
                return;
            }
            catch (SocketException e)
            {
                // Out of descriptors, say: those who are connected go on, and the next one may fare better.
                _host.Log.Write($"control socket: {e.Message}");
                _places.Release();
                await Task.Delay(TimeSpan.FromMilliseconds(100)).ConfigureAwait(false);
            }
        }
    }

    private async Task ServeAsync(Socket client)
    {
        Interlocked.Increment(ref _connections);
        try
        {
            using (client)
            {
                ControlConnection connection = new(client, _host, _service);
                if (ControlSocket.PeerIsOwner(client, out uint uid)) await connection.ServeAsync(_stop.Token).ConfigureAwait(false);
                else await connection.RefuseAsync($"user {uid} may not control this host", _stop.Token).ConfigureAwait(false);
            }
        }
        catch (Exception e) when (e is SocketException or OperationCanceledException or ObjectDisposedException or IOException)
        {
            // The client is gone, or was too slow, or the host stops.
        }
#pragma warning disable CA1031 // A defect in the answer to one client is no reason to end the guests of all.
        catch (Exception e)
#pragma warning restore CA1031
        {
            _host.Log.Write($"control socket: internal error: {e}");
        }
        finally
        {
            Interlocked.Decrement(ref _connections);
            _places.Release();
        }
    }

    /// <summary>Stops listening, lets answers that are being written go out, and removes the socket.</summary>
    public async ValueTask DisposeAsync()
    {
        _closing = true;
        _listener.Dispose();
        File.Delete(Path);
        // Whoever waits for the end of a domain hears of it: the last answers go out.
        for (int n = 0; n < 50 && Volatile.Read(ref _connections) > 0; n++) await Task.Delay(10).ConfigureAwait(false);
        await _stop.CancelAsync().ConfigureAwait(false);
        await _accepting.ConfigureAwait(false);
    }
}
