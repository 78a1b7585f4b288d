using System.Text.Json;
using FastXen.Tests;

namespace FastXen.EndToEnd.Tests.Control;

/// <summary>
/// Guests that mean no good (native/xenguest/fuzz.c): whatever they do to hypercalls, shared registers, rings, grants and the store, the host and the other domains
/// go on. FASTXEN_FUZZ_SEED and FASTXEN_FUZZ_ROUNDS make longer and other runs.
/// </summary>
public sealed class HostileGuestTests : ServedHost
{
    private const int Fuzzers = 6;

    private static readonly int Seed = Number("FASTXEN_FUZZ_SEED", 1), Rounds = Number("FASTXEN_FUZZ_ROUNDS", 5_000);

    private static int Number(string name, int otherwise) => int.TryParse(Environment.GetEnvironmentVariable(name), out int number) ? number : otherwise;

    private void Create(string name, string words, int vcpus, bool isPrivileged = false)
    {
        string image = Path.Combine(Folder, $"{name}.img");
        using (FileStream file = File.Create(image)) file.SetLength(1 << 20);
        Do("create", JsonSerializer.Serialize(new
        {
            name,
            personality = "xen",
            privileged = isPrivileged,
            memory = "24M",
            vcpus,
            kernel = Guests.Xenguest,
            commandLine = words,
            network = new[] { new { type = "switch" } },
            disks = new[] { new { path = image } },
        }));
    }

    // Those that wait for themselves for ever after a while are ended.
    private void RunFuzzers(int others)
    {
        DateTime patience = DateTime.UtcNow + TimeSpan.FromSeconds(15 + Rounds / 500);
        Until(
            list =>
            {
                string[] names = [.. list.Split('\n', StringSplitOptions.RemoveEmptyEntries).Skip(1).Select(static line => line.Split(' ')[0])];
                if (DateTime.UtcNow > patience)
                {
                    foreach (string fuzzer in names.Where(static name => name.StartsWith("fuzz", StringComparison.Ordinal))) Run("destroy", fuzzer);
                }
                return names.Length == others;
            },
            "list");
        string log = Do("dmesg");
        Assert.DoesNotContain("internal error", log);
    }

    [Fact]
    public void Nothing_that_a_guest_does_harms_the_host_or_another_domain()
    {
        Create("victim", "idle", vcpus: 2);
        for (int k = 0; k < Fuzzers; k++) Create($"fuzz-{k}", $"fuzz={Seed + k} rounds={Rounds} wild", vcpus: 1 + k % 2);
        RunFuzzers(others: 1);
        // What the host has for domains that are gone is free again.
        Assert.InRange(Json("info").GetProperty("residentBytes").GetInt64(), 0, 400L << 20);
        using FastXenProcess console = new("console", "victim", "--socket", Socket);
        console.Expect("domU> ");
        console.Send("selftest\r");
        console.Expect("selftest: ");
        Assert.Matches(@"^[0-9]+ ok, 0 failed", console.Expect("domU> "));
        Do("destroy", "victim");
    }

    [Fact]
    public void Nor_does_one_with_privileges_harm_the_host()
    {
        Create("fuzz-0", $"fuzz={Seed + 1000} rounds={Rounds} wild", vcpus: 2, isPrivileged: true);
        RunFuzzers(others: 0);
    }
}
