using System.Diagnostics;

namespace FastXen.Core.Tests.Decode;

/// <summary>A test that needs the GNU assembler and objdump for ia64; skipped where they are not installed.</summary>
[AttributeUsage(AttributeTargets.Method)]
public sealed class BinutilsFactAttribute : FactAttribute
{
    public BinutilsFactAttribute()
    {
        if (!Binutils.Installed)
        {
            Skip = "skipped: no ia64-linux-gnu-as and -objdump";
        }
    }
}

/// <summary>The GNU tools as an oracle.</summary>
internal static class Binutils
{
    private const string Assembler = "ia64-linux-gnu-as";
    private const string Dumper = "ia64-linux-gnu-objdump";

    public static bool Installed { get; } = OnPath(Assembler) && OnPath(Dumper);

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
            Run(Assembler, $"-xnone {input} -o {output}");
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

    private static bool OnPath(string tool)
        => (Environment.GetEnvironmentVariable("PATH") ?? "").Split(':').Any(directory => File.Exists(Path.Combine(directory, tool)));

    private static string Run(string tool, string arguments)
    {
        using var process = Process.Start(new ProcessStartInfo(tool, arguments) { RedirectStandardOutput = true, RedirectStandardError = true })!;
        var errors = process.StandardError.ReadToEndAsync();
        string output = process.StandardOutput.ReadToEnd();
        process.WaitForExit();
        return process.ExitCode == 0 ? output : throw new InvalidOperationException($"{tool}: {errors.Result}");
    }
}
