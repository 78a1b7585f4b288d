namespace FastXen.Platform.Block;

/// <summary>An image of which some blocks have been written, and are somewhere else; the others are the origin's.</summary>
public abstract class CopyOnWriteImage
{
    /// <summary>An image over another one, in blocks of so many bytes.</summary>
    private protected CopyOnWriteImage(IBlockBackend origin, int blockSize)
    {
        Origin = origin;
        Size = blockSize;
    }

    private protected IBlockBackend Origin { get; }

    private int Size { get; }

    /// <summary>Reads from both. Neighbours that are the origin's are read together.</summary>
    public void Read(long position, Span<byte> buffer)
    {
        while (buffer.Length > 0)
        {
            (long block, long offset) = Math.DivRem(position, (long)Size);
            int part = (int)Math.Min(buffer.Length, Size - offset);
            if (IsWritten(block))
            {
                ReadWritten(block, (int)offset, buffer[..part]);
            }
            else
            {
                while (part < buffer.Length && !IsWritten(++block))
                    part = Math.Min(buffer.Length, part + Size);
                Origin.Read(position, buffer[..part]);
            }
            buffer = buffer[part..];
            position += part;
        }
    }

    private protected abstract bool IsWritten(long block);

    private protected abstract void ReadWritten(long block, int offset, Span<byte> buffer);
}
