using System.IO.Compression;

namespace FastXen.Loader.Images;

/// <summary>An image file read once from front to back, unpacked on the way when it is a gzip file. Failures are <see cref="ImageException"/>s.</summary>
public sealed class ImageFile : IDisposable
{
    private readonly string _path;
    private readonly FileStream _file;
    private readonly Stream _contents;

    private ImageFile(string path, FileStream file, bool unpack)
    {
        _path = path;
        _file = file;
        IsPacked = unpack && StartsAsGzip(file);
        _contents = IsPacked ? new GZipStream(file, CompressionMode.Decompress) : file;
    }

    /// <summary>True when the file is a gzip file whose contents are read.</summary>
    public bool IsPacked { get; }

    /// <summary>Bytes read so far.</summary>
    public long Position { get; private set; }

    /// <summary>Bytes of the file on disk.</summary>
    public long Length => _file.Length;

    /// <summary>Opens a file, which is unpacked if it is a gzip file.</summary>
    public static ImageFile Open(string path) => Open(path, unpack: true);

    /// <summary>Opens a file, to be taken as it is.</summary>
    public static ImageFile OpenRaw(string path) => Open(path, unpack: false);

    private static ImageFile Open(string path, bool unpack)
    {
        FileStream? file = null;
        try
        {
            if (Directory.Exists(path)) throw new ImageException(path, "is a directory, expected a file");
            file = new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite, 1 << 16);
            if (!file.CanSeek) throw new ImageException(path, "is not a regular file");
            return new ImageFile(path, file, unpack);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or NotSupportedException)
        {
            file?.Dispose();
            throw new ImageException(path, Reason(e), e);
        }
    }

    /// <summary>What an error of the file system means, in a few words that do not repeat the path.</summary>
    internal static string Reason(Exception e) => e switch
    {
        FileNotFoundException or DirectoryNotFoundException => "there is no such file",
        UnauthorizedAccessException => "may not be opened (permission denied, or not a file)",
        EndOfStreamException => "became shorter while it was read",
        _ => $"cannot be read: {e.Message}",
    };

    /// <summary>Reads up to the buffer's length; fewer bytes only at the end of the file.</summary>
    public int Read(Span<byte> buffer)
    {
        try
        {
            int count = _contents.ReadAtLeast(buffer, buffer.Length, throwOnEndOfStream: false);
            Position += count;
            return count;
        }
        catch (InvalidDataException e)
        {
            throw new ImageException(_path, $"is damaged: its gzip data is not valid after {Position} unpacked bytes", e);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new ImageException(_path, Reason(e), e);
        }
    }

    /// <summary>Reads all of the buffer; the file is truncated when it ends before.</summary>
    public void ReadExactly(Span<byte> buffer, string what)
    {
        if (Read(buffer) < buffer.Length) throw new ImageException(_path, $"is truncated: it ends after {Position} bytes, inside of {what}");
    }

    /// <summary>Skips forward to a position.</summary>
    public void SkipTo(long position, string what)
    {
        Span<byte> scratch = stackalloc byte[4096];
        while (Position < position) ReadExactly(scratch[..(int)Math.Min(scratch.Length, position - Position)], what);
    }

    private static bool StartsAsGzip(FileStream file)
    {
        bool gzip = file.ReadByte() == 0x1F && file.ReadByte() == 0x8B;
        file.Position = 0;
        return gzip;
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        _contents.Dispose();
        _file.Dispose();
    }
}
