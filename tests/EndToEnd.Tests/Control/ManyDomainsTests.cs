using FastXen.Tests;

namespace FastXen.EndToEnd.Tests.Control;

/// <summary>What a domain more costs a process that has some. (What 200 cost in time: ./build.sh bench --domains.)</summary>
public sealed class ManyDomainsTests : ServedHost
{
    private const int More = 40;

    [Fact]
    public void Neither_threads_nor_much_memory_come_with_another_idle_domain()
    {
        Create("first", 4);
        (long threads, long kibibytes) = (Status("Threads:"), Status("VmRSS:"));
        Create("more", More);
        Assert.InRange(Status("Threads:") - threads, -16, 8);
        // With the pages that the guest touched.
        Assert.InRange((Status("VmRSS:") - kibibytes) / More, 1, 4096);
    }

    // The last one was made after all others, which therefore run.
    private void Create(string name, int domains)
    {
        IEnumerable<string> guests = Enumerable.Range(1, domains).Select(n =>
            $$"""{ "name": "{{n}}-{{name}}", "memory": "80M", "kernel": "{{Guests.Idle}}", "console": { "type": "file", "path": "{{n}}-{{name}}.log" } }""");
        Do("create", WriteFile($"{name}.json", $$"""{ "domains": [{{string.Join(", ", guests)}}] }"""));
        FileInfo log = new(Path.Combine(Folder, $"{domains}-{name}.log"));
        while (!log.Exists || log.Length == 0)
        {
            Assert.False(Host.HasExited, Host.Errors);
            Thread.Sleep(10);
            log.Refresh();
        }
    }

    private long Status(string field) =>
        long.Parse(File.ReadLines($"/proc/{Host.Id}/status").First(line => line.StartsWith(field, StringComparison.Ordinal)).Split(':')[1].Replace("kB", "", StringComparison.Ordinal));
}
