using System.Runtime.InteropServices;
using Microsoft.Win32.SafeHandles;

namespace FastXen.Smp.Host;

/// <summary>
/// Whether the machine has a processor to spare for a thread that only looks for work: not where as many threads can run as there are processors (of all
/// programs: /proc/loadavg), nor where this process may use but one. Looked at once in a millisecond at most.
/// </summary>
internal sealed partial class HostLoad : IDisposable
{
    private const long Period = 1_000_000;
    private const int OnlineProcessors = 84;

    private readonly SafeFileHandle? file;
    private readonly long online = SystemConfiguration(OnlineProcessors);
    private long due;
    private int busy;
    private volatile bool hasRoom;

    public HostLoad()
    {
        // Where it cannot be known, nobody polls.
        if (Environment.ProcessorCount > 1 && File.Exists("/proc/loadavg"))
            file = File.OpenHandle("/proc/loadavg");
    }

    /// <summary>True while no more threads can run than there are processors, the calling one among them. Any thread.</summary>
    public bool HasRoom(long now)
    {
        if (file is null)
            return false;
        if (now >= Volatile.Read(ref due) && Interlocked.Exchange(ref busy, 1) == 0)
        {
            Span<byte> text = stackalloc byte[128];
            hasRoom = Runnable(text[..RandomAccess.Read(file, text, 0)]) <= online;
            Volatile.Write(ref due, now + Period);
            Volatile.Write(ref busy, 0);
        }

        return hasRoom;
    }

    public void Dispose() => file?.Dispose();

    /// <summary>The number of threads that can run, from the text of /proc/loadavg: "0.20 0.18 0.12 1/80 11206". The greatest where it is another.</summary>
    internal static int Runnable(ReadOnlySpan<byte> text)
    {
        for (int field = 0; field < 3; field++)
            text = text[(text.IndexOf((byte)' ') + 1)..];
        return text.IndexOf((byte)'/') is > 0 and var end && int.TryParse(text[..end], out int runnable) ? runnable : int.MaxValue;
    }

    [LibraryImport("libc", EntryPoint = "sysconf")]
    private static partial long SystemConfiguration(int name);
}
