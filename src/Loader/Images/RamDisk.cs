using FastXen.Loader.Configuration;
using FastXen.Mmu;

namespace FastXen.Loader.Images;

/// <summary>An initial RAM disk: a file that is put high into guest memory as it is.</summary>
public sealed class RamDisk
{
    /// <summary>Alignment of its place: the largest page that a Linux/ia64 kernel is built for.</summary>
    private const ulong Alignment = 64 << 10;

    private readonly string _path;

    private RamDisk(string path, MemoryRange memory)
    {
        _path = path;
        Memory = memory;
    }

    /// <summary>Where it goes.</summary>
    public MemoryRange Memory { get; }

    /// <summary>Finds a place for the file in what the kernel leaves free.</summary>
    public static RamDisk Place(string path, MemoryLayout layout, KernelImage kernel)
    {
        using ImageFile file = ImageFile.OpenRaw(path);
        ulong length = (ulong)file.Length;
        if (length == 0) throw new ImageException(path, "is empty");
        return layout.FindHighest(length, Alignment, kernel.Memory) is { } place
            ? new RamDisk(path, place)
            : throw new ImageException(path, $"has {length} bytes and does not fit into what the kernel leaves of {MemorySize.Format(layout.Size)} of memory");
    }

    /// <summary>Writes it to guest memory.</summary>
    public void Load(PhysicalMemory memory)
    {
        using ImageFile file = ImageFile.OpenRaw(_path);
        GuestMemoryWriter.Copy(memory, Memory.Start, Memory.End, chunk => file.ReadExactly(chunk, "what it had when it was placed"));
        memory.NotifyWritten(Memory.Start, Memory.Length);
    }
}
