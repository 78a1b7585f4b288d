using FastXen.Tests;

namespace FastXen.EndToEnd.Tests.Control;

/// <summary>What a domain more costs a process that has some. (What 200 cost in time: ./build.sh bench --domains.)</summary>
public sealed class ManyDomainsTests : IDisposable
{
    private const int More = 40;

    private readonly string _folder = Directory.CreateTempSubdirectory("fastxen-many-").FullName;

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Fact]
    public void Neither_threads_nor_much_memory_come_with_another_idle_domain()
    {
        string socket = Path.Combine(_folder, "host.sock");
        using FastXenProcess host = new("serve", "--socket", socket, Config("first", 4));
        Wait(host, "4-first");
        (long threads, long kibibytes) = (Status(host, "Threads:"), Status(host, "VmRSS:"));
        (int code, _, string errors) = FastXenProcess.Run("create", Config("more", More), "--socket", socket);
        Assert.True(code == 0, errors);
        Wait(host, $"{More}-more");
        Assert.InRange(Status(host, "Threads:") - threads, -16, 8);
        // With the pages that the guest touched.
        Assert.InRange((Status(host, "VmRSS:") - kibibytes) / More, 1, 4096);
    }

    private string Config(string name, int domains)
    {
        string file = Path.Combine(_folder, $"{name}.json");
        IEnumerable<string> guests = Enumerable.Range(1, domains).Select(n =>
            $$"""{ "name": "{{n}}-{{name}}", "memory": "80M", "kernel": "{{Guests.Idle}}", "console": { "type": "file", "path": "{{n}}-{{name}}.log" } }""");
        File.WriteAllText(file, $$"""{ "domains": [{{string.Join(", ", guests)}}] }""");
        return file;
    }

    // The last one was made after all others, which therefore run.
    private void Wait(FastXenProcess host, string last)
    {
        string log = Path.Combine(_folder, $"{last}.log");
        while (!File.Exists(log) || new FileInfo(log).Length == 0)
        {
            Assert.False(host.HasExited, host.Errors);
            Thread.Sleep(10);
        }
    }

    private static long Status(FastXenProcess host, string field) =>
        long.Parse(File.ReadLines($"/proc/{host.Id}/status").First(line => line.StartsWith(field, StringComparison.Ordinal)).Split(':')[1].Replace("kB", "", StringComparison.Ordinal));
}
