namespace FastXen.Platform.Block;

/// <summary>A disk's content. One thread at a time; host errors are <see cref="IOException"/>s.</summary>
public interface IBlockBackend : IDisposable
{
    /// <summary>Bytes of sector; capacities are multiples of it.</summary>
    const int SectorSize = 512;

    /// <summary>Size in bytes.</summary>
    long Length { get; }

    /// <summary>The guest may not write.</summary>
    bool IsReadOnly { get; }

    /// <summary>Fills a buffer from a position; all of it is on the disk.</summary>
    void Read(long position, Span<byte> buffer);

    /// <summary>Writes a buffer at a position; all of it is on the disk.</summary>
    void Write(long position, ReadOnlySpan<byte> buffer);

    /// <summary>Makes what was written permanent.</summary>
    void Flush();
}
