using System.Text;
using FastXen.Terminal;

namespace FastXen.EndToEnd.Tests;

/// <summary>Several consoles on one screen.</summary>
public sealed class SharedLinesTests
{
    private readonly StringBuilder _screen = new();
    private readonly SharedLines _lines;
    private readonly SharedLines.Source _dom0, _alice;

    public SharedLinesTests()
    {
        _lines = new SharedLines(bytes => _screen.Append(Encoding.ASCII.GetString(bytes)), "\n");
        (_dom0, _alice) = (_lines.Add("dom0"), _lines.Add("alice"));
        _lines.Front = _dom0;
    }

    private void Write(SharedLines.Source source, string text) => _lines.Write(source, Encoding.ASCII.GetBytes(text));

    private string Shown()
    {
        string shown = _screen.ToString();
        _screen.Clear();
        return shown;
    }

    [Fact]
    public void Each_line_has_its_domains_name()
    {
        Write(_dom0, "one\r\ntwo\n");
        Write(_alice, "hello\r\n\n");
        Assert.Equal("dom0  | one\r\ndom0  | two\nalice | hello\nalice | \n", Shown());
    }

    [Fact]
    public void Half_a_line_is_shown_of_the_one_in_front_only()
    {
        Write(_dom0, "> ");
        Assert.Equal("dom0  | > ", Shown());
        Write(_alice, "hel");
        Assert.Equal("", Shown());
        Write(_alice, "lo\n");
        Assert.Equal("\nalice | hello\n", Shown());
        Write(_dom0, "typed\n");
        Assert.Equal("dom0  | typed\n", Shown());
    }

    [Fact]
    public void Only_the_one_in_front_draws_on_the_screen()
    {
        Write(_alice, "a\u001b[2Jb\rdom0  | c\u007f\td\n");
        Assert.Equal("alice | a?[2Jb?dom0  | c?\td\n", Shown());
        Write(_dom0, "\u001b[1mbold\n");
        Assert.Equal("dom0  | \u001b[1mbold\n", Shown());
    }

    [Fact]
    public void Another_one_comes_in_front_with_what_it_began()
    {
        Write(_dom0, "> ");
        Write(_alice, "$ ");
        Shown();
        _lines.Front = _alice;
        Assert.Equal("\nalice | $ ", Shown());
        Write(_dom0, "late");
        Assert.Equal("", Shown());
        _lines.End(_dom0);
        Assert.Equal("\ndom0  | late\n", Shown());
        _lines.End(_alice);
        Assert.Equal("", Shown());
    }

    [Fact]
    public void A_line_without_an_end_does_not_wait_for_ever()
    {
        Write(_alice, new string('x', SharedLines.LongestLine + 10));
        Assert.Equal("alice | ".Length + SharedLines.LongestLine + 11, Shown().Length);
    }

    /// <summary>Two guests of one process; what is typed goes to the first.</summary>
    [Fact]
    public void Guests_of_one_run_share_its_output()
    {
        string kernel = FastXen.Tests.Guests.Xenguest, folder = Directory.CreateTempSubdirectory("fastxen-shared-").FullName;
        try
        {
            string config = Path.Combine(folder, "two.json");
            File.WriteAllText(config, $$"""
                { "domains": [
                  { "name": "front", "personality": "xen", "memory": "24M", "commandLine": "idle", "kernel": "{{kernel}}" },
                  { "name": "b", "personality": "xen", "memory": "24M", "commandLine": "selftest=0", "kernel": "{{kernel}}" }
                ] }
                """);
            using FastXenProcess process = new("run", config, "--socket", "none");
            process.Expect("b     | xenguest on Xen, domU");
            process.Send("cpus\rhalt\r");
            process.Expect("front | 1 of 1 are up");
            Assert.Equal(0, process.WaitForExit());
            Assert.Contains("front | xenguest on Xen, domU", process.Output);
            Assert.All(process.Output.Split('\n', StringSplitOptions.RemoveEmptyEntries), static line => Assert.Matches("^(front|b    ) [|] ", line));
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }
}
