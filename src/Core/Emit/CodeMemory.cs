using System.Runtime.InteropServices;

namespace FastXen.Core.Emit;

/// <summary>
/// Memory for machine code, mapped twice: once to write, once to execute. No page is ever both, so there is nothing to switch
/// and other threads may run code while more is written.
/// </summary>
public sealed unsafe partial class CodeMemory : IDisposable
{
    private const int CloseOnExec = 1, Executables = 0x10, InvalidArgument = 22;

    /// <summary>All code must reach all other code with 32-bit displacements.</summary>
    private const long MaximumSize = 1L << 30;

    /// <summary>Maps memory, zero-filled and untouched.</summary>
    /// <exception cref="IOException">The host does not allow it.</exception>
    public CodeMemory(long size)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(size, 1);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(size, MaximumSize);
        Size = (size + Environment.SystemPageSize - 1) & -(long)Environment.SystemPageSize;
        int file = CreateFile("FastXen code", CloseOnExec | Executables);
        // Linux before 6.3 does not know the second flag.
        if (file < 0 && Marshal.GetLastPInvokeError() == InvalidArgument)
            file = CreateFile("FastXen code", CloseOnExec);
        if (file < 0)
            throw Failure("create memory for machine code");

        try
        {
            if (Truncate(file, Size) != 0)
                throw Failure($"get {Size >> 10} KiB for machine code");
            Writable = MapFile(file, HostPages.ReadWrite, "map machine code to write it");
            try
            {
                Executable = MapFile(file, HostPages.ReadExecute, "map machine code to execute it (a host's policy, such as SELinux's, may forbid that)");
            }
            catch
            {
                _ = HostPages.Unmap((nint)Writable, (nuint)Size);
                throw;
            }
        }
        finally
        {
            _ = Close(file);
        }
    }

    /// <summary>Where code is written.</summary>
    public byte* Writable { get; private set; }

    /// <summary>Where the same code runs.</summary>
    public byte* Executable { get; private set; }

    /// <summary>Bytes, whole pages.</summary>
    public long Size { get; }

    /// <summary>Gives the pages of a part back, as far as it consists of whole ones; no code in it may run any more. It is zero when it is written next.</summary>
    public void Discard(long offset, long size)
    {
        // Only advice: where the host refuses it, the old bytes stay until they are overwritten.
        if (WholePages(offset, size) is (long first, long length))
            _ = HostPages.Advise((nint)(Writable + first), (nuint)length, HostPages.Remove);
    }

    /// <summary>
    /// Takes the whole pages of a part out of the writable mapping, which finds them again, as they are, when it is touched. They stay where they are executed: what has
    /// been written does not count twice among the process's resident pages.
    /// </summary>
    public void Unload(long offset, long size)
    {
        if (WholePages(offset, size) is (long first, long length))
            _ = HostPages.Advise((nint)(Writable + first), (nuint)length, HostPages.Discard);
    }

    private static (long First, long Length)? WholePages(long offset, long size)
    {
        long page = Environment.SystemPageSize, first = (offset + page - 1) & -page, end = (offset + size) & -page;
        return end > first ? (first, end - first) : null;
    }

    /// <summary>Unmaps the memory; no code in it may run any more.</summary>
    public void Dispose()
    {
        if (Writable == null)
            return;
        _ = HostPages.Unmap((nint)Writable, (nuint)Size);
        _ = HostPages.Unmap((nint)Executable, (nuint)Size);
        Writable = Executable = null;
    }

    private byte* MapFile(int file, int protection, string what)
    {
        nint address = HostPages.Map(0, (nuint)Size, protection, HostPages.Shared, file, 0);
        return address != -1 ? (byte*)address : throw Failure(what);
    }

    private static IOException Failure(string what) => new($"cannot {what}: {Marshal.GetLastPInvokeErrorMessage()}");

    [LibraryImport("libc", EntryPoint = "memfd_create", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    private static partial int CreateFile(string name, uint flags);

    [LibraryImport("libc", EntryPoint = "ftruncate", SetLastError = true)]
    private static partial int Truncate(int file, long length);

    [LibraryImport("libc", EntryPoint = "close", SetLastError = true)]
    private static partial int Close(int file);
}
