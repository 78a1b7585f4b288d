using System.Diagnostics.Tracing;
using System.Net.Sockets;
using FastXen.Events;

namespace FastXen.Traces.Session;

/// <summary>
/// Records the events of this process into a .nettrace file until it is disposed of. A session on the process's own diagnostics port: what
/// dotnet-trace would do from outside, but from the first event to the last one.
/// </summary>
public sealed class TraceRecorder : IDisposable
{
    private const int BufferMegabytes = 256;

    private readonly string port;
    private readonly string file;
    private readonly ulong session;
    private readonly Socket stream;
    private readonly FileStream output;
    private readonly Thread copier;
    private IOException? failure;
    private int ended;

    /// <summary>Begins to record. Throws <see cref="TraceException"/>.</summary>
    public TraceRecorder(string file, EventKeywords keywords, EventLevel level)
    {
        this.file = file;
        try
        {
            output = new FileStream(file, FileMode.Create, FileAccess.Write, FileShare.Read);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new TraceException($"the trace file {file} cannot be written: {e.Message}", e);
        }

        try
        {
            // The source must be there before someone asks for its events.
            _ = FastXenEventSource.Log;
            port = DiagnosticsPort.PathOf(Environment.ProcessId);
            (stream, session) = DiagnosticsPort.Collect(port, FastXenEventSource.SourceName, (long)keywords, (int)level, BufferMegabytes);
        }
        catch
        {
            output.Dispose();
            throw;
        }

        copier = new Thread(Copy) { Name = "trace", IsBackground = true };
        copier.Start();
    }

    /// <summary>Why the file is not complete, in a sentence; null when it is.</summary>
    public string? Failure => failure is null ? null : $"the trace file {file} is not complete: {failure.Message}";

    /// <summary>Ends the session and waits until all events are in the file.</summary>
    public void Dispose()
    {
        if (Interlocked.Exchange(ref ended, 1) != 0)
            return;
        try
        {
            DiagnosticsPort.Stop(port, session);
        }
        catch (TraceException e)
        {
            failure ??= new IOException(e.Message, e);
            stream.Dispose();
        }

        copier.Join();
        stream.Dispose();
        try
        {
            output.Dispose();
        }
        catch (IOException e)
        {
            failure ??= e;
        }
    }

    // To the end of the stream even where the file takes no more: the session waits for its reader.
    private void Copy()
    {
        byte[] buffer = new byte[1 << 16];
        try
        {
            while (stream.Receive(buffer) is > 0 and int count)
            {
                try
                {
                    if (failure is null)
                        output.Write(buffer, 0, count);
                }
                catch (IOException e)
                {
                    failure = e;
                }
            }
        }
        catch (Exception e) when (e is SocketException or ObjectDisposedException)
        {
            failure ??= new IOException(e.Message, e);
        }
    }
}
