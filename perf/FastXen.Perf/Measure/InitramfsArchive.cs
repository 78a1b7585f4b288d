using System.Text;

namespace FastXen.Perf.Measure;

/// <summary>
/// A cpio archive ("newc": Linux's Documentation/driver-api/early-userspace/buffer-format) for an initramfs. Linux unpacks several
/// archives that follow each other, each compressed or not, so that files are added to an initramfs without unpacking it.
/// </summary>
internal sealed class InitramfsArchive
{
    private const uint Directory = 0x41ed, Executable = 0x81ed;    // S_IFDIR, S_IFREG; rwxr-xr-x
    private readonly List<byte> _archive = [];
    private uint _inode;

    /// <summary>Adds a directory.</summary>
    public void AddDirectory(string path) => Add(path, Directory, []);

    /// <summary>Adds an executable file.</summary>
    public void AddExecutable(string path, byte[] content) => Add(path, Executable, content);

    /// <summary>An initramfs with these files added, as a new file.</summary>
    public void WriteAfter(string initramfs, string output)
    {
        Add("TRAILER!!!", 0, []);
        using FileStream file = File.Create(output);
        file.Write(File.ReadAllBytes(initramfs));
        file.Write(new byte[-file.Position & 3]);
        file.Write([.. _archive]);
    }

    // Each header is eight-digit hexadecimal fields; names and contents end at multiples of four bytes.
    private void Add(string path, uint mode, byte[] content)
    {
        byte[] name = Encoding.ASCII.GetBytes(path + "\0");
        uint[] fields = [++_inode, mode, 0, 0, 1, 0, (uint)content.Length, 0, 0, 0, 0, (uint)name.Length, 0];
        _archive.AddRange(Encoding.ASCII.GetBytes("070701" + string.Concat(fields.Select(field => $"{field:x8}"))));
        _archive.AddRange(name);
        Pad();
        _archive.AddRange(content);
        Pad();
    }

    private void Pad() => _archive.AddRange(new byte[-_archive.Count & 3]);
}
