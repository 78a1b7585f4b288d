using FastXen.Mmu;

namespace FastXen.Loader.Images;

/// <summary>Fills guest memory piece by piece.</summary>
internal static class GuestMemoryWriter
{
    private const int ChunkSize = 1 << 20;

    /// <summary>Fills one piece.</summary>
    public delegate void Filler(Span<byte> chunk);

    /// <summary>Fills [start, end), which must be RAM.</summary>
    public static void Copy(PhysicalMemory memory, ulong start, ulong end, Filler fill)
    {
        for (ulong address = start; address < end;)
        {
            int length = (int)Math.Min(ChunkSize, end - address);
            if (!memory.TryGetSpan(address, length, out Span<byte> chunk)) throw new InvalidOperationException($"no RAM at 0x{address:x}, which the loader had checked");
            fill(chunk);
            address += (ulong)length;
        }
    }
}
