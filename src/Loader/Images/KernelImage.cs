using System.Buffers.Binary;
using FastXen.Loader.Configuration;
using FastXen.Mmu;

namespace FastXen.Loader.Images;

/// <summary>A loadable segment of a kernel: <paramref name="FileSize"/> bytes of the file, followed by zeros up to the end of its memory.</summary>
/// <param name="Offset">Where its bytes are in the file.</param>
/// <param name="FileSize">How many of them there are.</param>
/// <param name="Memory">Where they go in physical memory.</param>
/// <param name="VirtualAddress">Where the kernel will map them.</param>
public readonly record struct KernelSegment(ulong Offset, ulong FileSize, MemoryRange Memory, ulong VirtualAddress)
{
    /// <summary>One past its last byte in the file.</summary>
    public ulong FileEnd => Offset + FileSize;
}

/// <summary>An IA-64 kernel: an ELF64 little-endian executable, plain or gzip. Its headers are checked here, its bytes go straight to guest memory.</summary>
public sealed partial class KernelImage
{
    internal const int HeaderSize = 64;
    private const int ProgramHeaderSize = 56;
    private const int MaximumProgramHeaders = 64;
    private const ulong MaximumHeaderOffset = 1 << 20;
    private const ulong MaximumFileSize = 2UL << 30;
    private const ushort MachineIa64 = 50;
    private const ushort TypeExecutable = 2;
    private const uint SegmentLoad = 1;
    private const uint SegmentNote = 4;

    private readonly string _path;

    private readonly (ulong Offset, ulong Size)[] _notes;

    private KernelImage(string path, ulong entry, KernelSegment[] segments, (ulong Offset, ulong Size)[] notes)
    {
        _path = path;
        _notes = notes;
        Entry = entry;
        Segments = segments;
        Memory = Array.ConvertAll(segments, static segment => segment.Memory);
    }

    /// <summary>Physical address of the first instruction.</summary>
    public ulong Entry { get; }

    /// <summary>Segments in the order in which the file has them.</summary>
    public IReadOnlyList<KernelSegment> Segments { get; }

    /// <summary>The memory of each segment.</summary>
    public IReadOnlyList<MemoryRange> Memory { get; }

    /// <summary>From the lowest to the highest segment.</summary>
    public MemoryRange Span => new(Memory.Min(static range => range.Start), Memory.Max(static range => range.End));

    /// <summary>Reads and checks a kernel's headers.</summary>
    public static KernelImage Open(string path)
    {
        using ImageFile file = ImageFile.Open(path);
        Span<byte> header = stackalloc byte[HeaderSize];
        int got = file.Read(header);
        CheckIdentity(path, header[..got], file.IsPacked);

        ulong entry = BinaryPrimitives.ReadUInt64LittleEndian(header[24..]);
        ulong tableOffset = BinaryPrimitives.ReadUInt64LittleEndian(header[32..]);
        int entrySize = BinaryPrimitives.ReadUInt16LittleEndian(header[54..]);
        int count = BinaryPrimitives.ReadUInt16LittleEndian(header[56..]);
        if (entrySize != ProgramHeaderSize) throw new ImageException(path, $"has program headers of {entrySize} bytes, expected {ProgramHeaderSize}");
        if (count is 0 or > MaximumProgramHeaders) throw new ImageException(path, $"has {count} program headers, expected 1 to {MaximumProgramHeaders}");
        if (tableOffset is < HeaderSize or > MaximumHeaderOffset) throw new ImageException(path, $"has its program headers at 0x{tableOffset:x}, expected near the start of the file");

        file.SkipTo((long)tableOffset, "what comes before the program headers");
        byte[] table = new byte[count * ProgramHeaderSize];
        file.ReadExactly(table, "the program headers");

        List<KernelSegment> segments = [];
        List<(ulong Offset, ulong Size)> notes = [];
        for (int i = 0; i < count; i++)
        {
            Span<byte> entryOfTable = table.AsSpan(i * ProgramHeaderSize, ProgramHeaderSize);
            if (ReadSegment(path, i, entryOfTable) is { } segment) segments.Add(segment);
            if (BinaryPrimitives.ReadUInt32LittleEndian(entryOfTable) == SegmentNote)
                notes.Add((BinaryPrimitives.ReadUInt64LittleEndian(entryOfTable[8..]), BinaryPrimitives.ReadUInt64LittleEndian(entryOfTable[32..])));
        }
        if (segments.Count == 0) throw new ImageException(path, "has nothing to load (no PT_LOAD segment)");
        segments.Sort(static (a, b) => a.Offset.CompareTo(b.Offset));
        CheckOverlaps(path, segments);
        return new KernelImage(path, PhysicalEntry(path, entry, segments), [.. segments], [.. notes.OrderBy(static note => note.Offset)]);
    }

