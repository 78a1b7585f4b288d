using System.Diagnostics;
using FastXen.Tests;

namespace FastXen.EndToEnd.Tests;

/// <summary>Programs of the host that tests need.</summary>
internal static class HostProgram
{
    /// <summary>Runs one to its end, which must be a good one; returns what it printed.</summary>
    public static string Run(string program, params string[] arguments)
    {
        using Process process = Process.Start(new ProcessStartInfo(program, arguments) { RedirectStandardOutput = true, RedirectStandardError = true })!;
        Task<string> errors = process.StandardError.ReadToEndAsync();
        string output = process.StandardOutput.ReadToEnd();
        process.WaitForExit();
        Assert.True(process.ExitCode == 0, $"{program} ended with code {process.ExitCode}: {errors.Result}");
        return output;
    }

    /// <summary>
    /// A guest in C is in the repository as the kit's compiler made it, in native/NAME/NAME.elf: compiles it again in <paramref name="folder"/>, and compares. Needs
    /// tar, xz, ia64-linux-gnu-as and ia64-linux-gnu-ld.
    /// </summary>
    public static void AssertCommittedGuestIsMadeOfItsSource(string name, string folder)
    {
        string source = Path.Combine(Kit.Repository, "native", name), made = Path.Combine(folder, $"{name}.elf");
        Run("tar", "-xJf", Kit.File("toolchain.tar.xz"), "-C", folder);
        Run(Path.Combine(source, "compile.sh"), Path.Combine(folder, "bin", "ia64-linux-gnu-gcc"), made);
        Assert.True(File.ReadAllBytes(made).AsSpan().SequenceEqual(File.ReadAllBytes(Path.Combine(source, $"{name}.elf"))), $"{name}.elf is not what native/{name}/compile.sh makes now");
    }
}
