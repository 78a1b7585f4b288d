using System.Text.Json;
using FastXen.Tests;

namespace FastXen.EndToEnd.Tests;

/// <summary>The benchmark's guest (native/bench): its committed ELF file, and what it computes.</summary>
public sealed class BenchmarkTests : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("fastxen-bench-").FullName;

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    private static string Source => Path.Combine(Kit.Repository, "native", "bench");

    // Name and checksum of each line; the time that follows is not the same twice.
    private static string[] Checksums(string output) => [.. output.Split('\n', StringSplitOptions.RemoveEmptyEntries).Select(line => line[..line.LastIndexOf(' ')])];

    [KitFact("tar", "xz", "ia64-linux-gnu-as", "ia64-linux-gnu-ld")]
    public void The_committed_file_is_what_the_kits_compiler_makes_of_the_source()
    {
        HostProgram.AssertCommittedGuestIsMadeOfItsSource("bench", _folder);
    }

    [ToolTheory("gcc")]
    [InlineData("translator", "all")]
    [InlineData("interpreter", "short")]
    public void Guest_and_host_compute_the_same(string engine, string form)
    {
        string native = Path.Combine(_folder, "bench.native");
        HostProgram.Run("gcc", ["-O2", "-o", native, .. Directory.GetFiles(Source, "*.c")]);
        string[] words = form == "short" ? ["short"] : [];
        (int code, string output, string errors) = FastXenProcess.Run(
            ["run", "--kernel", Path.Combine(Source, "bench.elf"), "--memory", "128M", "--engine", engine, .. words.SelectMany(word => new[] { "--cmdline", word })]);
        Assert.Equal((0, ""), (code, errors));
        string[] expected = Checksums(HostProgram.Run(native, words));
        Assert.Equal(15, expected.Length);
        Assert.Equal(expected, Checksums(output));
    }

    [Fact]
    public void Statistics_are_a_line_of_json_and_repeatable_where_the_clock_is()
    {
        ulong[] retired = new ulong[2];
        for (int run = 0; run < 2; run++)
        {
            (int code, _, string errors) = FastXenProcess.Run("run", "guests/demo.json", "--clock", "deterministic", "--stats");
            Assert.Equal(0, code);
            JsonElement statistics = JsonDocument.Parse(errors).RootElement;
            retired[run] = statistics.GetProperty("retiredSlots").GetUInt64();
            Assert.True(statistics.GetProperty("seconds").GetDouble() > 0);
            Assert.True(statistics.GetProperty("slotsPerSecond").GetDouble() > 0);
        }
        Assert.True(retired[0] > 10_000);
        Assert.Equal(retired[0], retired[1]);
    }
}