    /// <summary>Checks that the kernel has its place in the domain's RAM.</summary>
    public void CheckFits(MemoryLayout layout)
    {
        foreach (MemoryRange needed in Memory)
        {
            if (!layout.Ram.Any(ram => ram.Contains(needed)))
            {
                ulong least = (needed.End + MachineLimits.MemoryGranularity - 1) / MachineLimits.MemoryGranularity * MachineLimits.MemoryGranularity;
                throw new ImageException(_path, needed.End > layout.End
                    ? $"needs at least {MemorySize.Format(least)} of memory, the guest has {MemorySize.Format(layout.Size)}"
                    : $"has a segment at {needed}, where the guest has no memory");
            }
            foreach (MemoryRange reserved in layout.Reserved)
            {
                if (reserved.Overlaps(needed)) throw new ImageException(_path, $"has a segment at {needed}, which overlaps the firmware at {reserved}");
            }
        }
    }

    /// <summary>Checks that the file has all that its headers speak of, which <see cref="Load"/> otherwise finds out.</summary>
    public void CheckComplete()
    {
        using ImageFile file = ImageFile.Open(_path);
        foreach (KernelSegment segment in Segments) file.SkipTo((long)segment.FileEnd, SegmentName(segment));
    }

    /// <summary>Writes the kernel to guest memory. The segments must fit (<see cref="CheckFits"/>).</summary>
    public void Load(PhysicalMemory memory)
    {
        using ImageFile file = ImageFile.Open(_path);
        foreach (KernelSegment segment in Segments)
        {
            file.SkipTo((long)segment.Offset, "what comes before a segment");
            ulong fileEnd = segment.Memory.Start + segment.FileSize;
            GuestMemoryWriter.Copy(memory, segment.Memory.Start, fileEnd, chunk => file.ReadExactly(chunk, SegmentName(segment)));
            GuestMemoryWriter.Copy(memory, fileEnd, segment.Memory.End, static chunk => chunk.Clear());
            memory.NotifyWritten(segment.Memory.Start, segment.Memory.Length);
        }
    }

    private static string SegmentName(KernelSegment segment) => $"the segment at {segment.Memory}";

    private static void CheckIdentity(string path, ReadOnlySpan<byte> header, bool packed)
    {
        CheckMachine(path, header, packed);
        ushort type = BinaryPrimitives.ReadUInt16LittleEndian(header[16..]);
        if (type != TypeExecutable) throw new ImageException(path, $"is not an executable ELF file (type {type}, expected {TypeExecutable})");
    }

    /// <summary>Fails unless the header is that of an ELF64 little-endian file for IA-64.</summary>
    internal static void CheckMachine(string path, ReadOnlySpan<byte> header, bool packed)
    {
        if (header.Length < 4 || !header.StartsWith("\u007fELF"u8))
            throw new ImageException(path, packed ? "is a gzip file without an ELF file in it" : "is not an ELF file (nor a gzip of one)");
        if (header.Length < HeaderSize) throw new ImageException(path, $"is truncated: it ends after {header.Length} bytes, inside of the ELF header");
        ushort machine = header[5] == 2 ? BinaryPrimitives.ReadUInt16BigEndian(header[18..]) : BinaryPrimitives.ReadUInt16LittleEndian(header[18..]);
        if (machine != MachineIa64) throw new ImageException(path, $"is for another machine: {MachineName(machine)}, expected IA-64");
        if (header[4] != 2) throw new ImageException(path, "is a 32-bit ELF file, expected 64-bit");
        if (header[5] != 1) throw new ImageException(path, "is a big-endian ELF file, expected little-endian");
    }

