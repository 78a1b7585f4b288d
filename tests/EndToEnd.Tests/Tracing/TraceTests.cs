using System.Diagnostics;
using System.Text.Json;
using FastXen.Tests;

namespace FastXen.EndToEnd.Tests.Tracing;

/// <summary>Traces of the executable, against what the engine counts itself.</summary>
public sealed class TraceTests : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("fastxen-trace-").FullName;

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    private string Trace => Path.Combine(_folder, "t.nettrace");

    private JsonElement Report()
    {
        (int code, string output, string errors) = FastXenProcess.Run("trace", "report", Trace, "--json");
        Assert.True(code == 0, errors);
        JsonElement report = JsonDocument.Parse(output).RootElement;
        Assert.Equal((0, false), (report.GetProperty("trace").GetProperty("lost").GetInt32(), report.GetProperty("trace").GetProperty("truncated").GetBoolean()));
        return report;
    }

    private static JsonElement[] Statistics(string errors) =>
        [.. errors.Split('\n').Where(line => line.StartsWith('{')).Select(line => JsonDocument.Parse(line).RootElement)];

    private static long Sum(IEnumerable<JsonElement> objects, string name) => objects.Sum(one => one.TryGetProperty(name, out JsonElement value) ? value.GetInt64() : 0);

    private static IEnumerable<JsonElement> Each(JsonElement report, string name) => report.GetProperty("vcpus").EnumerateArray().Select(vcpu => vcpu.GetProperty(name));

    // What the trace says of the vCPUs, and what the engine says at the end.
    private static void AssertSame(JsonElement report, JsonElement[] statistics, bool eachExit)
    {
        Assert.NotEmpty(statistics);
        Assert.Equal(Sum(statistics, "retiredSlots"), Sum(report.GetProperty("vcpus").EnumerateArray(), "slots"));
        JsonElement[] translators = [.. statistics.Select(one => one.GetProperty("translator"))];
        foreach (string reason in translators.SelectMany(one => one.GetProperty("exits").EnumerateObject()).Select(exit => exit.Name).Distinct())
            Assert.Equal((reason, Sum(translators.Select(one => one.GetProperty("exits")), reason)), (reason, report.GetProperty("exits").GetProperty(reason).GetInt64()));
        Assert.Equal(Sum(translators, "handlerCalls"), report.GetProperty("handlers").EnumerateObject().Sum(one => one.Value.GetInt64()));
        if (eachExit) Assert.Equal(report.GetProperty("exits").EnumerateObject().Sum(one => one.Value.GetInt64()), report.GetProperty("eachExits").GetInt64());
        JsonElement translation = report.GetProperty("latencies").EnumerateArray().Single(one => one.GetProperty("name").GetString() == "translation");
        Assert.Equal(Sum(translators, "regions"), translation.GetProperty("count").GetInt64());
        Assert.Equal(Sum(translators, "guestSlots"), report.GetProperty("translatedSlots").GetInt64());
        Assert.Equal(Sum(translators, "hostBytes"), report.GetProperty("translatedBytes").GetInt64());
    }

    private static string[] Life(JsonElement report, int domain) =>
        [.. report.GetProperty("domains")[domain].GetProperty("life").EnumerateArray().Select(life => life.GetProperty("what").GetString()!)];

    [Fact]
    public void A_verbose_trace_has_what_the_statistics_have()
    {
        (int code, _, string errors) = FastXenProcess.Run("run", "guests/demo.json", "--stats", "--trace", Trace, "--trace-level", "verbose");
        Assert.True(code == 0, errors);
        JsonElement report = Report();
        AssertSame(report, Statistics(errors), eachExit: true);
        Assert.Equal(["created", "started", "stopped: PowerOff", "destroyed"], Life(report, 0));
        Assert.Equal("demo", report.GetProperty("domains")[0].GetProperty("name").GetString());
        JsonElement vcpu = Assert.Single(report.GetProperty("vcpus").EnumerateArray());
        Assert.Equal((1, 0), (vcpu.GetProperty("domain").GetInt32(), vcpu.GetProperty("vcpu").GetInt32()));
        // The demo counts its ten timer interrupts, and one miss that its handler serves.
        Assert.Equal(10, report.GetProperty("interruptions").GetProperty("ExternalInterrupt").GetInt64());
        Assert.True(report.GetProperty("tlbMisses").EnumerateObject().Sum(one => one.Value.GetInt64()) >= 1);
        Assert.Contains(report.GetProperty("devices").EnumerateArray(), device => device.GetProperty("name").GetString() == "uart write");
    }

    [Fact]
    public void Two_domains_are_told_apart()
    {
        string[] configs = [.. new[] { "left", "right" }.Select(name =>
        {
            string file = Path.Combine(_folder, $"{name}.json");
            File.WriteAllText(file, $$"""{ "name": "{{name}}", "memory": "128M", "kernel": "{{Guests.Demo}}", "console": { "type": "file", "path": "{{name}}.log" } }""");
            return file;
        })];
        (int code, _, string errors) = FastXenProcess.Run(["run", .. configs, "--stats", "--trace", Trace]);
        Assert.True(code == 0, errors);
        JsonElement report = Report();
        JsonElement[] statistics = Statistics(errors);
        AssertSame(report, statistics, eachExit: false);
        Assert.Equal(["left", "right"], report.GetProperty("domains").EnumerateArray().Select(domain => domain.GetProperty("name").GetString()));
        Assert.Equal([1, 2], report.GetProperty("vcpus").EnumerateArray().Select(vcpu => vcpu.GetProperty("domain").GetInt32()));
        Assert.Equal(statistics.Select(one => one.GetProperty("retiredSlots").GetInt64()), report.GetProperty("vcpus").EnumerateArray().Select(vcpu => vcpu.GetProperty("slots").GetInt64()));
        Assert.All(Each(report, "interruptions"), one => Assert.Equal(10, one.GetProperty("ExternalInterrupt").GetInt64()));
    }

    [KitFact]
    public void The_trace_of_a_Linux_boot_has_what_the_statistics_have()
    {
        // A shell that sleeps: its processor surely idles, which a boot alone does by chance.
        string errors;
        using (FastXenProcess guest = new(
            "run", "--kernel", Kit.File("vmlinux.gz"), "--initrd", Kit.File("initramfs.cpio.gz"), "--cmdline", "console=ttyS0", "--memory", "512M", "--stats", "--trace", Trace))
        {
            guest.Expect("kit: up, Linux 6.1");
            guest.Expect("# ");
            guest.Send("sleep 1; poweroff -f\n");
            int code = guest.WaitForExit();
            errors = guest.Errors;
            Assert.True(code == 0, errors);
        }

        JsonElement report = Report();
        AssertSame(report, Statistics(errors), eachExit: false);
        Assert.True(report.GetProperty("interruptions").GetProperty("ExternalInterrupt").GetInt64() <= report.GetProperty("interrupts").EnumerateObject().Sum(one => one.Value.GetInt64()));
        Assert.Contains(report.GetProperty("firmware").EnumerateArray(), call => call.GetProperty("name").GetString() == "PAL HaltLight");
        Assert.True(report.GetProperty("interruptions").GetProperty("BreakInstruction").GetInt64() > 0);
        // The other forms of the report are made of the same.
        string page = Path.Combine(_folder, "page.html"), chrome = Path.Combine(_folder, "chrome.json");
        Assert.Equal((0, "", ""), FastXenProcess.Run("trace", "report", Trace, "--html", page, "--chrome", chrome));
        Assert.Contains("PAL HaltLight", File.ReadAllText(page), StringComparison.Ordinal);
        JsonElement events = JsonDocument.Parse(File.ReadAllText(chrome)).RootElement.GetProperty("traceEvents");
        Assert.Equal(
            report.GetProperty("vcpus").EnumerateArray().Sum(vcpu => vcpu.GetProperty("slices").GetInt32()),
            events.EnumerateArray().Count(e => e.GetProperty("name").GetString() == "running"));
    }

    [Theory]
    [InlineData("INT", 130)]
    [InlineData("TERM", 143)]
    public void A_signal_leaves_a_whole_trace(string signal, int expected)
    {
        using (FastXenProcess guest = new("run", "--kernel", Guests.Worker, "--memory", "96M", "--trace", Trace, "--trace-keywords", "scheduling,exits"))
        {
            while (guest.Output.Length == 0) Thread.Sleep(10);
            guest.Signal(signal);
            int code = guest.WaitForExit();
            Assert.True(code == expected || code == 0, $"{code}: {guest.Errors}");
        }

        JsonElement report = Report();
        string[] life = Life(report, 0);
        Assert.Equal(("created", "destroyed"), (life[0], life[^1]));
        Assert.StartsWith("stopped", life[^2]);
        Assert.Equal(1, report.GetProperty("events").GetProperty("VcpuStopped").GetInt64());
        Assert.False(report.GetProperty("events").TryGetProperty("DeviceAccess", out _));
        Assert.Equal(report.GetProperty("events").GetProperty("SwitchIn").GetInt64(), report.GetProperty("events").GetProperty("SwitchOut").GetInt64());
    }

    [Fact]
    public void The_environment_of_dotnet_makes_a_trace_too()
    {
        ProcessStartInfo start = new(Path.Combine(Kit.Repository, "out", "fastxen"), ["run", "guests/demo.json"]) { WorkingDirectory = Kit.Repository, RedirectStandardOutput = true };
        start.Environment["DOTNET_EnableEventPipe"] = "1";
        start.Environment["DOTNET_EventPipeConfig"] = "FastXen:0xffffffff:4";
        start.Environment["DOTNET_EventPipeOutputPath"] = Trace;
        using (Process process = Process.Start(start)!)
        {
            process.StandardOutput.ReadToEnd();
            process.WaitForExit();
            Assert.Equal(0, process.ExitCode);
        }

        JsonElement report = Report();
        Assert.Equal(10, report.GetProperty("interruptions").GetProperty("ExternalInterrupt").GetInt64());
        Assert.Contains("destroyed", Life(report, 0));
    }

    [Theory]
    [InlineData("there is no trace keyword 'exit'", "run", "guests/demo.json", "--trace", "/dev/null", "--trace-keywords", "exit")]
    [InlineData("not 'loud'", "run", "guests/demo.json", "--trace", "/dev/null", "--trace-level", "loud")]
    [InlineData("cannot be written", "run", "guests/demo.json", "--trace", "/nowhere/t")]
    [InlineData("go with --trace only", "run", "guests/demo.json", "--trace-level", "verbose")]
    [InlineData("no .nettrace file", "trace", "report", "guests/linux.json")]
    [InlineData("Could not find file", "trace", "report", "/nowhere")]
    [InlineData("'trace count' is no command", "trace", "count", "/nowhere")]
    public void Wrong_commands_are_refused(string sentence, params string[] arguments)
    {
        (int code, string output, string errors) = FastXenProcess.Run(arguments);
        Assert.Equal((2, ""), (code, output));
        Assert.Contains(sentence, errors, StringComparison.Ordinal);
        Assert.StartsWith("fastxen: ", errors, StringComparison.Ordinal);
    }
}
