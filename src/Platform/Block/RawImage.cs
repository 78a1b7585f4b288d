using System.Runtime.InteropServices;
using Microsoft.Win32.SafeHandles;

namespace FastXen.Platform.Block;

/// <summary>A raw disk image in a file. It is locked, so that two machines do not share a disk that one of them writes.</summary>
public sealed partial class RawImage : IBlockBackend
{
    // fallocate: a hole, in a file that stays as long as it is.
    private const int KeepSize = 1, PunchHole = 2;

    private readonly SafeFileHandle handle;

    private RawImage(SafeFileHandle handle, long length, bool readOnly)
    {
        this.handle = handle;
        Length = length;
        IsReadOnly = readOnly;
    }

    /// <inheritdoc/>
    public long Length { get; }

    /// <inheritdoc/>
    public bool IsReadOnly { get; }

    /// <summary>Opens an image. Throws <see cref="DeviceConfigurationException"/> when it cannot be a disk.</summary>
    public static RawImage Open(string path, bool readOnly)
    {
        ArgumentException.ThrowIfNullOrEmpty(path);
        if (Directory.Exists(path))
            throw Bad(path, "is a directory; expected a raw disk image file");
        if (!File.Exists(path))
            throw Bad(path, "does not exist");
        SafeFileHandle handle;
        try
        {
            handle = File.OpenHandle(path, FileMode.Open, readOnly ? FileAccess.Read : FileAccess.ReadWrite,
                readOnly ? FileShare.Read : FileShare.None, FileOptions.RandomAccess);
        }
        catch (UnauthorizedAccessException e)
        {
            throw Bad(path, readOnly || !IsReadable(path)
                ? "cannot be read: permission denied"
                : "is not writable; make it so, or mark the disk \"readOnly\"", e);
        }
        catch (IOException e)
        {
            throw Bad(path, IsReadable(path) ? "is in use by another machine or process" : $"cannot be opened: {e.Message}", e);
        }
        long length = RandomAccess.GetLength(handle);
        if (length > 0 && length % IBlockBackend.SectorSize == 0)
            return new RawImage(handle, length, readOnly);
        handle.Dispose();
        throw Bad(path, length == 0
            ? "is empty; expected a raw disk image"
            : $"has {length} bytes; expected a multiple of {IBlockBackend.SectorSize}");
    }

    /// <inheritdoc/>
    public void Read(long position, Span<byte> buffer)
    {
        while (buffer.Length > 0)
        {
            int count = RandomAccess.Read(handle, buffer, position);
            if (count == 0)
                throw new EndOfStreamException("the disk image became shorter");
            buffer = buffer[count..];
            position += count;
        }
    }

    /// <inheritdoc/>
    public void Write(long position, ReadOnlySpan<byte> buffer) => RandomAccess.Write(handle, buffer, position);

    /// <inheritdoc/>
    public unsafe void Read(long position, ReadOnlySpan<IoVector> pieces)
    {
        long done;
        fixed (IoVector* first = pieces)
            done = Math.Max(0, ReadPieces(Descriptor, first, pieces.Length, position));
        // Usually nothing is left: a signal, the end of the file, or an error that the simple call reports.
        foreach (IoVector piece in pieces)
        {
            int part = (int)Math.Min(done, piece.Length);
            done -= part;
            if (part < piece.Length)
                Read(position + part, piece.Span[part..]);
            position += piece.Length;
        }
    }

    /// <inheritdoc/>
    public unsafe void Write(long position, ReadOnlySpan<IoVector> pieces)
    {
        long done;
        fixed (IoVector* first = pieces)
            done = Math.Max(0, WritePieces(Descriptor, first, pieces.Length, position));
        foreach (IoVector piece in pieces)
        {
            int part = (int)Math.Min(done, piece.Length);
            done -= part;
            if (part < piece.Length)
                Write(position + part, piece.Span[part..]);
            position += piece.Length;
        }
    }

    /// <inheritdoc/>
    public bool TryDiscard(long position, long length) =>
        !IsReadOnly && Allocate(Descriptor, KeepSize | PunchHole, position, length) == 0;

    /// <inheritdoc/>
    public void Flush() => RandomAccess.FlushToDisk(handle);

    /// <inheritdoc/>
    public void Dispose() => handle.Dispose();

    // The handle lives as long as this does.
    private int Descriptor => (int)handle.DangerousGetHandle();

    private static bool IsReadable(string path)
    {
        try
        {
            // Shares with everyone: fails for want of permission only.
            File.OpenHandle(path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite).Dispose();
            return true;
        }
        catch (UnauthorizedAccessException)
        {
            return false;
        }
        catch (IOException)
        {
            return true;
        }
    }

    private static DeviceConfigurationException Bad(string path, string what, Exception? inner = null) =>
        new($"Disk image '{path}' {what}.", inner);

    [LibraryImport("libc", EntryPoint = "preadv")]
    private static unsafe partial nint ReadPieces(int descriptor, IoVector* pieces, int count, long position);

    [LibraryImport("libc", EntryPoint = "pwritev")]
    private static unsafe partial nint WritePieces(int descriptor, IoVector* pieces, int count, long position);

    [LibraryImport("libc", EntryPoint = "fallocate")]
    private static partial int Allocate(int descriptor, int mode, long position, long length);
}
