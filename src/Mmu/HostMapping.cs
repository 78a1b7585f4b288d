using System.Runtime.InteropServices;

namespace FastXen.Mmu;

/// <summary>The host's memory mapping calls (Linux x86-64 and arm64 constants; they are the same).</summary>
internal static unsafe partial class HostMapping
{
    private const int ProtNone = 0, ProtReadWrite = 3;
    private const int MapPrivate = 2, MapAnonymous = 0x20, MapNoReserve = 0x4000;
    private const int MadviseHugePage = 14;

    /// <summary>Reserves address space that cannot be accessed and costs no memory.</summary>
    public static byte* Reserve(nuint length)
    {
        nint address = Map(0, length, ProtNone, MapPrivate | MapAnonymous | MapNoReserve, -1, 0);
        return address != -1 ? (byte*)address : throw Failure("reserve", length);
    }

    /// <summary>Makes part of a reservation readable and writable, zero-filled on first touch; with <paramref name="hugePages"/> in huge ones where the host has them.</summary>
    public static void Commit(byte* address, nuint length, bool hugePages)
    {
        if (Protect((nint)address, length, ProtReadWrite) != 0)
            throw Failure("commit", length);
        // Only advice: a host without transparent huge pages refuses it, and nothing is lost but speed.
        if (hugePages)
            _ = Advise((nint)address, length, MadviseHugePage);
    }

    /// <summary>Gives a reservation back.</summary>
    public static void Release(byte* address, nuint length)
    {
        if (Unmap((nint)address, length) != 0)
            throw Failure("release", length);
    }

    private static IOException Failure(string what, nuint length) =>
        new($"cannot {what} {length >> 10} KiB of guest memory: {Marshal.GetLastPInvokeErrorMessage()}");

    [LibraryImport("libc", EntryPoint = "mmap", SetLastError = true)]
    private static partial nint Map(nint address, nuint length, int protection, int flags, int file, long offset);

    [LibraryImport("libc", EntryPoint = "mprotect", SetLastError = true)]
    private static partial int Protect(nint address, nuint length, int protection);

    [LibraryImport("libc", EntryPoint = "madvise", SetLastError = true)]
    private static partial int Advise(nint address, nuint length, int advice);

    [LibraryImport("libc", EntryPoint = "munmap", SetLastError = true)]
    private static partial int Unmap(nint address, nuint length);
}
