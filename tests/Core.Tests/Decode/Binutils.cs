using System.Diagnostics;

namespace FastXen.Core.Tests.Decode;

/// <summary>The GNU tools as an oracle.</summary>
internal static class Binutils
{
    public const string Assembler = "ia64-linux-gnu-as";
    public const string Dumper = "ia64-linux-gnu-objdump";

    /// <summary>What objdump prints after the bytes, line by line, for raw bundles at <paramref name="address"/>.</summary>
    public static List<string> Disassemble(ReadOnlySpan<byte> bundles, ulong address)
    {
        string file = Path.GetTempFileName();
        try
        {
            File.WriteAllBytes(file, bundles);
            return [.. Lines(Run(Dumper, $"-D -z -b binary -m ia64-elf64 --adjust-vma=0x{address:x} {file}"))];
        }
        finally
        {
            File.Delete(file);
        }
    }

    /// <summary>Assembles <paramref name="source"/>; the bytes of its text section, as objdump shows them, and its text.</summary>
    public static (byte[] Bytes, List<string> Lines) Assemble(string source)
    {
        string directory = Directory.CreateTempSubdirectory("fastxen").FullName;
        try
        {
            string input = Path.Combine(directory, "forms.s"), output = Path.Combine(directory, "forms.o"), raw = Path.Combine(directory, "forms.bin");
            File.WriteAllText(input, source);
            Run(Assembler, $"-xnone -mhint.b=ok {input} -o {output}");
            Run("ia64-linux-gnu-objcopy", $"-O binary -j .text {output} {raw}");
            return (File.ReadAllBytes(raw), [.. Lines(Run(Dumper, $"-d -z {output}"))]);
        }
        finally
        {
            Directory.Delete(directory, recursive: true);
        }
    }

    private static IEnumerable<string> Lines(string output)
        => from line in output.Split('\n')
           let columns = line.Split('\t')
           where columns.Length >= 3
           select columns[2].TrimEnd();

    private static string Run(string tool, string arguments)
    {
        using var process = Process.Start(new ProcessStartInfo(tool, arguments) { RedirectStandardOutput = true, RedirectStandardError = true })!;
        var errors = process.StandardError.ReadToEndAsync();
        string output = process.StandardOutput.ReadToEnd();
        process.WaitForExit();
        return process.ExitCode == 0 ? output : throw new InvalidOperationException($"{tool}: {errors.Result}");
    }
}
