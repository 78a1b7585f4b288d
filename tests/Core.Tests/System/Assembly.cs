using System.Collections.Concurrent;
using System.Diagnostics;

namespace FastXen.Core.Tests.SystemLevel;

/// <summary>Test programs, assembled by GNU as (which the build needs for the guests too); a program is assembled once per test run.</summary>
internal static class Assembly
{
    private static readonly ConcurrentDictionary<string, byte[]> Known = [];

    /// <summary>The bundles of a program that is written in explicit bundles.</summary>
    public static byte[] Of(string source) => Known.GetOrAdd(source, text => Assemble([text])[0]);

    /// <summary>Assembles many programs with one run of the assembler.</summary>
    public static void Prepare(IEnumerable<string> sources)
    {
        string[] unknown = [.. sources.Where(source => !Known.ContainsKey(source)).Distinct()];
        byte[][] programs = Assemble(unknown);
        for (int k = 0; k < unknown.Length; k++)
            Known[unknown[k]] = programs[k];
    }

    // Each program starts with a bundle boundary at a known offset.
    private static byte[][] Assemble(string[] sources)
    {
        const int Room = 0x800;
        string directory = Directory.CreateTempSubdirectory("fastxen").FullName;
        try
        {
            string input = Path.Combine(directory, "p.s"), output = Path.Combine(directory, "p.o"), raw = Path.Combine(directory, "p.bin");
            IEnumerable<string> parts = sources.Select((source, k) => $".org {k * Room}\n{source.ReplaceLineEndings("\n").Replace("} {", "}\n{", StringComparison.Ordinal)}\n");
            File.WriteAllText(input, ".explicit\n.text\n" + string.Concat(parts) + $".org {sources.Length * Room}\n");
            Run("ia64-linux-gnu-as", $"-W -xexplicit -xnone -mhint.b=ok {input} -o {output}");
            Run("ia64-linux-gnu-objcopy", $"-O binary -j .text {output} {raw}");
            return [.. File.ReadAllBytes(raw).Chunk(Room)];
        }
        finally
        {
            Directory.Delete(directory, recursive: true);
        }
    }

    private static void Run(string tool, string arguments)
    {
        using var process = Process.Start(new ProcessStartInfo(tool, arguments) { RedirectStandardError = true })!;
        string errors = process.StandardError.ReadToEnd();
        process.WaitForExit();
        if (process.ExitCode != 0)
            throw new InvalidOperationException($"{tool}: {errors}");
    }
}
