using System.Buffers.Binary;
using System.Globalization;
using System.IO.Compression;
using FastXen.Core.Decode;
using StringBuilder = System.Text.StringBuilder;

namespace FastXen.Core.Tests.Decode;

/// <summary>
/// Every form of every instruction, assembled and disassembled by the GNU tools (forms.txt.gz: a bundle's two halves and
/// objdump's lines). FASTXEN_UPDATE_FORMS=path has the second test write the listing there.
/// </summary>
public class FormsTests
{
    [Fact]
    public void EveryFormReadsAsObjdumpReadsIt()
    {
        string[] listing = Golden();
        Assert.True(listing.Length > 2000);
        var differences = new List<string>();
        for (int n = 0; n < listing.Length; n++)
        {
            string[] columns = listing[n].Split('\t');
            ulong low = ulong.Parse(columns[0], NumberStyles.HexNumber, CultureInfo.InvariantCulture);
            ulong high = ulong.Parse(columns[1], NumberStyles.HexNumber, CultureInfo.InvariantCulture);
            string[] ours = Disassembler.FormatBundle(low, high, (ulong)n * 16);
            if (!ours.AsSpan().SequenceEqual(columns.AsSpan(2)))
            {
                differences.Add($"{listing[n]} <> {string.Join(" | ", ours)}");
            }
        }

        Assert.True(differences.Count == 0, $"{differences.Count} differences:\n{string.Join('\n', differences.Take(40))}");
    }

    [ToolFact(Binutils.Assembler, Binutils.Dumper)]
    public void AssemblerMakesEveryFormOfTheTableAndTheListingIsCurrent()
    {
        List<Forms.Form> forms = Forms.All();
        var (bytes, lines) = Binutils.Assemble(string.Concat(forms.Select(form => form.Source)));
        Assert.Equal(forms.Count * 16, bytes.Length);
        var listing = new StringBuilder();
        var differences = new List<string>();
        int line = 0;
        for (int n = 0; n < forms.Count; n++)
        {
            UInt128 bundle = BinaryPrimitives.ReadUInt128LittleEndian(bytes.AsSpan(n * 16));
            listing.Append(CultureInfo.InvariantCulture, $"{(ulong)bundle:x16}\t{(ulong)(bundle >> 64):x16}");
            int slots = Template.IsLong((int)bundle & 31) ? 2 : 3;
            listing.AppendJoin("", lines.Skip(line).Take(slots).Select(text => $"\t{text}")).Append('\n');
            line += slots;
            if (!IsSame(forms[n], bundle))
            {
                differences.Add($"{forms[n].Source.ReplaceLineEndings(" ")}: {forms[n].Bits:x11}, assembled {bundle:x32}");
            }
        }

        if (Environment.GetEnvironmentVariable("FASTXEN_UPDATE_FORMS") is { } path)
        {
            using var file = new StreamWriter(new GZipStream(File.Create(path), CompressionLevel.SmallestSize));
            file.Write(listing);
        }

        Assert.True(differences.Count == 0, $"{differences.Count} differences:\n{string.Join('\n', differences.Take(40))}");
        Assert.Equal(string.Join('\n', Golden()), listing.ToString().TrimEnd('\n'));
    }

    // What the assembler made decodes to the instruction that the source was written from.
    private static unsafe bool IsSame(Forms.Form form, UInt128 bundle)
    {
        Instruction* three = stackalloc Instruction[3];
        Decoder.DecodeBundle((ulong)bundle, (ulong)(bundle >> 64), three);
        Instruction made = three[form.Slot];
        Instruction meant = Forms.Decode(form.Bits, form.Format, form.Slot);
        made.Placement = meant.Placement = 0;
        return new ReadOnlySpan<byte>(&made, sizeof(Instruction)).SequenceEqual(new ReadOnlySpan<byte>(&meant, sizeof(Instruction)));
    }

    private static string[] Golden()
    {
        using var file = new StreamReader(new GZipStream(typeof(FormsTests).Assembly.GetManifestResourceStream("forms.txt.gz")!, CompressionMode.Decompress));
        return file.ReadToEnd().TrimEnd('\n').Split('\n');
    }
}
