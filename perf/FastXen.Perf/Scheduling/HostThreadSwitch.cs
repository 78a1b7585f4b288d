using System.ComponentModel;
using System.Diagnostics;
using System.Runtime.InteropServices;

namespace FastXen.Perf.Scheduling;

/// <summary>The yardstick: two host threads on one processor that pass a byte back and forth through two pipes.</summary>
internal static unsafe partial class HostThreadSwitch
{
    /// <summary>Nanoseconds of one switch: half of a round trip, the least of some batches.</summary>
    public static double Measure()
    {
        const int Rounds = 5000, Batches = 10;
        int* there = stackalloc int[2], back = stackalloc int[2];
        if (Pipe(there) != 0 || Pipe(back) != 0)
            throw new Win32Exception(Marshal.GetLastPInvokeError());
        int readThere = there[0], writeThere = there[1], readBack = back[0], writeBack = back[1];
        double least = double.MaxValue;
        Thread echo = new(() =>
        {
            Pin();
            byte b;
            while (Read(readThere, &b, 1) == 1 && Write(writeBack, &b, 1) == 1)
            {
            }
        });
        Thread ping = new(() =>
        {
            Pin();
            byte b = 0;
            for (int batch = 0; batch < Batches; batch++)
            {
                long begin = Stopwatch.GetTimestamp();
                for (int i = 0; i < Rounds; i++)
                {
                    _ = Write(writeThere, &b, 1);
                    _ = Read(readBack, &b, 1);
                }

                least = Math.Min(least, Stopwatch.GetElapsedTime(begin).TotalNanoseconds / Rounds / 2);
            }

            _ = Close(writeThere);
        });
        echo.Start();
        ping.Start();
        ping.Join();
        echo.Join();
        foreach (int descriptor in new[] { readThere, readBack, writeBack })
            _ = Close(descriptor);
        return least;
    }

    private static void Pin()
    {
        ulong first = 1;
        _ = SetAffinity(0, sizeof(ulong), &first);
    }

    [LibraryImport("libc", EntryPoint = "pipe", SetLastError = true)]
    private static partial int Pipe(int* descriptors);

    [LibraryImport("libc", EntryPoint = "read")]
    private static partial nint Read(int descriptor, byte* buffer, nint count);

    [LibraryImport("libc", EntryPoint = "write")]
    private static partial nint Write(int descriptor, byte* buffer, nint count);

    [LibraryImport("libc", EntryPoint = "close")]
    private static partial int Close(int descriptor);

    [LibraryImport("libc", EntryPoint = "sched_setaffinity")]
    private static partial int SetAffinity(int thread, nint size, ulong* mask);
}
