using System.IO.Compression;
using System.Text.Json;

namespace FastXen.Core.Tests.Float;

/// <summary>The kit's recorded floating-point instructions, through the decoder and the handlers.</summary>
public class FloatVectorTests
{
    [KitTheory]
    [InlineData("F1")]
    [InlineData("F2")]
    [InlineData("F3")]
    [InlineData("F4")]
    [InlineData("F5")]
    [InlineData("F6")]
    [InlineData("F7")]
    [InlineData("F8")]
    [InlineData("F9")]
    [InlineData("F10")]
    [InlineData("F11")]
    [InlineData("F12")]
    [InlineData("F13")]
    [InlineData("F14")]
    [InlineData("F16")]
    [InlineData("M18")]
    [InlineData("M19")]
    [InlineData("S-fp")]
    [InlineData("S-div")]
    public void Recorded_instructions_agree(string family)
    {
        HashSet<string> doubtful = [.. Lines("doubtful").Select(Id)];
        var failures = new List<string>();
        int count = 0;
        using var machine = new VectorMachine();
        foreach (string line in Lines(family))
        {
            count++;
            if (machine.Run(line) is string difference && !doubtful.Contains(Id(line)))
                failures.Add(Id(line) + ":" + difference);
        }

        Assert.True(count > 0);
        Assert.True(failures.Count == 0, $"{failures.Count} of {count} differ:\n" + string.Join('\n', failures.Take(20)));
    }

    private static IEnumerable<string> Lines(string family)
    {
        string path = Kit.File(Path.Combine("vectors", family + ".jsonl.gz"));
        using var reader = new StreamReader(new GZipStream(File.OpenRead(path), CompressionMode.Decompress));
        while (reader.ReadLine() is string line)
            yield return line;
    }

    private static string Id(string line)
    {
        using JsonDocument document = JsonDocument.Parse(line);
        return document.RootElement.GetProperty("id").GetString()!;
    }
}
