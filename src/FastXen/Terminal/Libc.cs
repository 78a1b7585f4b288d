using System.Runtime.InteropServices;

namespace FastXen.Terminal;

/// <summary>The C library's terminal and file descriptor calls that .NET does not have.</summary>
internal static unsafe partial class Libc
{
    public const int StandardInput = 0;
    public const int StandardOutput = 1;

    public const short PollIn = 1;
    public const short PollOut = 4;

    public const int Interrupted = 4;
    public const int TryAgain = 11;

    public const int SetNow = 0;
    public const int SetAfterDrain = 1;

    public const int OpenReadWrite = 2;
    public const int OpenNoControllingTerminal = 0x100;
    public const int OpenNonBlocking = 0x800;

    /// <summary>struct termios of Linux's C libraries.</summary>
    [StructLayout(LayoutKind.Sequential)]
    public struct Termios
    {
        public uint InputFlags;
        public uint OutputFlags;
        public uint ControlFlags;
        public uint LocalFlags;
        public byte Line;
        public fixed byte ControlCharacters[32];
        public uint InputSpeed;
        public uint OutputSpeed;
    }

    /// <summary>struct pollfd.</summary>
    [StructLayout(LayoutKind.Sequential)]
    public struct PollDescriptor
    {
        public int Descriptor;
        public short Events;
        public short Returned;
    }

    [LibraryImport("libc", EntryPoint = "isatty")]
    public static partial int IsTerminal(int descriptor);

    [LibraryImport("libc", EntryPoint = "tcgetattr", SetLastError = true)]
    public static partial int GetAttributes(int descriptor, out Termios attributes);

    [LibraryImport("libc", EntryPoint = "tcsetattr", SetLastError = true)]
    public static partial int SetAttributes(int descriptor, int when, in Termios attributes);

    [LibraryImport("libc", EntryPoint = "cfmakeraw")]
    public static partial void MakeRaw(ref Termios attributes);

    [LibraryImport("libc", EntryPoint = "read", SetLastError = true)]
    public static partial nint Read(int descriptor, byte* buffer, nint count);

    [LibraryImport("libc", EntryPoint = "write", SetLastError = true)]
    public static partial nint Write(int descriptor, byte* buffer, nint count);

    [LibraryImport("libc", EntryPoint = "poll", SetLastError = true)]
    public static partial int Poll(PollDescriptor* descriptors, nint count, int milliseconds);

    [LibraryImport("libc", EntryPoint = "posix_openpt", SetLastError = true)]
    public static partial int OpenPseudoTerminal(int flags);

    [LibraryImport("libc", EntryPoint = "grantpt", SetLastError = true)]
    public static partial int GrantPseudoTerminal(int descriptor);

    [LibraryImport("libc", EntryPoint = "unlockpt", SetLastError = true)]
    public static partial int UnlockPseudoTerminal(int descriptor);

    [LibraryImport("libc", EntryPoint = "ptsname_r")]
    public static partial int NamePseudoTerminal(int descriptor, byte* buffer, nint length);

    [LibraryImport("libc", EntryPoint = "open", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    public static partial int Open(string path, int flags);

    [LibraryImport("libc", EntryPoint = "close")]
    public static partial void Close(int descriptor);

    [LibraryImport("libc", EntryPoint = "geteuid")]
    public static partial uint EffectiveUser();

    /// <summary>Waits for a descriptor; false when the time (-1: for ever) is over.</summary>
    public static bool Wait(int descriptor, short events, int milliseconds)
    {
        PollDescriptor poll = new() { Descriptor = descriptor, Events = events };
        while (true)
        {
            int ready = Poll(&poll, 1, milliseconds);
            if (ready >= 0) return ready > 0;
            if (Marshal.GetLastPInvokeError() != Interrupted) return true; // the read or write that follows tells what is wrong
        }
    }

    /// <summary>Reads what is there, waiting for it; 0 at the end of the file or after an error.</summary>
    public static int ReadSome(int descriptor, Span<byte> buffer)
    {
        fixed (byte* start = buffer)
        {
            while (true)
            {
                Wait(descriptor, PollIn, -1);
                nint count = Read(descriptor, start, buffer.Length);
                if (count >= 0) return (int)count;
                if (Marshal.GetLastPInvokeError() is not (Interrupted or TryAgain)) return 0;
            }
        }
    }

    /// <summary>Writes all bytes. Waits for a slow reader up to <paramref name="patience"/> milliseconds (-1: for ever) without progress. False when some were not written.</summary>
    public static bool WriteAll(int descriptor, ReadOnlySpan<byte> bytes, int patience)
    {
        fixed (byte* start = bytes)
        {
            int done = 0;
            while (done < bytes.Length)
            {
                nint count = Write(descriptor, start + done, bytes.Length - done);
                if (count >= 0)
                {
                    done += (int)count;
                    continue;
                }
                int error = Marshal.GetLastPInvokeError();
                if (error == Interrupted) continue;
                if (error != TryAgain || !Wait(descriptor, PollOut, patience)) return false;
            }
        }
        return true;
    }
}
