using System.Runtime.InteropServices;

namespace FastXen.Core.Emit;

/// <summary>
/// Memory for large tables of which most entries are never used: zero-filled, a page of it costs something only once it has been
/// touched. (What the C library allocates may have been used before, and is then cleared, that is touched, from end to end.)
/// </summary>
internal sealed unsafe class LazyMemory : IDisposable
{
    private readonly nint reserved;
    private readonly nuint length;

    /// <summary>Maps memory. <paramref name="alignment"/>: a power of 2.</summary>
    /// <exception cref="IOException">The host has none.</exception>
    public LazyMemory(long size, int alignment = 4096)
    {
        nuint page = (nuint)Environment.SystemPageSize, spare = (nuint)Math.Max(alignment - (long)page, 0);
        Size = ((nuint)size + page - 1) & ~(page - 1);
        length = Size + spare;
        reserved = HostPages.Map(0, length, HostPages.ReadWrite, HostPages.Private | HostPages.Anonymous | HostPages.NoReserve, -1, 0);
        if (reserved == -1)
            throw new IOException($"cannot get {length >> 10} KiB for tables: {Marshal.GetLastPInvokeErrorMessage()}");
        // A huge page would be touched as a whole.
        _ = HostPages.Advise(reserved, length, HostPages.NoHugePages);
        Start = (byte*)((nuint)(reserved + alignment - 1) & ~(nuint)(alignment - 1));
    }

    /// <summary>First byte.</summary>
    public byte* Start { get; }

    /// <summary>Bytes, whole pages.</summary>
    public nuint Size { get; }

    /// <summary>Makes everything zero, and gives the pages back.</summary>
    public void Clear() => Clear(0, Size);

    /// <summary>As <see cref="Clear()"/> for a part, as far as it consists of whole pages.</summary>
    public void Clear(nuint offset, nuint size)
    {
        nuint page = (nuint)Environment.SystemPageSize, first = (offset + page - 1) & ~(page - 1), end = (offset + size) & ~(page - 1);
        if (end > first)
            _ = HostPages.Advise((nint)(Start + first), end - first, HostPages.Discard);
    }

    /// <inheritdoc/>
    public void Dispose() => _ = HostPages.Unmap(reserved, length);
}
