using System.Net.Sockets;

namespace FastXen.Sockets;

/// <summary>Unix sockets that only their owner can open.</summary>
internal static class UnixListener
{
    /// <summary>
    /// Listens at a path, in the place of a socket that a dead process left there. Throws <see cref="SocketException"/>, <see cref="ArgumentException"/>
    /// (a path that is too long), <see cref="IOException"/> or <see cref="UnauthorizedAccessException"/>.
    /// </summary>
    public static Socket Listen(string path, int backlog)
    {
        Socket listener = New();
        try
        {
            UnixDomainSocketEndPoint address = new(path);
            RemoveStale(path, address);
            listener.Bind(address);
            // Nobody can connect before Listen, so there is no moment at which others could.
            File.SetUnixFileMode(path, UnixFileMode.UserRead | UnixFileMode.UserWrite);
            listener.Listen(backlog);
            return listener;
        }
        catch
        {
            listener.Dispose();
            throw;
        }
    }

    /// <summary>A socket that is not bound.</summary>
    public static Socket New() => new(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);

    /// <summary>Of what is there, only a socket cannot be opened (ENXIO).</summary>
    public static bool IsSocket(string path)
    {
        try
        {
            File.OpenHandle(path).Dispose();
            return false;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return e is IOException;
        }
    }

    // A socket that nobody listens on was left by a process that died.
    private static void RemoveStale(string path, UnixDomainSocketEndPoint address)
    {
        if (!File.Exists(path)) return;
        using Socket probe = New();
        try
        {
            probe.Connect(address);
        }
        catch (SocketException e) when (e.SocketErrorCode == SocketError.ConnectionRefused && IsSocket(path))
        {
            File.Delete(path);
        }
    }
}
