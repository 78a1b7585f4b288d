using System.Buffers.Binary;
using System.Net.Sockets;
using FastXen.Sockets;
using FastXen.Terminal;

namespace FastXen.Control;

/// <summary>Where control sockets are, and who is at the other end.</summary>
internal static class ControlSocket
{
    /// <summary>Names a socket for clients without <c>--socket</c>.</summary>
    public const string Variable = "FASTXEN_SOCKET";

    private const UnixFileMode OwnerOnly = UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute;
    private const int SolSocket = 1;
    private const int SoPeerCredentials = 17;

    /// <summary>The place of this process's socket, in the first folder that can be made.</summary>
    public static string OwnPath()
    {
        Exception? last = null;
        foreach (string folder in Folders())
        {
            try
            {
                DirectoryInfo made = Directory.CreateDirectory(folder, OwnerOnly);
                // Fails where the folder is another user's.
                if (made.LinkTarget is null) File.SetUnixFileMode(folder, OwnerOnly);
                else continue;
                return System.IO.Path.Combine(folder, $"{Environment.ProcessId}.sock");
            }
            catch (Exception e) when (e is IOException or UnauthorizedAccessException)
            {
                last = e;
            }
        }
        throw new ControlException($"there is no folder for a control socket: {last?.Message ?? string.Join(", ", Folders())}; name one with --socket", last);
    }

    /// <summary>Listens at a path.</summary>
    public static Socket Listen(string path, int backlog)
    {
        try
        {
            return UnixListener.Listen(path, backlog);
        }
        catch (SocketException e) when (e.SocketErrorCode == SocketError.AddressAlreadyInUse)
        {
            throw new ControlException($"{path}: is in use by a running host", e);
        }
        catch (SocketException e) when (e.SocketErrorCode == SocketError.ConnectionRefused)
        {
            throw new ControlException($"{path}: is there already, and not a socket", e);
        }
        catch (Exception e) when (e is SocketException or ArgumentException or IOException or UnauthorizedAccessException)
        {
            throw new ControlException($"{path}: cannot be made a control socket: {e.Message}", e);
        }
    }

    /// <summary>
    /// Connects to a host: by the path of its socket or the number of its process; without either (null), to the one that $FASTXEN_SOCKET names or the only
    /// one that runs. What is wrong is a <see cref="ControlException"/>.
    /// </summary>
    public static Socket Connect(string? socket)
    {
        socket ??= Environment.GetEnvironmentVariable(Variable) is { Length: > 0 } named ? named : null;
        if (socket is null) return ConnectToOnly();
        string path = socket.All(char.IsAsciiDigit)
            ? Folders().Select(folder => System.IO.Path.Combine(folder, $"{socket}.sock")).FirstOrDefault(File.Exists)
                ?? throw new ControlException($"there is no host with process id {socket}")
            : socket;
        try
        {
            return Open(path);
        }
        catch (SocketException e)
        {
            throw new ControlException(e.SocketErrorCode switch
            {
                SocketError.AccessDenied => $"{path}: permission denied",
                _ when Directory.Exists(path) || (File.Exists(path) && !UnixListener.IsSocket(path)) => $"{path}: is not a socket",
                SocketError.ConnectionRefused => $"{path}: no host listens there any more",
                _ when !File.Exists(path) => $"{path}: there is no such socket",
                _ => $"{path}: cannot be reached: {e.Message}",
            }, e);
        }
        catch (ArgumentException e)
        {
            throw new ControlException($"{path}: cannot be the path of a socket: {e.Message}", e);
        }
    }

    /// <summary>Whether the process at the other end belongs to this user, or to root.</summary>
    public static bool PeerIsOwner(Socket socket, out uint uid)
    {
        // struct ucred: process, user, group
        Span<byte> credentials = stackalloc byte[12];
        bool known = socket.GetRawSocketOption(SolSocket, SoPeerCredentials, credentials) == credentials.Length;
        uid = known ? BinaryPrimitives.ReadUInt32LittleEndian(credentials[4..]) : uint.MaxValue;
        return known && (uid == 0 || uid == Libc.EffectiveUser());
    }

    private static Socket ConnectToOnly()
    {
        List<(string Path, Socket Socket)> running = [];
        foreach (string folder in Folders().Where(Directory.Exists))
        {
            foreach (string path in Candidates(folder))
            {
                try
                {
                    running.Add((path, Open(path)));
                }
                catch (SocketException e) when (e.SocketErrorCode == SocketError.ConnectionRefused)
                {
                    Remove(path);
                }
                catch (Exception e) when (e is SocketException or ControlException)
                {
                    // Not ours.
                }
            }
        }
        if (running.Count == 1) return running[0].Socket;
        foreach ((_, Socket socket) in running) socket.Dispose();
        throw new ControlException(running.Count == 0
            ? "no host is running: start one with 'fastxen serve' or 'fastxen run'"
            : $"{running.Count} hosts are running: name one with --socket: {string.Join(", ", running.Select(static host => host.Path))}");
    }

    private static Socket Open(string path)
    {
        Socket socket = UnixListener.New();
        try
        {
            socket.Connect(new UnixDomainSocketEndPoint(path));
            if (!PeerIsOwner(socket, out uint uid)) throw new ControlException($"{path}: belongs to user {uid}");
            return socket;
        }
        catch
        {
            socket.Dispose();
            throw;
        }
    }

    private static IEnumerable<string> Candidates(string folder)
    {
        try
        {
            return Directory.GetFiles(folder, "*.sock").Order(StringComparer.Ordinal);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return [];
        }
    }

    // Left by a process that died.
    private static void Remove(string path)
    {
        try
        {
            File.Delete(path);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            // Another user's, or gone already.
        }
    }

    private static IEnumerable<string> Folders()
    {
        uint user = Libc.EffectiveUser();
        if (Environment.GetEnvironmentVariable("XDG_RUNTIME_DIR") is { Length: > 0 } runtime && Directory.Exists(runtime))
            yield return System.IO.Path.Combine(runtime, "fastxen");
        if (user == 0) yield return "/run/fastxen";
        yield return $"/tmp/fastxen-{user}";
    }
}
