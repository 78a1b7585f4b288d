using FastXen.Core;
using FastXen.Loader.Configuration;
using FastXen.Loader.Hosting;
using FastXen.Platform.Uart;
using FastXen.Tests;

namespace FastXen.Loader.Tests;

/// <summary>What breaks in the host on behalf of a guest ends that guest, as crashed, and no other.</summary>
public sealed class FailureTests
{
    private static readonly TimeSpan Long = TimeSpan.FromMinutes(10);

    private static GuestConfig Config(string name, string personality) => GuestConfigReader.ParseInline(personality == "xen"
        ? $$"""{ "name": "{{name}}", "personality": "xen", "memory": "24M", "commandLine": "idle", "kernel": "{{Guests.Xenguest}}" }"""
        : $$"""{ "name": "{{name}}", "memory": "96M", "kernel": "{{Guests.Idle}}" }""", "/")[0];

    // Breaks with the first output.
    private sealed class BrokenPlace : ICharacterBackend
    {
        public void Write(ReadOnlySpan<byte> bytes) => throw new InvalidOperationException("injected");

        public void Connect(ICharacterInput input)
        {
        }
    }

    private static async Task AssertRuns(HostedDomain domain)
    {
        Assert.Equal(1, await domain.Console.OpenReader().ReadAsync(new byte[1]).AsTask().WaitAsync(Long));
        Assert.False(domain.Ended.IsCompleted);
    }

    private static void AssertIsReported(HostedDomain domain, string what)
    {
        string report = Assert.Single(domain.Reports);
        Assert.Contains($"internal error in {what}", report);
        Assert.Contains("injected", report);
        // Where its processor was.
        Assert.Matches("ip  [0-9a-f]{16}", report);
    }

    [Theory]
    [InlineData("platform", false)]
    [InlineData("platform", true)]
    [InlineData("xen", false)]
    [InlineData("xen", true)]
    public async Task A_thread_of_the_host_that_breaks_ends_its_domain(string personality, bool isPaused)
    {
        using Host host = new();
        HostedDomain bad = host.Create(Config("bad", personality)), good = host.Create(Config("good", personality));
        await AssertRuns(bad);
        if (isPaused) bad.Pause();
        bad.Fail("its console's input", new InvalidOperationException("injected"));
        Assert.Equal(VcpuStop.Crashed, await bad.Ended.WaitAsync(Long));
        AssertIsReported(bad, "its console's input");
        await AssertRuns(good);
        await host.StopAsync(TimeSpan.Zero);
    }

    [Fact]
    public async Task A_console_that_breaks_ends_its_domain()
    {
        using Host host = new() { OpenConsole = static domain => domain.Name == "bad" ? new BrokenPlace() : null };
        HostedDomain good = host.Create(Config("good", "xen")), bad = host.Create(Config("bad", "xen"));
        Assert.Equal(VcpuStop.Crashed, await bad.Ended.WaitAsync(Long));
        AssertIsReported(bad, "the console");
        await AssertRuns(good);
        await host.StopAsync(TimeSpan.Zero);
    }
}
