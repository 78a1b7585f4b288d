using System.Buffers.Binary;
using System.Runtime.InteropServices;
using Microsoft.Win32.SafeHandles;

namespace FastXen.Platform.Block;

/// <summary>
/// A copy-on-write disk: a base that is only read, and a file of ours with the blocks that were written (docs/overlay-image.md). After a
/// crash the file is whole: a block's place becomes permanent after its content.
/// </summary>
public sealed class OverlayImage : CopyOnWriteImage, IBlockBackend
{
    /// <summary>Bytes of a block.</summary>
    public const int BlockSize = 1 << 16;

    private const int HeaderSize = 4096, EntrySize = sizeof(uint);
    private const uint Version = 1;
    private const int VersionAt = 8, BlockSizeAt = 12, LengthAt = 16, DataAt = 24, SumAt = 32, SummedBytes = 32;

    // Entries that are read or written at a time.
    private const int MapPage = 4096 / EntrySize;

    private readonly SafeFileHandle file;
    private readonly long data;

    // For each block its place in the file plus 1, or 0: still the base's.
    private readonly uint[] map;
    private readonly HashSet<int> changedPages = [];
    private readonly byte[] block = GC.AllocateUninitializedArray<byte>(BlockSize);
    private uint used;

    private OverlayImage(SafeFileHandle file, IBlockBackend origin)
        : base(origin, BlockSize)
    {
        this.file = file;
        Length = origin.Length;
        map = new uint[Blocks(Length)];
        data = DataStart(Length);
    }

    private static ReadOnlySpan<byte> Magic => "FXOVRLAY"u8;

    /// <inheritdoc/>
    public long Length { get; }

    /// <inheritdoc/>
    public bool IsReadOnly => false;

    /// <summary>Blocks that were written.</summary>
    public long WrittenBlocks => used;

    /// <summary>
    /// Opens a disk, and makes the overlay where there is none. Takes over the base, which must be the one that the overlay was made for,
    /// unchanged. Throws <see cref="DeviceConfigurationException"/>.
    /// </summary>
    public static OverlayImage Open(string path, IBlockBackend origin)
    {
        ArgumentException.ThrowIfNullOrEmpty(path);
        ArgumentNullException.ThrowIfNull(origin);
        SafeFileHandle file;
        try
        {
            file = File.OpenHandle(path, FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.None, FileOptions.RandomAccess);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            origin.Dispose();
            throw Bad(path, $"cannot be opened: {e.Message}", e);
        }
        var image = new OverlayImage(file, origin);
        try
        {
            if (RandomAccess.GetLength(file) == 0)
                image.Create();
            else if (image.Load() is { } what)
                throw Bad(path, what);
            return image;
        }
        catch (Exception e)
        {
            file.Dispose();
            origin.Dispose();
            throw e is IOException ? Bad(path, $"cannot be used: {e.Message}", e) : e;
        }
    }

    private protected override bool IsWritten(long block) => map[block] != 0;

    private protected override void ReadWritten(long block, int offset, Span<byte> buffer) => ReadFile(Address(map[block]) + offset, buffer);

    /// <inheritdoc/>
    public void Write(long position, ReadOnlySpan<byte> buffer)
    {
        while (buffer.Length > 0)
        {
            (int number, int offset) = Place(position);
            int part = Math.Min(buffer.Length, BlockSize - offset);
            if (map[number] != 0)
                RandomAccess.Write(file, buffer[..part], Address(map[number]) + offset);
            else
                Add(number, offset, buffer[..part]);
            buffer = buffer[part..];
            position += part;
        }
    }

    /// <inheritdoc/>
    public void Flush()
    {
        // What the map is about to name is permanent first.
        RandomAccess.FlushToDisk(file);
        if (changedPages.Count == 0)
            return;
        foreach (int page in changedPages)
            WriteMap(page);
        RandomAccess.FlushToDisk(file);
        changedPages.Clear();
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        try
        {
            if (changedPages.Count > 0)
                Flush();
        }
        catch (IOException)
        {
            // As after a crash: what was not flushed is lost.
        }
        file.Dispose();
        Origin.Dispose();
    }

    private static long Blocks(long length) => (length + BlockSize - 1) / BlockSize;

    private static long DataStart(long length) => (HeaderSize + Blocks(length) * EntrySize + BlockSize - 1) / BlockSize * BlockSize;

