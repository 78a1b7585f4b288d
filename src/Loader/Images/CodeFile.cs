using System.Buffers.Binary;

namespace FastXen.Loader.Images;

/// <summary>A piece of code in a file.</summary>
/// <param name="Name">Its section's name.</param>
/// <param name="Address">Where it runs.</param>
/// <param name="Bytes">Its bytes.</param>
public readonly record struct CodeSection(string Name, ulong Address, ReadOnlyMemory<byte> Bytes);

/// <summary>The code of an IA-64 ELF file (executable, library or object; plain or gzip), or of a raw file of bundles.</summary>
public static class CodeFile
{
    private const int MaximumSize = 1 << 30;
    private const int SectionHeaderSize = 64;
    private const uint ProgramBits = 1;
    private const ulong Executable = 4;

    /// <summary>Reads a file's code; a file that is no ELF file is taken as bundles from address 0.</summary>
    public static IReadOnlyList<CodeSection> Read(string path)
    {
        byte[] file = ReadAll(path);
        if (!file.AsSpan().StartsWith("\u007fELF"u8)) return [new CodeSection("bundles", 0, file)];
        KernelImage.CheckMachine(path, file.AsSpan(0, Math.Min(file.Length, KernelImage.HeaderSize)), packed: false);
        return ReadSections(path, file);
    }

    private static byte[] ReadAll(string path)
    {
        using ImageFile file = ImageFile.Open(path);
        MemoryStream contents = new();
        byte[] buffer = new byte[1 << 20];
        while (file.Read(buffer) is > 0 and int length)
        {
            if (contents.Length + length > MaximumSize) throw new ImageException(path, $"has more than {MaximumSize} bytes");
            contents.Write(buffer, 0, length);
        }
        return contents.ToArray();
    }

    private static List<CodeSection> ReadSections(string path, byte[] file)
    {
        ulong table = BinaryPrimitives.ReadUInt64LittleEndian(file.AsSpan(40));
        int entrySize = BinaryPrimitives.ReadUInt16LittleEndian(file.AsSpan(58));
        int count = BinaryPrimitives.ReadUInt16LittleEndian(file.AsSpan(60));
        int names = BinaryPrimitives.ReadUInt16LittleEndian(file.AsSpan(62));
        if (count > 0 && entrySize != SectionHeaderSize) throw new ImageException(path, $"has section headers of {entrySize} bytes, expected {SectionHeaderSize}");
        ReadOnlyMemory<byte> headers = Slice(path, file, table, (ulong)count * SectionHeaderSize, "its section headers");
        ReadOnlyMemory<byte> texts = names < count ? Contents(path, file, headers.Slice(names * SectionHeaderSize).Span) : default;

        List<CodeSection> sections = [];
        for (int i = 0; i < count; i++)
        {
            ReadOnlySpan<byte> header = headers.Span.Slice(i * SectionHeaderSize, SectionHeaderSize);
            bool isCode = BinaryPrimitives.ReadUInt32LittleEndian(header[4..]) == ProgramBits
                && (BinaryPrimitives.ReadUInt64LittleEndian(header[8..]) & Executable) != 0;
            if (!isCode) continue;
            string name = Text(texts.Span, BinaryPrimitives.ReadUInt32LittleEndian(header));
            sections.Add(new CodeSection(name, BinaryPrimitives.ReadUInt64LittleEndian(header[16..]), Contents(path, file, header)));
        }
        return sections;
    }

    private static ReadOnlyMemory<byte> Contents(string path, byte[] file, ReadOnlySpan<byte> header) =>
        Slice(path, file, BinaryPrimitives.ReadUInt64LittleEndian(header[24..]), BinaryPrimitives.ReadUInt64LittleEndian(header[32..]), "a section");

    private static ReadOnlyMemory<byte> Slice(string path, byte[] file, ulong offset, ulong length, string what) =>
        offset <= (ulong)file.Length && length <= (ulong)file.Length - offset
            ? file.AsMemory((int)offset, (int)length)
            : throw new ImageException(path, $"is truncated: it ends after {file.Length} bytes, inside of {what}");

    private static string Text(ReadOnlySpan<byte> texts, uint offset)
    {
        if (offset >= (uint)texts.Length) return "";
        ReadOnlySpan<byte> text = texts[(int)offset..];
        int end = text.IndexOf((byte)0);
        return System.Text.Encoding.UTF8.GetString(end < 0 ? text : text[..end]);
    }
}
