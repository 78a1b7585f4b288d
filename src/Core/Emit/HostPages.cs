using System.Runtime.InteropServices;

namespace FastXen.Core.Emit;

/// <summary>The host's calls for pages of memory (Linux).</summary>
internal static unsafe partial class HostPages
{
    public const int ReadWrite = 3, ReadExecute = 5;
    public const int Shared = 1, Private = 2, Anonymous = 0x20, NoReserve = 0x4000;

    /// <summary>
    /// Advice: private pages are zero again, those of a file leave the mapping (and stay in the file); pages of a file are holes again; no page is to be a huge one.
    /// </summary>
    public const int Discard = 4, Remove = 9, NoHugePages = 15;

    [LibraryImport("libc", EntryPoint = "mmap", SetLastError = true)]
    public static partial nint Map(nint address, nuint length, int protection, int flags, int file, long offset);

    [LibraryImport("libc", EntryPoint = "munmap", SetLastError = true)]
    public static partial int Unmap(nint address, nuint length);

    [LibraryImport("libc", EntryPoint = "madvise", SetLastError = true)]
    public static partial int Advise(nint address, nuint length, int advice);
}
