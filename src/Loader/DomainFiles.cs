using FastXen.Loader.Configuration;
using FastXen.Loader.Images;

namespace FastXen.Loader;

/// <summary>Checks the files that a config names, without a machine.</summary>
public static class DomainFiles
{
    /// <summary>Fails with a sentence about the first file that the guest could not be run with.</summary>
    public static void Check(GuestConfig config)
    {
        MemoryLayout layout = DomainLayout.Of(config);
        KernelImage kernel = KernelImage.Open(config.Kernel);
        kernel.CheckFits(layout);
        kernel.CheckComplete();
        if (config.Initrd is { } initrd) RamDisk.Place(initrd, layout, kernel);
        foreach (DiskConfig disk in config.Disks.Where(static disk => disk.Backend is null))
        {
            DiskImage.Check(disk);
            CheckDirectory(disk.Overlay);
        }
        CheckDirectory(config.EfiVariables);
        CheckDirectory(config.Console.Path);
    }

    // These files are made when they are not there.
    private static void CheckDirectory(string? path)
    {
        if (path is null) return;
        if (Directory.Exists(path)) throw new ImageException(path, "is a directory, expected a file");
        string directory = Path.GetDirectoryName(Path.GetFullPath(path)) ?? "/";
        if (!Directory.Exists(directory)) throw new ImageException(path, $"cannot be made: there is no directory {directory}");
    }
}
