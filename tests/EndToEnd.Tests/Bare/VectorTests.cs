using System.IO.Compression;
using System.Text.RegularExpressions;
using FastXen.Bare;
using FastXen.Core;
using FastXen.Tests;
using Xunit.Abstractions;

namespace FastXen.EndToEnd.Tests.Bare;

/// <summary>The kit's instruction vectors.</summary>
public partial class VectorTests(ITestOutputHelper log)
{
    private const string Doubtful = "doubtful";

    private static readonly string Folder = Kit.File("vectors");

    public static TheoryData<string> Families => Directory.Exists(Folder)
        ? [.. Directory.EnumerateFiles(Folder, "*.jsonl.gz").Select(file => Path.GetFileName(file).Split('.')[0]).Where(family => family != Doubtful).Order()]
        : ["none"];

    [KitTheory]
    [MemberData(nameof(Families))]
    public void Family(string family) => Check(family, EngineKind.Interpreter);

    [KitTheory]
    [MemberData(nameof(Families))]
    public void Family_on_the_translator(string family) => Check(family, EngineKind.Translator);

    private void Check(string family, EngineKind engine)
    {
        VectorReport report = VectorRunner.RunFile(Kit.File($"vectors/{family}.jsonl.gz"), engine);
        log.WriteLine($"{family}: {report.Passed} passed, {report.Failures.Count} failed");
        Assert.True(report.Failures.Count == 0, string.Join('\n', report.Failures.Select(failure => $"{failure.Id}: {failure.Difference}")));
        // The kit's README says how many cases each family has.
        Assert.Equal(Announced()[family], report.Passed);
    }

    /// <summary>The oracles disagree about these: they must run to their end, whatever it is.</summary>
    [KitFact]
    public void Doubtful_cases_run()
    {
        VectorReport report = VectorRunner.RunFile(Kit.File($"vectors/{Doubtful}.jsonl.gz"), EngineKind.Interpreter);
        log.WriteLine($"{report.Passed} as the oracle says: the others: {string.Join(' ', report.Failures.Select(failure => failure.Id))}");
        Assert.Equal(47, report.Passed + report.Failures.Count);
        Assert.DoesNotContain(report.Failures, failure => failure.Difference.StartsWith("reached no stop", StringComparison.Ordinal));
    }

    [KitFact]
    public void A_wrong_expectation_is_noticed_and_named()
    {
        using var source = new StreamReader(new GZipStream(File.OpenRead(Kit.File("vectors/A1.jsonl.gz")), CompressionMode.Decompress));
        string good = source.ReadLine()!;
        string bad = good.Replace("\"out\":{", "\"out\":{\"pr\":\"0x3\",", StringComparison.Ordinal);
        string path = Path.Combine(Directory.CreateTempSubdirectory("fastxen-vectors").FullName, "A1.jsonl");
        File.WriteAllLines(path, [good, bad]);
        using var output = new StringWriter();
        using var error = new StringWriter();
        Assert.Equal(1, VectorRunner.Run([path], "interpreter", output, error));
        Assert.Equal("A1: 1 passed, 1 failed: A1-add-00001", output.ToString().TrimEnd());
        Assert.Equal("A1-add-00001: pr is 0x1, expected 0x3", error.ToString().TrimEnd());
    }

    [Theory]
    [InlineData("""{"id":"x","ip":"0x1000000"}""", "x.jsonl:1: code: is missing")]
    [InlineData("""{"id":"x","ip":"0x1000000","code":"0011"}""", "x.jsonl:1: code: is not whole bundles")]
    [InlineData("""{"id":"x","ip":"0x4000000","code":"0011"}""", "x.jsonl:1: ip: is 0x4000000; the largest is")]
    [InlineData("""{"id":"x","ip":"0x0","code":"00000000000000000000000000000000","in":{"mem":{"255":"0000"}},"out":{}}""", "x.jsonl:1: in.mem.255: is not inside")]
    [InlineData("""{"id":"x","ip":"0x0","code":"00000000000000000000000000000000","in":{"ar":{"lc":"9"}},"out":{}}""", "x.jsonl:1: in.ar.lc: is not a number")]
    public void What_is_wrong_is_named_with_its_place(string line, string sentence)
    {
        string path = Path.Combine(Directory.CreateTempSubdirectory("fastxen-vectors").FullName, "x.jsonl");
        File.WriteAllText(path, line);
        using var error = new StringWriter();
        Assert.Equal(2, VectorRunner.Run([path], "interpreter", TextWriter.Null, error));
        Assert.Contains(sentence, error.ToString(), StringComparison.Ordinal);
    }

    [Fact]
    public void Files_that_are_no_gzip_are_named()
    {
        string path = Path.Combine(Directory.CreateTempSubdirectory("fastxen-vectors").FullName, "broken.jsonl.gz");
        File.WriteAllBytes(path, [0x1f, 0x8b, 1, 2, 3]);
        using var error = new StringWriter();
        Assert.Equal(2, VectorRunner.Run([path], "interpreter", TextWriter.Null, error));
        Assert.StartsWith($"fastxen: {path}: cannot be read", error.ToString(), StringComparison.Ordinal);
    }

    private static Dictionary<string, int> Announced() => File.ReadLines(Kit.File("vectors/README.md"))
        .Where(line => line.StartsWith('|'))
        .SelectMany(line => FamilyCount().Matches(line))
        .ToDictionary(match => match.Groups[1].Value, match => int.Parse(match.Groups[2].ValueSpan));

    [GeneratedRegex(@"\b((?:[AIMFBX]\d+)|(?:S-[a-z]+)) (\d+)\b")]
    private static partial Regex FamilyCount();
}