    private static (int Number, int Offset) Place(long position) => ((int)(position / BlockSize), (int)(position % BlockSize));

    private long Address(uint entry) => data + (entry - 1L) * BlockSize;

    // A whole block: what is not written now comes from the base.
    private void Add(int number, int offset, ReadOnlySpan<byte> content)
    {
        long start = (long)number * BlockSize;
        int size = (int)Math.Min(BlockSize, Length - start);
        if (content.Length < size)
            Origin.Read(start, block.AsSpan(0, size));
        content.CopyTo(block.AsSpan(offset));
        block.AsSpan(size).Clear();
        RandomAccess.Write(file, block, Address(used + 1));
        map[number] = ++used;
        changedPages.Add(number / MapPage);
    }

    private void Create()
    {
        var header = new byte[HeaderSize];
        Magic.CopyTo(header);
        BinaryPrimitives.WriteUInt32LittleEndian(header.AsSpan(VersionAt), Version);
        BinaryPrimitives.WriteInt32LittleEndian(header.AsSpan(BlockSizeAt), BlockSize);
        BinaryPrimitives.WriteInt64LittleEndian(header.AsSpan(LengthAt), Length);
        BinaryPrimitives.WriteInt64LittleEndian(header.AsSpan(DataAt), data);
        BinaryPrimitives.WriteUInt32LittleEndian(header.AsSpan(SumAt), Sum(header));
        // The map first: a file with a header is whole.
        RandomAccess.SetLength(file, data);
        RandomAccess.FlushToDisk(file);
        RandomAccess.Write(file, header, 0);
        RandomAccess.FlushToDisk(file);
    }

    // What is wrong with the file, or null.
    private string? Load()
    {
        long length = RandomAccess.GetLength(file);
        var header = new byte[HeaderSize];
        if (length < HeaderSize)
            return "is not an overlay; expected a file that FastXen made, or none";
        ReadFile(0, header);
        if (!header.AsSpan().StartsWith(Magic))
            return "is not an overlay; expected a file that FastXen made, or none";
        uint version = BinaryPrimitives.ReadUInt32LittleEndian(header.AsSpan(VersionAt));
        if (version != Version)
            return $"has version {version}; expected {Version}";
        long made = BinaryPrimitives.ReadInt64LittleEndian(header.AsSpan(LengthAt));
        bool isWhole = BinaryPrimitives.ReadUInt32LittleEndian(header.AsSpan(SumAt)) == Sum(header)
            && BinaryPrimitives.ReadInt32LittleEndian(header.AsSpan(BlockSizeAt)) == BlockSize
            && BinaryPrimitives.ReadInt64LittleEndian(header.AsSpan(DataAt)) == DataStart(made);
        if (!isWhole)
            return "has a damaged header";
        if (made != Length)
            return $"was made for a base of {made} bytes; this one has {Length}";
        if (length < data)
            return "is shorter than its map";
        ReadFile(HeaderSize, MemoryMarshal.AsBytes(map.AsSpan()));
        long places = (length - data) / BlockSize;
        var taken = new HashSet<uint>();
        foreach (uint entry in map)
        {
            if (entry > places || entry != 0 && !taken.Add(entry))
                return $"has a damaged map: block {entry - 1L} {(entry > places ? "lies behind its end" : "is used twice")}";
            used = Math.Max(used, entry);
        }
        return null;
    }

    private void WriteMap(int page)
    {
        int first = page * MapPage;
        Span<uint> entries = map.AsSpan(first, Math.Min(MapPage, map.Length - first));
        RandomAccess.Write(file, MemoryMarshal.AsBytes(entries), HeaderSize + (long)first * EntrySize);
    }

    private void ReadFile(long position, Span<byte> buffer)
    {
        while (buffer.Length > 0)
        {
            int count = RandomAccess.Read(file, buffer, position);
            if (count == 0)
                throw new EndOfStreamException("the overlay became shorter");
            buffer = buffer[count..];
            position += count;
        }
    }

    // FNV-1a of what precedes it.
    private static uint Sum(ReadOnlySpan<byte> header)
    {
        uint sum = 2166136261;
        foreach (byte b in header[..SummedBytes])
            sum = (sum ^ b) * 16777619;
        return sum;
    }

    private static DeviceConfigurationException Bad(string path, string what, Exception? inner = null) =>
        new($"Overlay '{path}' {what}.", inner);
}