    private static string MachineName(ushort machine) => machine switch
    {
        2 => "SPARC",
        3 => "x86 (i386)",
        8 => "MIPS",
        15 => "PA-RISC",
        20 => "PowerPC",
        21 => "PowerPC64",
        22 => "S/390",
        40 => "ARM",
        43 => "SPARC V9",
        62 => "x86-64",
        183 => "AArch64",
        243 => "RISC-V",
        258 => "LoongArch",
        0x9026 => "Alpha",
        _ => $"ELF machine {machine}",
    };

    private static KernelSegment? ReadSegment(string path, int index, ReadOnlySpan<byte> header)
    {
        if (BinaryPrimitives.ReadUInt32LittleEndian(header) != SegmentLoad) return null;
        ulong offset = BinaryPrimitives.ReadUInt64LittleEndian(header[8..]);
        ulong virtualAddress = BinaryPrimitives.ReadUInt64LittleEndian(header[16..]);
        ulong physicalAddress = BinaryPrimitives.ReadUInt64LittleEndian(header[24..]);
        ulong fileSize = BinaryPrimitives.ReadUInt64LittleEndian(header[32..]);
        ulong memorySize = BinaryPrimitives.ReadUInt64LittleEndian(header[40..]);
        if (memorySize == 0 && fileSize == 0) return null;
        if (fileSize > memorySize) throw new ImageException(path, $"has a bad segment {index}: 0x{fileSize:x} bytes in the file, but only 0x{memorySize:x} in memory");
        if (offset > MaximumFileSize || fileSize > MaximumFileSize - offset)
            throw new ImageException(path, $"has a bad segment {index}: it ends beyond {MemorySize.Format(MaximumFileSize)} in the file");
        if (physicalAddress > ulong.MaxValue - memorySize) throw new ImageException(path, $"has a bad segment {index}: it wraps around the end of the address space");
        return new KernelSegment(offset, fileSize, new MemoryRange(physicalAddress, physicalAddress + memorySize), virtualAddress);
    }

    private static void CheckOverlaps(string path, List<KernelSegment> segments)
    {
        for (int i = 0; i < segments.Count; i++)
        {
            KernelSegment segment = segments[i];
            if (i > 0 && segment.Offset < segments[i - 1].FileEnd && segment.FileSize != 0)
                throw new ImageException(path, $"has segments that share bytes of the file at 0x{segment.Offset:x}");
            for (int j = 0; j < i; j++)
            {
                if (segment.Memory.Overlaps(segments[j].Memory))
                    throw new ImageException(path, $"has segments that overlap in memory: {segments[j].Memory} and {segment.Memory}");
            }
        }
    }

    // Linux/ia64's linker script makes e_entry a physical address; others keep the virtual one.
    private static ulong PhysicalEntry(string path, ulong entry, IReadOnlyList<KernelSegment> segments)
    {
        foreach (KernelSegment segment in segments)
        {
            if (entry >= segment.Memory.Start && entry < segment.Memory.End) return AlignedEntry(path, entry);
        }
        foreach (KernelSegment segment in segments)
        {
            ulong distance = unchecked(entry - segment.VirtualAddress);
            if (distance < segment.Memory.Length) return AlignedEntry(path, segment.Memory.Start + distance);
        }
        throw new ImageException(path, $"has its entry point 0x{entry:x} outside of every segment");
    }

    private static ulong AlignedEntry(string path, ulong entry) =>
        entry % 16 == 0 ? entry : throw new ImageException(path, $"has an entry point 0x{entry:x} that is not the address of a bundle");
}
