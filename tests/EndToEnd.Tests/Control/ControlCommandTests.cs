using System.Text.Json;
using FastXen.Tests;

namespace FastXen.EndToEnd.Tests.Control;

/// <summary>The commands of the executable against a host that serves.</summary>
public sealed class ControlCommandTests : ServedHost
{
    private void Create(string name, string kernel) => Do("create", $$"""{ "name": "{{name}}", "memory": "96M", "kernel": "{{kernel}}" }""");

    [Fact]
    public void A_domain_is_made_listed_renamed_watched_and_ended()
    {
        Create("web", Guests.Idle);
        Create("db", Guests.Worker);
        Refused("there is a domain 'db' already: give this one another \"name\"", "create", $$"""{ "name": "db", "kernel": "{{Guests.Idle}}" }""");

        string[] lines = Do("list").Split('\n');
        Assert.Matches("^Name {40}ID   Mem VCPUs\tState\tTime\\(s\\)$", lines[0]);
        Assert.Matches("^web {42}1    96     1     [rb-]{6} +[0-9.]+$", lines[1]);
        Assert.StartsWith("db ", lines[2]);
        JsonElement list = Json("list");
        Assert.Equal(2, list.GetArrayLength());
        Assert.Equal("web", list[0].GetProperty("name").GetString());

        Assert.Equal("2\n", Do("domid", "db"));
        Assert.Equal("web\n", Do("domname", "1"));
        Do("rename", "db", "store");
        Assert.Equal("store\n", Do("domname", "2"));
        Refused("there is no domain 'db'", "domid", "db");
        Assert.Matches("store +2  0:0[0-9]:", Do("uptime", "store"));
        Assert.Contains("nr_cpus ", Do("info"));
        Assert.Equal(2, Json("info").GetProperty("domains").GetInt32());

        using (FastXenProcess watcher = new("console", "store", "--socket", Socket), other = new("console", "2", "--socket", Socket))
        {
            watcher.Expect(" ok");
            other.Expect(" ok");
            watcher.Expect(" ok");
            Do("destroy", "2");
            Assert.Equal(0, watcher.WaitForExit());
            Assert.Equal(0, other.WaitForExit());
        }

        while (Run("shutdown", "web", "-w").Code != 0) Thread.Sleep(10); // it listens a moment after its start
        Assert.Equal(0, Json("list").GetArrayLength());
        string log = Do("dmesg", "-c");
        Assert.Contains("web (1): asked to shut down", log);
        Assert.Contains("web (1): powered off", log);
        Assert.Contains("store (2): renamed, was db", log);
        Assert.Equal(0, Json("dmesg").GetArrayLength());
        Refused("there is no domain 'web'", "console", "web");
    }

    [Fact]
    public void A_reboot_starts_the_guest_again()
    {
        Create("guest", Guests.Idle);
        while (Run("reboot", "guest", "--wait").Code != 0) Thread.Sleep(10);
        Assert.Equal(1, Json("list", "guest")[0].GetProperty("reboots").GetInt32());
        Do("reboot", "guest", "-w", "-F");
        Assert.Equal(2, Json("list", "guest")[0].GetProperty("reboots").GetInt32());
    }

    [Fact]
    public void Processors_are_paused_pinned_and_weighed()
    {
        Create("guest", Guests.Worker);
        Do("pause", "guest");
        Assert.Contains("--p---", Do("list", "guest"));
        Refused("guest is paused: unpause it first", "shutdown", "guest");
        Do("unpause", "1");
        Do("sched-credit", "-d", "guest", "-w", "512", "-c", "50");
        Assert.Matches("^Name +ID Weight  Cap\nguest +1    512   50\n$", Do("sched-credit"));
        Assert.Equal(512, Json("sched-credit", "-d", "1")[0].GetProperty("weight").GetInt32());
        Refused("expected a weight from 1 to 65535 and a cap from 0 to 6400", "sched-credit", "-d", "guest", "-w", "0");
        Do("vcpu-pin", "guest", "all", "0");
        Assert.Matches("guest +1     0     0   [r-][b-][p-] +[0-9.]+ 0 / all\n", Do("vcpu-list"));
        Refused("guest has vcpus 0 to 0, not 3", "vcpu-pin", "guest", "3", "0");
        Refused("\"cpus\": expected \"all\", or numbers and ranges from 0 to 63 with commas, such as \"0-3,5\" or \"0-7,^2\", found \"x\"", "vcpu-pin", "guest", "0", "x");
        Do("vcpu-set", "guest", "1");
        Refused("guest was made with 1 vcpus: expected 1 to 1, found 2", "vcpu-set", "guest", "2");
        Refused("COUNT: expected a number, found \"many\"", "vcpu-set", "guest", "many");
    }

    [Fact]
    public void A_signal_asks_the_guests_first()
    {
        Create("guest", Guests.Idle);
        using FastXenProcess watcher = new("console", "guest", "--socket", Socket);
        watcher.Expect("idle");
        // Until it listens.
        Thread.Sleep(100);
        Host.Signal("TERM");
        Assert.Equal(0, Host.WaitForExit());
        Assert.Equal(0, watcher.WaitForExit());
        Assert.Contains("guest (1): asked to shut down", Host.Errors);
        Assert.Contains("guest (1): powered off", Host.Errors);
        Assert.False(File.Exists(Socket));
        Refused($"{Socket}: there is no such socket", "list");
    }

    [Fact]
    public void Several_domains_in_one_file_run_in_one_process()
    {
        string socket = Path.Combine(Folder, "run.sock"), file = WriteFile("two.json",
            $$"""{ "domains": [ { "name": "tour", "memory": "96M", "kernel": "{{Guests.Demo}}" }, { "name": "other", "memory": "96M", "kernel": "{{Guests.Demo}}" } ] }""");
        (int code, string output, string errors) = FastXenProcess.Run("run", file, "--socket", socket);
        Assert.Equal((0, ""), (code, errors));
        foreach (string name in (string[])["tour ", "other"]) Assert.Contains($"{name} | all passed, powering off\n", output);
        Assert.False(File.Exists(socket));
    }

    [Theory]
    [InlineData("there is no option '--wat'; see 'fastxen list --help'", "list", "--wat")]
    [InlineData("the file to work on is missing; see 'fastxen destroy --help'", "destroy")]
    [InlineData("command line: --grace: expected seconds from 0 to 86400, found \"soon\"", "shutdown", "x", "--grace", "soon")]
    public void A_bad_command_line_has_its_sentence(string sentence, params string[] arguments) => Refused(sentence, arguments);

    [Fact]
    public void A_host_that_is_gone_has_its_sentence()
    {
        Host.Signal("KILL");
        Host.WaitForExit();
        Refused($"{Socket}: no host listens there any more", "list");
        // The next host takes the place of the one that died.
        using FastXenProcess next = new("serve", "--socket", Socket);
        while (Run("list").Code != 0) Thread.Sleep(10);
        Assert.Equal(0, Json("list").GetArrayLength());
    }
}
