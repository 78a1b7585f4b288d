using FastXen.Loader.Configuration;
using FastXen.Platform;
using FastXen.Platform.Block;

namespace FastXen.Loader.Images;

/// <summary>Checks raw disk images before a guest gets them.</summary>
public static class DiskImage
{
    /// <summary>Fails with a sentence when the image is missing, short, or cannot be written and is not said to be read-only.</summary>
    public static void Check(DiskConfig disk)
    {
        CheckWritable(disk);
        try
        {
            RawImage.Open(disk.Path, disk.ReadOnly).Dispose();
        }
        catch (DeviceConfigurationException e)
        {
            throw new DeviceException(e);
        }
    }

    /// <summary>Fails when nobody is meant to write the file of a disk that the guest may write: root, who may write any file, is held to it as well.</summary>
    internal static void CheckWritable(DiskConfig disk)
    {
        const UnixFileMode AnyWrite = UnixFileMode.UserWrite | UnixFileMode.GroupWrite | UnixFileMode.OtherWrite;
        if (!disk.ReadOnly && File.Exists(disk.Path) && (File.GetUnixFileMode(disk.Path) & AnyWrite) == 0)
            throw new ImageException(disk.Path, "is read-only: make the file writable, or say \"readOnly\": true for this disk");
    }
}
