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

    /// <summary>Fills pieces of memory, one after the other, from a position; all of it is on the disk.</summary>
    void Read(long position, ReadOnlySpan<IoVector> pieces)
    {
        foreach (IoVector piece in pieces)
        {
            Read(position, piece.Span);
            position += piece.Length;
        }
    }

    /// <summary>Writes pieces of memory, one after the other, at a position; all of it is on the disk.</summary>
    void Write(long position, ReadOnlySpan<IoVector> pieces)
    {
        foreach (IoVector piece in pieces)
        {
            Write(position, piece.Span);
            position += piece.Length;
        }
    }

    /// <summary>Makes what was written permanent.</summary>
    void Flush();

    /// <summary>The content of a range is not needed any more. False when this disk does not know how to let go of it.</summary>
    bool TryDiscard(long position, long length) => false;
}
