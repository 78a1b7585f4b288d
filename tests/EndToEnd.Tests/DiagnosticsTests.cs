using System.Globalization;
using System.Text.Json;

namespace FastXen.EndToEnd.Tests;

/// <summary>What <c>fastxen run</c> shows of the translator.</summary>
public sealed class DiagnosticsTests : IDisposable
{
    private readonly string _file = Path.GetTempFileName();

    private static readonly string[] Arguments = ["run", "guests/demo.json", "--clock", "deterministic", "--engine", "translator"];

    public void Dispose() => File.Delete(_file);

    [Fact]
    public void Statistics_tell_of_the_translator()
    {
        JsonElement statistics = JsonDocument.Parse(Errors("--stats")).RootElement.GetProperty("translator");
        Assert.True(statistics.GetProperty("regions").GetInt64() > 0);
        Assert.True(statistics.GetProperty("guestSlots").GetInt64() >= statistics.GetProperty("regions").GetInt64());
        Assert.True(statistics.GetProperty("hostBytesPerSlot").GetDouble() > 1);
        Assert.Equal(
            statistics.GetProperty("handlerCalls").GetInt64(),
            statistics.GetProperty("exits").TryGetProperty("Handler", out JsonElement handler) ? handler.GetInt64() : 0);
    }

    [Fact]
    public void The_interpreter_has_no_such_statistics()
    {
        (int code, _, string errors) = FastXenProcess.Run("run", "guests/demo.json", "--engine", "interpreter", "--stats");
        Assert.Equal(0, code);
        Assert.False(JsonDocument.Parse(errors).RootElement.TryGetProperty("translator", out _));
    }

    [Fact]
    public void The_profile_shows_guest_code_hottest_first()
    {
        Errors("--profile", _file);
        string[] heads = [.. File.ReadLines(_file).Where(line => line.Contains("% ", StringComparison.Ordinal))];
        double[] shares = [.. heads.Select(line => double.Parse(line.Split('%')[0], CultureInfo.InvariantCulture))];
        Assert.NotEmpty(shares);
        Assert.Equal(shares.OrderDescending(), shares);
        Assert.InRange(shares[0], 1, 150);
        Assert.Contains(File.ReadLines(_file), line => line.Contains("br.", StringComparison.Ordinal));
    }

    [Fact]
    public void Dumped_code_has_its_three_forms()
    {
        Errors("--dump-code", "all", "--dump-file", _file);
        string all = File.ReadAllText(_file);
        string first = all.Split("region guest_")[1];
        Assert.Contains("[M", first, StringComparison.Ordinal);
        Assert.Contains("branch", all, StringComparison.Ordinal);
        Assert.Contains("mov", first, StringComparison.Ordinal);
        Assert.DoesNotContain("(bad)", all, StringComparison.Ordinal);
        // The same, of the first bundle's regions only.
        string address = first.Split(':')[0].Split('_')[0];
        Errors("--dump-code", address, "--dump-file", _file);
        string some = File.ReadAllText(_file);
        Assert.Contains($"region guest_{address}", some, StringComparison.Ordinal);
        Assert.True(some.Length < all.Length);
    }

    [Fact]
    public void The_map_for_perf_names_stubs_and_regions()
    {
        HashSet<string> before = [.. Maps()];
        Errors("--perf-map");
        string map = Assert.Single(Maps(), file => !before.Contains(file));
        string[] lines = File.ReadAllLines(map);
        File.Delete(map);
        Assert.Contains(lines, line => line.EndsWith(" fastxen_enter", StringComparison.Ordinal));
        Assert.Contains(lines, line => line.Contains(" guest_", StringComparison.Ordinal));
        Assert.All(lines, line => Assert.True(ulong.Parse(line.Split(' ')[1], NumberStyles.HexNumber, CultureInfo.InvariantCulture) > 0, line));
    }

    [Theory]
    [InlineData("--dump-code", "here")]
    [InlineData("--dump-file", "f")]
    [InlineData("--profile", "/nowhere/file")]
    public void Wrong_options_are_refused(string option, string value)
    {
        (int code, _, string errors) = FastXenProcess.Run([.. Arguments, option, value]);
        Assert.Equal(2, code);
        Assert.StartsWith("fastxen: command line: ", errors, StringComparison.Ordinal);
    }

    private static string[] Maps() => Directory.GetFiles("/tmp", "perf-*.map");

    private static string Errors(params string[] options)
    {
        (int code, _, string errors) = FastXenProcess.Run([.. Arguments, .. options]);
        Assert.True(code == 0, errors);
        return errors;
    }
}
