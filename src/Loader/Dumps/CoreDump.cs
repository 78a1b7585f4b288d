using System.Buffers.Binary;
using System.Text;
using FastXen.Core;
using FastXen.Loader.Images;
using FastXen.Loader.Machines;
using FastXen.Mmu;

namespace FastXen.Loader.Dumps;

/// <summary>
/// Writes a machine as an ELF core file (docs/control.md): a program header for each range of RAM, whose virtual and physical addresses are the guest's
/// physical ones, and notes with the registers of the processors. Pages of zeros are holes in the file.
/// </summary>
public static class CoreDump
{
    /// <summary>Owner of the notes that are our own.</summary>
    public const string Owner = "FASTXEN";

    /// <summary>Type of the note that describes the domain: JSON.</summary>
    public const int DomainNote = 1;

    /// <summary>Type of the notes with a processor's system registers and register stack: see <see cref="RegisterNotes.System"/>.</summary>
    public const int SystemNote = 2;

    private const int HeaderSize = 64, ProgramHeaderSize = 56;
    private const int CoreFile = 4, MachineIa64 = 50, LoadSegment = 1, NoteSegment = 4, PrStatus = 1, FpRegisters = 2;
    private const int FileAlignment = 64 << 10;
    private const int Chunk = 64 << 10;

    /// <summary>Writes a machine whose processors do not run. <paramref name="description"/>: JSON for <see cref="DomainNote"/>.</summary>
    internal static void Write(IGuestMachine machine, string description, Stream file)
    {
        ArgumentNullException.ThrowIfNull(machine);
        IReadOnlyList<MemoryRange> ranges = machine.Ram;
        byte[] notes = Notes(machine.Processors, description);
        long notesAt = HeaderSize + (ProgramHeaderSize * (ranges.Count + 1));
        long place = Align(notesAt + notes.Length);

        byte[] head = new byte[notesAt];
        Span<byte> header = head;
        // ELF64, little-endian, version 1, System V.
        "\u007fELF\u0002\u0001\u0001"u8.CopyTo(header);
        BinaryPrimitives.WriteUInt16LittleEndian(header[16..], CoreFile);
        BinaryPrimitives.WriteUInt16LittleEndian(header[18..], MachineIa64);
        BinaryPrimitives.WriteUInt32LittleEndian(header[20..], 1);
        BinaryPrimitives.WriteUInt64LittleEndian(header[32..], HeaderSize);
        BinaryPrimitives.WriteUInt16LittleEndian(header[52..], HeaderSize);
        BinaryPrimitives.WriteUInt16LittleEndian(header[54..], ProgramHeaderSize);
        BinaryPrimitives.WriteUInt16LittleEndian(header[56..], (ushort)(ranges.Count + 1));
        Program(header[HeaderSize..], NoteSegment, flags: 4, notesAt, address: 0, (ulong)notes.Length, alignment: 4);
        List<(long Place, ulong Start, ulong Size)> segments = [];
        foreach (MemoryRange range in ranges)
        {
            Program(header[(HeaderSize + (ProgramHeaderSize * (segments.Count + 1)))..], LoadSegment, flags: 7, place, range.Start, range.Length, FileAlignment);
            segments.Add((place, range.Start, range.Length));
            place += (long)range.Length;
        }
        file.SetLength(place);
        file.Write(head);
        file.Write(notes);
        foreach ((long at, ulong start, ulong size) in segments) WriteRam(machine.Memory, start, size, file, at);
        file.Flush();
    }

    private static void Program(Span<byte> entry, uint type, uint flags, long place, ulong address, ulong size, ulong alignment)
    {
        BinaryPrimitives.WriteUInt32LittleEndian(entry, type);
        BinaryPrimitives.WriteUInt32LittleEndian(entry[4..], flags);
        BinaryPrimitives.WriteInt64LittleEndian(entry[8..], place);
        BinaryPrimitives.WriteUInt64LittleEndian(entry[16..], address);
        BinaryPrimitives.WriteUInt64LittleEndian(entry[24..], address);
        BinaryPrimitives.WriteUInt64LittleEndian(entry[32..], size);
        BinaryPrimitives.WriteUInt64LittleEndian(entry[40..], type == LoadSegment ? size : 0);
        BinaryPrimitives.WriteUInt64LittleEndian(entry[48..], alignment);
    }

    private static void WriteRam(PhysicalMemory memory, ulong start, ulong size, Stream file, long place)
    {
        for (ulong done = 0; done < size; done += Chunk)
        {
            int length = (int)Math.Min(Chunk, size - done);
            if (!memory.TryGetSpan(start + done, length, out Span<byte> bytes)) throw new IOException($"the machine has no memory at 0x{start + done:x}");
            if (!bytes.ContainsAnyExcept((byte)0)) continue;
            file.Position = place + (long)done;
            file.Write(bytes);
        }
    }

    private static byte[] Notes(IReadOnlyList<Vcpu> processors, string description)
    {
        MemoryStream notes = new();
        Note(notes, Owner, DomainNote, Encoding.UTF8.GetBytes(description));
        for (int n = 0; n < processors.Count; n++)
        {
            Note(notes, "CORE", PrStatus, RegisterNotes.Status(processors[n], n));
            Note(notes, "CORE", FpRegisters, RegisterNotes.Floating(processors[n]));
            Note(notes, Owner, SystemNote, RegisterNotes.System(processors[n], n));
        }
        return notes.ToArray();
    }

    private static void Note(MemoryStream notes, string owner, int type, byte[] contents)
    {
        Span<byte> sizes = stackalloc byte[12];
        BinaryPrimitives.WriteInt32LittleEndian(sizes, owner.Length + 1);
        BinaryPrimitives.WriteInt32LittleEndian(sizes[4..], contents.Length);
        BinaryPrimitives.WriteInt32LittleEndian(sizes[8..], type);
        notes.Write(sizes);
        Padded(notes, Encoding.ASCII.GetBytes(owner + "\0"));
        Padded(notes, contents);
    }

    private static void Padded(MemoryStream notes, byte[] bytes)
    {
        notes.Write(bytes);
        while (notes.Length % 4 != 0) notes.WriteByte(0);
    }

    private static long Align(long place) => (place + FileAlignment - 1) / FileAlignment * FileAlignment;
}
