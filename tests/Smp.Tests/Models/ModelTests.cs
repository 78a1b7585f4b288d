using System.Diagnostics;
using System.Globalization;
using System.Text.RegularExpressions;

namespace FastXen.Smp.Tests.Models;

/// <summary>Searches all states of the models in tests/Smp.Tests/models with spin.</summary>
public partial class ModelTests
{
    private static readonly TimeSpan Hang = TimeSpan.FromMinutes(5);

    [SpinTheory]
    [InlineData("wake", "-DHOSTS=1 -DWAKERS=2", 100_000)]
    [InlineData("wake", "-DHOSTS=1 -DWAKERS=1 -DPAUSERS=1", 100_000)]
    [InlineData("wake", "-DHOSTS=2 -DWAKERS=1 -DPREEMPTS=false", 50_000)]
    [InlineData("preempt", "", 100)]
    public void No_state_is_wrong(string model, string options, int atLeast)
    {
        (int errors, long states) = Check(model, options);
        Assert.Equal(0, errors);
        Assert.True(states >= atLeast, $"only {states} states");
    }

    // Minutes: FASTXEN_MODELS=long.
    [SpinTheory]
    [InlineData("wake", "-DHOSTS=2 -DWAKERS=1")]
    [InlineData("wake", "-DHOSTS=2 -DWAKERS=1 -DPAUSERS=1 -DPREEMPTS=false")]
    [InlineData("wake", "-DHOSTS=1 -DWAKERS=2 -DPAUSERS=1 -DPREEMPTS=false")]
    public void No_state_is_wrong_in_larger_models(string model, string options)
    {
        if (Environment.GetEnvironmentVariable("FASTXEN_MODELS") == "long")
            Assert.Equal(0, Check(model, options).Errors);
    }

    [SpinTheory]
    [InlineData("wake", "-DHOSTS=1 -DWAKERS=2 -DPREEMPTS=false", "NO_FENCE_WAITS")]
    [InlineData("wake", "-DHOSTS=1 -DWAKERS=2 -DPREEMPTS=false", "NO_FENCE_ENTER")]
    [InlineData("wake", "-DHOSTS=1 -DWAKERS=2 -DPREEMPTS=false", "NO_PENDING")]
    [InlineData("wake", "-DHOSTS=2 -DWAKERS=1 -DPREEMPTS=false", "NO_RESCAN")]
    [InlineData("wake", "-DHOSTS=2 -DWAKERS=1 -DPREEMPTS=false", "NO_TOKEN")]
    [InlineData("wake", "-DHOSTS=2 -DWAKERS=1 -DPREEMPTS=false", "PLAIN_CLAIM")]
    [InlineData("wake", "-DHOSTS=1 -DWAKERS=1 -DPREEMPTS=false", "HAND_LATE")]
    [InlineData("wake", "-DHOSTS=1 -DWAKERS=1 -DPAUSERS=1", "CLEAR_LATE")]
    [InlineData("preempt", "", "NO_FENCE_CURRENT")]
    [InlineData("preempt", "", "NO_FLAG")]
    [InlineData("preempt", "", "FLAG_CLEARED_LATE")]
    public void Seeded_fault_is_found(string model, string options, string fault)
        => Assert.Equal(1, Check(model, $"{options} -D{fault}").Errors);

    private static (int Errors, long States) Check(string model, string options)
    {
        DirectoryInfo folder = Directory.CreateTempSubdirectory("fastxen-model");
        try
        {
            string file = Path.Combine(AppContext.BaseDirectory, "models", $"{model}.pml");
            Run(folder, "spin", [.. options.Split(' ', StringSplitOptions.RemoveEmptyEntries), "-a", file]);
            Run(folder, "gcc", ["-O1", "-w", "-DSAFETY", "-DNOFAIR", "-o", "pan", "pan.c"]);
            // -E: host threads that sleep at the end are no error; the models say themselves what is.
            string output = Run(folder, Path.Combine(folder.FullName, "pan"), ["-E", "-m1000000"]);
            Assert.DoesNotContain("search depth too small", output);
            return (int.Parse(Errors().Match(output).Groups[1].Value, CultureInfo.InvariantCulture), long.Parse(States().Match(output).Groups[1].Value, CultureInfo.InvariantCulture));
        }
        finally
        {
            folder.Delete(recursive: true);
        }
    }

    private static string Run(DirectoryInfo folder, string program, string[] arguments)
    {
        using Process process = Process.Start(new ProcessStartInfo(program, arguments) { WorkingDirectory = folder.FullName, RedirectStandardOutput = true })!;
        Task<string> output = process.StandardOutput.ReadToEndAsync();
        if (!process.WaitForExit(Hang))
        {
            process.Kill();
            Assert.Fail($"{program} {string.Join(' ', arguments)} does not end");
        }

        Assert.True(process.ExitCode == 0, $"{program} {string.Join(' ', arguments)}: {output.Result}");
        return output.Result;
    }

    [GeneratedRegex(@"errors: (\d+)")]
    private static partial Regex Errors();

    [GeneratedRegex(@"(\d+) states, stored")]
    private static partial Regex States();
}
