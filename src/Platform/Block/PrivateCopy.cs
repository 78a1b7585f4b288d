namespace FastXen.Platform.Block;

/// <summary>A disk that keeps what is written to it in memory: the one that it began with stays as it is.</summary>
public sealed class PrivateCopy(IBlockBackend origin, bool isReadOnly) : CopyOnWriteImage(origin, BlockSize), IBlockBackend
{
    private const int BlockSize = 1 << 16;
    private readonly Dictionary<long, byte[]> _written = [];

    /// <inheritdoc/>
    public long Length => Origin.Length;

    /// <inheritdoc/>
    public bool IsReadOnly => isReadOnly;

    private protected override bool IsWritten(long block) => _written.ContainsKey(block);

    private protected override void ReadWritten(long block, int offset, Span<byte> buffer) => _written[block].AsSpan(offset, buffer.Length).CopyTo(buffer);

    /// <inheritdoc/>
    public void Write(long position, ReadOnlySpan<byte> buffer)
    {
        while (buffer.Length > 0)
        {
            (long block, int offset) = ((long, int))Math.DivRem(position, BlockSize);
            int part = Math.Min(buffer.Length, BlockSize - offset);
            if (!_written.TryGetValue(block, out byte[]? content))
            {
                content = new byte[BlockSize];
                long start = block * BlockSize;
                Origin.Read(start, content.AsSpan(0, (int)Math.Min(BlockSize, Length - start)));
                _written.Add(block, content);
            }

            buffer[..part].CopyTo(content.AsSpan(offset));
            buffer = buffer[part..];
            position += part;
        }
    }

    /// <inheritdoc/>
    public void Flush()
    {
    }

    /// <inheritdoc/>
    public void Dispose() => Origin.Dispose();
}
