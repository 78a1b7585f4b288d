using System.Buffers.Binary;
using System.Globalization;
using System.Net.Sockets;
using System.Text;

namespace FastXen.Traces.Session;

/// <summary>
/// The diagnostics port of a .NET process on this machine: the Unix socket at which dotnet-trace asks for sessions (the "Diagnostic IPC
/// Protocol" of dotnet/diagnostics). FastXen speaks it to itself.
/// </summary>
internal static class DiagnosticsPort
{
    private const int HeaderSize = 20;
    private const byte EventPipeCommands = 2, StopTracing = 1, CollectTracing2 = 3;
    private const byte ServerResponses = 0xFF, ResponseOk = 0;
    private const uint NettraceFormat = 1;

    private static ReadOnlySpan<byte> Magic => "DOTNET_IPC_V1\0"u8;

    /// <summary>The socket of a process. Throws <see cref="TraceException"/> where there is none.</summary>
    public static string PathOf(int processId)
    {
        // The start time tells processes apart that had the same number (field 22; the second one is a name in parentheses).
        string status = File.ReadAllText($"/proc/{processId}/stat");
        string started = status[(status.LastIndexOf(')') + 2)..].Split(' ')[19];
        string path = Path.Combine(Path.GetTempPath(), string.Create(CultureInfo.InvariantCulture, $"dotnet-diagnostic-{processId}-{started}-socket"));
        return File.Exists(path)
            ? path
            : throw new TraceException($"this process has no diagnostics port at {path} (is DOTNET_EnableDiagnostics set to 0, or the directory not writable?)");
    }

    /// <summary>
    /// Begins a session with one provider; the nettrace stream follows on the socket that is returned. The port drops events when
    /// more than <paramref name="bufferMegabytes"/> wait to be read.
    /// </summary>
    public static (Socket Stream, ulong Session) Collect(string path, string provider, long keywords, int level, int bufferMegabytes, string? filter = null)
    {
        MemoryStream payload = new();
        using BinaryWriter writer = new(payload);
        writer.Write((uint)bufferMegabytes);
        writer.Write(NettraceFormat);
        writer.Write(false); // no rundown: there are no methods to name
        writer.Write(1u);
        writer.Write(keywords);
        writer.Write((uint)level);
        WriteText(writer, provider);
        WriteText(writer, filter ?? "");
        Socket socket = Connect(path);
        try
        {
            return (socket, Ask(socket, CollectTracing2, payload.ToArray()));
        }
        catch
        {
            socket.Dispose();
            throw;
        }
    }

    /// <summary>Ends a session: what is buffered still comes out of its stream, then the stream ends.</summary>
    public static void Stop(string path, ulong session)
    {
        byte[] payload = new byte[sizeof(ulong)];
        BinaryPrimitives.WriteUInt64LittleEndian(payload, session);
        using Socket socket = Connect(path);
        Ask(socket, StopTracing, payload);
    }

    private static Socket Connect(string path)
    {
        Socket socket = new(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        try
        {
            socket.Connect(new UnixDomainSocketEndPoint(path));
            return socket;
        }
        catch (SocketException e)
        {
            socket.Dispose();
            throw new TraceException($"the diagnostics port {path} does not answer: {e.Message}", e);
        }
    }

    // Sends a command; the answer of both commands is the session's number.
    private static ulong Ask(Socket socket, byte command, byte[] payload)
    {
        byte[] message = new byte[HeaderSize + payload.Length];
        Magic.CopyTo(message);
        BinaryPrimitives.WriteUInt16LittleEndian(message.AsSpan(14), (ushort)message.Length);
        message[16] = EventPipeCommands;
        message[17] = command;
        payload.CopyTo(message, HeaderSize);
        socket.Send(message);

        byte[] header = Receive(socket, HeaderSize);
        int size = BinaryPrimitives.ReadUInt16LittleEndian(header.AsSpan(14)) - HeaderSize;
        if (!header.AsSpan(0, Magic.Length).SequenceEqual(Magic) || size < 0)
            throw new TraceException("the diagnostics port does not speak the diagnostics protocol");
        byte[] answer = Receive(socket, size);
        if (header[16] != ServerResponses || header[17] != ResponseOk || size < sizeof(ulong))
            throw new TraceException($"the diagnostics port refused a session (error 0x{(size >= 4 ? BinaryPrimitives.ReadUInt32LittleEndian(answer) : 0):x8})");
        return BinaryPrimitives.ReadUInt64LittleEndian(answer);
    }

    private static byte[] Receive(Socket socket, int count)
    {
        byte[] bytes = new byte[count];
        for (int done = 0; done < count;)
        {
            int part = socket.Receive(bytes.AsSpan(done));
            if (part == 0)
                throw new TraceException("the diagnostics port closed the connection");
            done += part;
        }

        return bytes;
    }

    private static void WriteText(BinaryWriter writer, string text)
    {
        writer.Write((uint)text.Length + 1);
        writer.Write(Encoding.Unicode.GetBytes(text + '\0'));
    }
}
