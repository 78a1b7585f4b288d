using FastXen.Loader.Configuration;

namespace FastXen.Loader.Images;

/// <summary>Checks raw disk images before a guest gets them.</summary>
public static class DiskImage
{
    private const int SectorSize = 512;

    /// <summary>Fails with a sentence when the image is missing, short, or cannot be written and is not said to be read-only.</summary>
    public static void Check(DiskConfig disk)
    {
        using ImageFile file = ImageFile.OpenRaw(disk.Path);
        long length = file.Length;
        if (length == 0) throw new ImageException(disk.Path, "is empty, expected a disk image");
        if (length % SectorSize != 0) throw new ImageException(disk.Path, $"is short: it ends {length % SectorSize} bytes into a sector ({length} bytes are no multiple of {SectorSize})");
        if (disk.ReadOnly) return;
        const UnixFileMode AnyWrite = UnixFileMode.UserWrite | UnixFileMode.GroupWrite | UnixFileMode.OtherWrite;
        try
        {
            // Root may write any file: what nobody is meant to write stays as it is all the same.
            if ((File.GetUnixFileMode(disk.Path) & AnyWrite) == 0) throw new UnauthorizedAccessException();
            new FileStream(disk.Path, FileMode.Open, FileAccess.ReadWrite, FileShare.ReadWrite).Dispose();
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new ImageException(disk.Path, "is read-only: make the file writable, or say \"readOnly\": true for this disk", e);
        }
    }
}
