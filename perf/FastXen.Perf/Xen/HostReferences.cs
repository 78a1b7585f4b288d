using System.ComponentModel;
using System.Diagnostics;
using System.Net;
using System.Net.Sockets;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace FastXen.Perf.Xen;

/// <summary>What the host itself does in the place of what guests do. Each is the best of some batches.</summary>
internal static unsafe partial class HostReferences
{
    private const int Batches = 16;
    private const long GetParentProcess = 110;
    private const int CopySize = 16 << 14, CopiesInBatch = 16;
    private const int StreamPiece = 64 << 10, StreamSize = 32 << 20;

    /// <summary>Nanoseconds of a system call that does nothing.</summary>
    public static double NullSystemCall() => LeastNanoseconds(Calls, MakeSystemCalls);

    private const int Calls = 20_000;

    // Compiled well from the first: code of the first tier takes half as long again as the call.
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void MakeSystemCalls()
    {
        for (int i = 0; i < Calls; i++)
            _ = SystemCall(GetParentProcess);
    }

    /// <summary>Nanoseconds from a write to an eventfd until the thread that reads it goes on: half of a round trip of two threads.</summary>
    public static double EventWakeUp()
    {
        const int Rounds = 1000;
        int there = EventDescriptor(0, 0), back = EventDescriptor(0, 0);
        if (there < 0 || back < 0)
            throw new Win32Exception(Marshal.GetLastPInvokeError());
        Thread echo = new(() =>
        {
            for (int i = 0; i < Batches * Rounds; i++)
            {
                Wait(there);
                Wake(back);
            }
        });
        echo.Start();
        double least = LeastNanoseconds(2 * Rounds, () =>
        {
            for (int i = 0; i < Rounds; i++)
            {
                Wake(there);
                Wait(back);
            }
        });
        echo.Join();
        _ = Close(there);
        _ = Close(back);
        return least;
    }

    /// <summary>MiB a second of memcpy, as much at a time as the guest copies by a hypercall.</summary>
    public static double MemoryCopy()
    {
        byte* from = (byte*)NativeMemory.AllocZeroed(CopySize), to = (byte*)NativeMemory.AllocZeroed(CopySize);
        double most = MostMebibytes((long)CopySize * CopiesInBatch, () =>
        {
            for (int i = 0; i < CopiesInBatch; i++)
                Buffer.MemoryCopy(from, to, CopySize, CopySize);
        });
        NativeMemory.Free(from);
        NativeMemory.Free(to);
        return most;
    }

    /// <summary>MiB a second of read(2) from a file's begin to its end, in pieces of so many bytes; the file is in the page cache.</summary>
    public static double FileRead(string path, int piece)
    {
        using Microsoft.Win32.SafeHandles.SafeFileHandle file = File.OpenHandle(path);
        long length = RandomAccess.GetLength(file);
        byte* buffer = (byte*)NativeMemory.AllocZeroed((nuint)piece);
        int descriptor = (int)file.DangerousGetHandle();
        double most = MostMebibytes(length, () =>
        {
            for (long at = 0; at < length; at += piece)
                _ = ReadAt(descriptor, buffer, piece, at);
        });
        NativeMemory.Free(buffer);
        return most;
    }

    /// <summary>MiB a second of a TCP stream over the loopback interface, between two threads.</summary>
    public static double LoopbackStream()
    {
        using TcpListener listener = new(IPAddress.Loopback, 0);
        listener.Start();
        using Socket sender = new(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        sender.Connect(listener.LocalEndpoint);
        using Socket receiver = listener.AcceptSocket();
        byte[] piece = new byte[StreamPiece];
        Thread sending = new(() =>
        {
            for (long sent = 0; sent < (long)Batches * StreamSize; sent += piece.Length)
                sender.Send(piece);
        });
        byte[] taken = new byte[StreamPiece];
        sending.Start();
        double most = MostMebibytes(StreamSize, () =>
        {
            for (long left = StreamSize; left > 0;)
                left -= receiver.Receive(taken, (int)Math.Min(left, taken.Length), SocketFlags.None);
        });
        sending.Join();
        return most;
    }

    private static double LeastNanoseconds(int count, Action batch) => LeastTime(batch).TotalNanoseconds / count;

    private static double MostMebibytes(long bytes, Action batch) => bytes / LeastTime(batch).TotalSeconds / (1 << 20);

    private static TimeSpan LeastTime(Action batch)
    {
        TimeSpan least = TimeSpan.MaxValue;
        for (int i = 0; i < Batches; i++)
        {
            long begin = Stopwatch.GetTimestamp();
            batch();
            TimeSpan time = Stopwatch.GetElapsedTime(begin);
            if (time < least)
                least = time;
        }

        return least;
    }

    private static void Wake(int descriptor)
    {
        ulong one = 1;
        _ = Write(descriptor, &one, sizeof(ulong));
    }

    private static void Wait(int descriptor)
    {
        ulong count;
        _ = Read(descriptor, &count, sizeof(ulong));
    }

    // Without what the runtime does around a call: the call itself is what is compared.
    [LibraryImport("libc", EntryPoint = "syscall")]
    [SuppressGCTransition]
    private static partial long SystemCall(long number);

    [LibraryImport("libc", EntryPoint = "eventfd", SetLastError = true)]
    private static partial int EventDescriptor(uint value, int flags);

    [LibraryImport("libc", EntryPoint = "read")]
    private static partial nint Read(int descriptor, void* buffer, nint count);

    [LibraryImport("libc", EntryPoint = "write")]
    private static partial nint Write(int descriptor, void* buffer, nint count);

    [LibraryImport("libc", EntryPoint = "pread")]
    private static partial nint ReadAt(int descriptor, void* buffer, nint count, long offset);

    [LibraryImport("libc", EntryPoint = "close")]
    private static partial int Close(int descriptor);
}
