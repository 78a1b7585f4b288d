using System.Diagnostics;
using FastXen.Tests;

namespace FastXen.EndToEnd.Tests.Control;

/// <summary><c>fastxen top</c> on a terminal: util-linux's script gives it a pseudo-terminal.</summary>
public sealed class TopTests : ServedHost
{
    private const string AlternateScreen = "\u001b[?1049h", MainScreen = "\u001b[?1049l", ShowCursor = "\u001b[?25h", HideCursor = "\u001b[?25l";

    public TopTests() => Do("create", WriteFile("two.json", $$"""
        { "domains": [
          { "name": "busy", "memory": "96M", "kernel": "{{Guests.Worker}}", "console": { "type": "buffer" } },
          { "name": "a-domain-with-a-long-name-that-waits", "memory": "96M", "kernel": "{{Guests.Idle}}", "console": { "type": "buffer" } }
        ] }
        """));

    // Runs it on a terminal of this size, until what was printed has a text; then does something, and waits for the end.
    private (int Code, string Output) OnTerminal(string kind, int columns, string until, Action<Process> then)
    {
        string command = $"stty cols {columns} rows 10; exec env TERM={kind} {FastXenProcess.Executable} top --delay 0.1 --socket {Socket}";
        using Process process = Process.Start(new ProcessStartInfo("script", ["-qec", command, "/dev/null"])
        {
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            WorkingDirectory = Kit.Repository,
        })!;
        using Timer guard = new(_ => process.Kill(), null, FastXenProcess.HangGuard, Timeout.InfiniteTimeSpan);
        string output = "";
        bool done = false;
        char[] buffer = new char[4096];
        while (process.StandardOutput.Read(buffer) is > 0 and int count)
        {
            output += new string(buffer, 0, count);
            if (done || !output.Contains(until, StringComparison.Ordinal)) continue;
            done = true;
            then(process);
        }
        process.WaitForExit();
        return (process.ExitCode, output);
    }

    private static void Type(Process process, string keys)
    {
        process.StandardInput.Write(keys);
        process.StandardInput.Flush();
    }

    private static void AssertScreenIsGivenBack(string output)
    {
        Assert.Equal((1, 1), (output.Split(AlternateScreen).Length - 1, output.Split(MainScreen).Length - 1));
        Assert.True(output.LastIndexOf(ShowCursor, StringComparison.Ordinal) > output.LastIndexOf(HideCursor, StringComparison.Ordinal));
    }

    [Theory]
    [InlineData("q")]
    [InlineData("\u0003")]
    public void It_shows_the_domains_until_it_is_left(string keys)
    {
        // The busy one comes to the top when its share is known.
        (int code, string output) = OnTerminal("xterm", 80, "STATE", process => Type(process, keys));
        Assert.Equal(0, code);
        Assert.Contains("fastxen: 2 domains, ", output, StringComparison.Ordinal);
        Assert.Contains("q leaves", output, StringComparison.Ordinal);
        Assert.Matches(@"busy +1 +[rb-]{6} +[0-9.]+ +[0-9.]+ +96 +1", output);
        AssertScreenIsGivenBack(output);
    }

    [Fact]
    public void On_a_narrow_terminal_each_domain_has_one_line()
    {
        (int code, string output) = OnTerminal("xterm", 48, "fastxen: 2", process => Type(process, "q"));
        Assert.Equal(0, code);
        string[] lines = [.. output.Split(MainScreen)[0].Split('\n').Select(static line => line.Trim())];
        int head = Array.FindIndex(lines, static line => line.StartsWith("NA", StringComparison.Ordinal));
        // Below the line under the head.
        string[] names = [.. lines[(head + 2)..(head + 4)].Select(static line => line.Split(' ')[0][..1]).Order()];
        Assert.Equal(["a", "b"], names);
    }

    [Fact]
    public void A_terminal_that_can_only_print_has_the_table_once()
    {
        (int code, string output) = OnTerminal("dumb", 80, "NAME", static _ => { });
        Assert.Equal(0, code);
        Assert.DoesNotContain("\u001b", output, StringComparison.Ordinal);
        Assert.Matches("busy +1 ", output);
    }

    [Fact]
    public void A_host_that_ends_meanwhile_is_a_sentence()
    {
        (int code, string output) = OnTerminal("xterm", 80, "STATE", _ => Host.Signal("KILL"));
        Assert.Equal(2, code);
        AssertScreenIsGivenBack(output);
        Assert.Contains("fastxen: ", output.Split(MainScreen)[1], StringComparison.Ordinal);
    }
}
