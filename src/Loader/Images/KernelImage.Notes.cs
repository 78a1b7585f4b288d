using System.Buffers.Binary;

namespace FastXen.Loader.Images;

/// <summary>Notes that a kernel has for Xen (public header elfnote.h).</summary>
public sealed partial class KernelImage
{
    private const int MaximumNoteSize = 64 << 10, NoteHeaderSize = 12;
    private const uint XenEntryNote = 1;

    /// <summary>Physical address of the first instruction on Xen: what the note XEN_ELFNOTE_ENTRY says, else <see cref="Entry"/>.</summary>
    public ulong ReadXenEntry()
    {
        using ImageFile file = ImageFile.Open(_path);
        foreach ((ulong offset, ulong size) in _notes)
        {
            if (size > MaximumNoteSize || offset > MaximumFileSize || offset < (ulong)file.Position) continue;
            file.SkipTo((long)offset, "what comes before its notes");
            byte[] notes = new byte[size];
            file.ReadExactly(notes, "its notes");
            if (FindXenEntry(notes) is { } entry) return PhysicalEntry(_path, entry, Segments);
        }
        return Entry;
    }

    private static ulong? FindXenEntry(ReadOnlySpan<byte> notes)
    {
        while (notes.Length >= NoteHeaderSize)
        {
            long name = BinaryPrimitives.ReadUInt32LittleEndian(notes), contents = BinaryPrimitives.ReadUInt32LittleEndian(notes[4..]);
            uint type = BinaryPrimitives.ReadUInt32LittleEndian(notes[8..]);
            long at = NoteHeaderSize + Padded(name), next = at + Padded(contents);
            if (at + contents > notes.Length) return null;
            if (type == XenEntryNote && contents >= sizeof(ulong) && notes[NoteHeaderSize..].StartsWith("Xen\0"u8))
                return BinaryPrimitives.ReadUInt64LittleEndian(notes[(int)at..]);
            notes = next < notes.Length ? notes[(int)next..] : [];
        }
        return null;
    }

    private static long Padded(long size) => (size + 3) & ~3;
}
