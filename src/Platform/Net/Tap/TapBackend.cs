using System.Runtime.InteropServices;
using System.Text;
using Microsoft.Win32.SafeHandles;

namespace FastXen.Platform.Net.Tap;

/// <summary>A TAP interface of the host (tuntap of Linux): the guest is on the host's network. Needs CAP_NET_ADMIN or an interface of one's own.</summary>
public sealed partial class TapBackend : INetBackend
{
    private const string Device = "/dev/net/tun";
    private const int NameSize = 16;
    private const int RequestSize = 40;
    private const nuint SetInterface = 0x400454ca;
    private const ushort TapMode = 0x0002;
    private const ushort NoPacketInformation = 0x1000;

    private const int PermissionError = 1;
    private const int BusyError = 16;
    private const short PollIn = 1;
    private const int StopPollMilliseconds = 500;
    private const int MaxFrame = 65536;

    private readonly SafeFileHandle handle;
    private readonly string name;
    private readonly Action<Exception> failed;
    private Thread? reader;
    private volatile bool stopping;
    private volatile IFrameSink? sink;

    /// <summary>Takes over a descriptor of which each read is a frame. <paramref name="failed"/> is told of what the taker of frames threw: then no more are read.</summary>
    public TapBackend(SafeFileHandle handle, string name, Action<Exception> failed)
    {
        ArgumentNullException.ThrowIfNull(handle);
        this.failed = failed;
        this.handle = handle;
        this.name = name;
    }

    /// <inheritdoc/>
    public bool ChecksumsAreValid => false;

    /// <inheritdoc/>
    public bool TakesLargeSegments => false;

    /// <summary>Attaches to the interface of this name. Throws <see cref="DeviceConfigurationException"/> when that is not possible.</summary>
    public static unsafe TapBackend Open(string name, Action<Exception> failed)
    {
        byte[] ascii = Encoding.ASCII.GetBytes(name);
        if (ascii.Length is 0 or >= NameSize)
            throw new DeviceConfigurationException($"TAP interface name '{name}' is not valid; expected 1 to {NameSize - 1} characters.");
        SafeFileHandle handle;
        try
        {
            handle = File.OpenHandle(Device, FileMode.Open, FileAccess.ReadWrite, FileShare.ReadWrite);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new DeviceConfigurationException($"TAP interface '{name}' cannot be used: {Device} cannot be opened ({e.Message}).", e);
        }
        byte* request = stackalloc byte[RequestSize];
        new Span<byte>(request, RequestSize).Clear();
        ascii.CopyTo(new Span<byte>(request, NameSize));
        *(ushort*)(request + NameSize) = TapMode | NoPacketInformation;
        if (Ioctl((int)handle.DangerousGetHandle(), SetInterface, request) < 0)
        {
            int error = Marshal.GetLastPInvokeError();
            handle.Dispose();
            throw new DeviceConfigurationException(error switch
            {
                PermissionError => $"TAP interface '{name}' cannot be used: permission denied; create it for this user (ip tuntap add dev {name} mode tap user ...) or run with CAP_NET_ADMIN.",
                BusyError => $"TAP interface '{name}' is in use by another machine or process.",
                _ => $"TAP interface '{name}' cannot be used: {Marshal.GetPInvokeErrorMessage(error)}.",
            });
        }
        return new TapBackend(handle, name, failed);
    }

    /// <inheritdoc/>
    public unsafe void Send(ReadOnlySpan<byte> frame)
    {
        // A frame that the interface does not take (it is down, or full) is lost.
        fixed (byte* bytes = frame)
            Write((int)handle.DangerousGetHandle(), bytes, (nuint)frame.Length);
    }

    /// <inheritdoc/>
    public void Connect(IFrameSink? sink)
    {
        this.sink = sink;
        if (reader is not null)
            return;
        reader = new Thread(Guard) { IsBackground = true, Name = $"tap {name}" };
        reader.Start();
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        stopping = true;
        reader?.Join();
        handle.Dispose();
    }

    private void Guard()
    {
        try
        {
            Run();
        }
#pragma warning disable CA1031 // Something of this card broke: its domain ends, the process does not.
        catch (Exception e)
#pragma warning restore CA1031
        {
            failed(e);
        }
    }

    private unsafe void Run()
    {
        byte[] frame = new byte[MaxFrame];
        int descriptor = (int)handle.DangerousGetHandle();
        while (!stopping)
        {
            PollRequest request = new() { Descriptor = descriptor, Events = PollIn };
            int ready = Poll(&request, 1, StopPollMilliseconds);
            if (ready <= 0)
                continue;
            if ((request.Returned & PollIn) == 0)
                return; // the interface was deleted
            nint length;
            fixed (byte* bytes = frame)
                length = Read(descriptor, bytes, (nuint)frame.Length);
            if (length > 0)
                sink?.Receive(frame.AsSpan(0, (int)length));
        }
    }

    [StructLayout(LayoutKind.Sequential)]
    private struct PollRequest
    {
        public int Descriptor;
        public short Events;
        public short Returned;
    }

    [LibraryImport("libc", EntryPoint = "ioctl", SetLastError = true)]
    private static unsafe partial int Ioctl(int descriptor, nuint request, void* argument);

    [LibraryImport("libc", EntryPoint = "poll", SetLastError = true)]
    private static unsafe partial int Poll(PollRequest* requests, nuint count, int milliseconds);

    [LibraryImport("libc", EntryPoint = "read", SetLastError = true)]
    private static unsafe partial nint Read(int descriptor, void* buffer, nuint size);

    [LibraryImport("libc", EntryPoint = "write", SetLastError = true)]
    private static unsafe partial nint Write(int descriptor, void* buffer, nuint size);
}
