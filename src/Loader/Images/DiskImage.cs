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
        try
        {
            // An overlay is made by who opens the disk.
            Open(File.Exists(disk.Overlay) ? disk : disk with { ReadOnly = disk.ReadOnly || disk.Overlay is not null, Overlay = null }).Dispose();
        }
        catch (DeviceConfigurationException e)
        {
            throw new DeviceException(e);
        }
    }

    /// <summary>Opens a disk; an overlay that is not there is made. Fails with a <see cref="LoadException"/> or a <see cref="DeviceConfigurationException"/>.</summary>
    internal static IBlockBackend Open(DiskConfig disk)
    {
        if (disk.Overlay is { } overlay) return OverlayImage.Open(overlay, RawImage.Open(disk.Path, readOnly: true));
        CheckWritable(disk);
        return RawImage.Open(disk.Path, disk.ReadOnly);
    }

    /// <summary>Fails when nobody is meant to write the file of a disk that the guest may write: root, who may write any file, is held to it as well.</summary>
    private static void CheckWritable(DiskConfig disk)
    {
        const UnixFileMode AnyWrite = UnixFileMode.UserWrite | UnixFileMode.GroupWrite | UnixFileMode.OtherWrite;
        if (!disk.ReadOnly && File.Exists(disk.Path) && (File.GetUnixFileMode(disk.Path) & AnyWrite) == 0)
            throw new ImageException(disk.Path, "is read-only: make the file writable, or say \"readOnly\": true for this disk");
    }
}
