using FastXen.Core.Decode;

namespace FastXen.Core.Tests.RandomPrograms;

/// <summary>A program: memory, where its code ends, and the seed of everything else.</summary>
internal sealed record GuestProgram(int Seed, byte[] Memory, ulong CodeEnd)
{
    /// <summary>Instructions that it is worth to run it for: it never ends by itself.</summary>
    public const ulong Length = 60_000;

    /// <summary>Bundles of the code.</summary>
    public int Bundles => (int)(CodeEnd - Layout.Code) / 16;

    /// <summary>The bundle at an address, as the disassembler prints it.</summary>
    public string Disassemble(ulong address)
    {
        int offset = (int)(address & 0xF_FFF0);
        ulong low = BitConverter.ToUInt64(Memory, offset), high = BitConverter.ToUInt64(Memory, offset + 8);
        return $"{address:x16}  " + string.Join(" | ", Disassembler.FormatBundle(low, high, address & ~0xFUL).Select(line => line.Trim()));
    }
}
