using FastXen.Core.Decode;

namespace FastXen.Core.Tests.RandomPrograms;

/// <summary>A program: memory, where its code ends, whether registers begin with NaTs, bundles that it changes (and flushes), and the seed of everything else.</summary>
internal sealed record GuestProgram(int Seed, byte[] Memory, ulong CodeEnd, bool Nats, IReadOnlyList<ulong> Patched)
{
    /// <summary>Instructions that it is worth to run it for: it never ends by itself.</summary>
    public const ulong Length = 60_000;

    /// <summary>How soon its code is translated: at once in some programs, so that cold code is, and later in others, so that both engines run in turns.</summary>
    public int Threshold => (Seed & 3) switch { 0 => 1, 1 => 3, 2 => 8, _ => 24 };

    /// <summary>Bundles of the code.</summary>
    public int Bundles => (int)(CodeEnd - Layout.Code) / 16;

    /// <summary>Instructions of the code that are no nops.</summary>
    public int Instructions => CodeAddresses.Sum(InstructionsOf);

    /// <summary>Addresses of the code's bundles.</summary>
    public IEnumerable<ulong> CodeAddresses => Enumerable.Range(0, Bundles).Select(n => Layout.Code + ((ulong)n * 16));

    /// <summary>Whether the bundle at an address does nothing.</summary>
    public bool IsNops(ulong address) => InstructionsOf(address) == 0;

    private int InstructionsOf(ulong address)
    {
        UInt128 bundle = BitConverter.ToUInt128(Memory, Offset(address));
        string units = BundleWriter.Units((int)bundle & 0x1E);
        return Enumerable.Range(0, 3).Count(slot => units[slot] != 'L' && BundleWriter.Slot(bundle, slot) != SlotBits.Nop(units[slot]));
    }

    // Code lies at the same offset in every region that it is mapped in.
    private static int Offset(ulong address) => (int)(address & 0xF_FFF0);

    /// <summary>The bundle at an address, as the disassembler prints it.</summary>
    public string Disassemble(ulong address)
    {
        int offset = Offset(address);
        ulong low = BitConverter.ToUInt64(Memory, offset), high = BitConverter.ToUInt64(Memory, offset + 8);
        return $"{address:x16}  " + string.Join(" | ", Disassembler.FormatBundle(low, high, address & ~0xFUL).Select(line => line.Trim()));
    }
}
