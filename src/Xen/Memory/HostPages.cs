using System.Runtime.InteropServices;

namespace FastXen.Xen.Memory;

/// <summary>The host's memory calls for single frames (Linux constants).</summary>
internal static unsafe partial class HostPages
{
    private const int ProtReadWrite = 3;
    private const int MapPrivate = 2, MapAnonymous = 0x20, MapNoReserve = 0x4000;
    private const int DontNeed = 4, NoHugePage = 15;

    /// <summary>Zero-filled memory that begins on a frame boundary and costs nothing until it is touched.</summary>
    public static byte* Allocate(int frames)
    {
        // One frame more, so that an aligned start lies inside; the rest is address space only.
        nint address = Map(0, (nuint)(frames + 1) << Frame.Shift, ProtReadWrite, MapPrivate | MapAnonymous | MapNoReserve, -1, 0);
        if (address == -1)
            throw new IOException($"cannot map {frames} frames: {Marshal.GetLastPInvokeErrorMessage()}");
        // Frames are touched one by one: a huge page for the first would waste the rest. Only advice.
        _ = Advise(address, (nuint)(frames + 1) << Frame.Shift, NoHugePage);
        return (byte*)address;
    }

    /// <summary>The first frame boundary in memory from <see cref="Allocate"/>.</summary>
    public static byte* Align(byte* allocation) => (byte*)((ulong)allocation + Frame.Size - 1 & ~(ulong)(Frame.Size - 1));

    /// <summary>Gives back what <see cref="Allocate"/> returned.</summary>
    public static void Free(byte* allocation, int frames)
    {
        if (Unmap((nint)allocation, (nuint)(frames + 1) << Frame.Shift) != 0)
            throw new InvalidOperationException($"cannot unmap {frames} frames: {Marshal.GetLastPInvokeErrorMessage()}");
    }

    /// <summary>Returns a frame's content to the host; it reads as zeros from now on.</summary>
    public static void Discard(byte* frame)
    {
        if (Advise((nint)frame, Frame.Size, DontNeed) != 0)
            new Span<byte>(frame, Frame.Size).Clear();
    }

    [LibraryImport("libc", EntryPoint = "mmap", SetLastError = true)]
    private static partial nint Map(nint address, nuint length, int protection, int flags, int file, long offset);

    [LibraryImport("libc", EntryPoint = "munmap", SetLastError = true)]
    private static partial int Unmap(nint address, nuint length);

    [LibraryImport("libc", EntryPoint = "madvise", SetLastError = true)]
    private static partial int Advise(nint address, nuint length, int advice);
}
