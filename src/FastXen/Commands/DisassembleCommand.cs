using System.Buffers.Binary;
using FastXen.CommandLine;
using FastXen.Core.Decode;
using FastXen.Loader.Images;

namespace FastXen.Commands;

/// <summary><c>fastxen disasm</c>: prints code as <c>objdump -d</c> does, symbols left out.</summary>
internal static class DisassembleCommand
{
    private const int BundleSize = 16;

    public static int Run(DisassembleOptions options)
    {
        IReadOnlyList<CodeSection> sections = CodeFile.Read(options.File);
        using StreamWriter output = new(Console.OpenStandardOutput(), bufferSize: 1 << 16) { NewLine = "\n" };
        foreach (CodeSection section in sections)
        {
            output.WriteLine();
            output.WriteLine($"Disassembly of section {section.Name}:");
            output.WriteLine();
            Write(output, section);
        }
        return ExitCode.Success;
    }

    private static void Write(StreamWriter output, CodeSection section)
    {
        ReadOnlySpan<byte> bytes = section.Bytes.Span;
        ulong address = section.Address;
        for (; bytes.Length >= BundleSize; bytes = bytes[BundleSize..], address += BundleSize)
        {
            ulong low = BinaryPrimitives.ReadUInt64LittleEndian(bytes);
            ulong high = BinaryPrimitives.ReadUInt64LittleEndian(bytes[8..]);
            string[] lines = Disassembler.FormatBundle(low, high, address);
            // objdump spreads a bundle's bytes over its lines: 6, 6 and 4, at the offsets 0, 6 and 12 that stand for the slots.
            for (int line = 0; line < 3; line++)
            {
                ReadOnlySpan<byte> part = bytes.Slice(line * 6, line == 2 ? 4 : 6);
                output.Write($"{address + (ulong)(line * 6),8:x}:\t");
                foreach (byte b in part) output.Write($"{b:x2} ");
                output.Write(line == 2 ? "      \t" : "\t");
                if (line < lines.Length) output.Write(lines[line]);
                output.WriteLine();
            }
        }
        if (bytes.Length > 0) output.WriteLine($"{address,8:x}:\t{bytes.Length} bytes that are no bundle: {Convert.ToHexString(bytes)}");
    }
}
