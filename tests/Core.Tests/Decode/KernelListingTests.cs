using System.Buffers.Binary;
using System.IO.Compression;
using FastXen.Core.Decode;

namespace FastXen.Core.Tests.Decode;

/// <summary>The kit's whole kernel reads as objdump reads it.</summary>
public class KernelListingTests
{
    private const int ShfExecInstr = 4;
    private const int BundlesAtATime = 65_536;

    [KitFact(Binutils.Dumper)]
    public void EveryBundleOfTheKernelReadsAsObjdumpReadsIt()
    {
        byte[] kernel = Kernel();
        int bundles = 0;
        foreach (var (offset, address, size) in ExecutableSections(kernel))
        {
            for (int at = 0; at < size; at += BundlesAtATime * 16)
            {
                var part = kernel.AsSpan(offset + at, Math.Min(BundlesAtATime * 16, size - at));
                Compare(part, address + (ulong)at);
                bundles += part.Length / 16;
            }
        }

        Assert.True(bundles > 1_000_000);
    }

    private static void Compare(ReadOnlySpan<byte> part, ulong address)
    {
        List<string> expected = Binutils.Disassemble(part, address);
        int line = 0;
        for (int at = 0; at < part.Length; at += 16)
        {
            ulong low = BinaryPrimitives.ReadUInt64LittleEndian(part[at..]), high = BinaryPrimitives.ReadUInt64LittleEndian(part[(at + 8)..]);
            foreach (string ours in Disassembler.FormatBundle(low, high, address + (ulong)at))
            {
                Assert.True(ours == expected[line], $"{address + (ulong)at:x}: '{ours}', objdump '{expected[line]}'");
                line++;
            }
        }

        Assert.Equal(expected.Count, line);
    }

    private static byte[] Kernel()
    {
        using var file = new GZipStream(File.OpenRead(Kit.File("vmlinux.gz")), CompressionMode.Decompress);
        var bytes = new MemoryStream();
        file.CopyTo(bytes);
        return bytes.ToArray();
    }

    private static IEnumerable<(int Offset, ulong Address, int Size)> ExecutableSections(byte[] elf)
    {
        // Elf64_Ehdr: e_shoff at 40, e_shentsize at 58, e_shnum at 60; Elf64_Shdr: sh_flags at 8, sh_addr, sh_offset, sh_size.
        int table = (int)BinaryPrimitives.ReadUInt64LittleEndian(elf.AsSpan(40));
        int entry = BinaryPrimitives.ReadUInt16LittleEndian(elf.AsSpan(58)), count = BinaryPrimitives.ReadUInt16LittleEndian(elf.AsSpan(60));
        for (int n = 0; n < count; n++)
        {
            ulong Word(int at) => BinaryPrimitives.ReadUInt64LittleEndian(elf.AsSpan(table + n * entry + at));
            if ((Word(8) & ShfExecInstr) != 0)
            {
                yield return ((int)Word(24), Word(16), (int)Word(32));
            }
        }
    }
}
