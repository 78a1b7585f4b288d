using System.Text.Json;
using FastXen.Control;
using FastXen.Tests;

namespace FastXen.EndToEnd.Tests.Control;

/// <summary>
/// Guests that mean no good (native/xenguest/fuzz.c; docs/threat-model.md says what they try): whatever they do to hypercalls, firmware calls, shared registers, rings,
/// grants and the store, the host and the other domains go on. FASTXEN_FUZZ_SEED and FASTXEN_FUZZ_ROUNDS make other and longer runs.
/// </summary>
public sealed class HostileGuestTests : ServedHost
{
    private const int Fuzzers = 4, Memory = 24;

    // What a guest may cost the host beside its memory: translated code and its tables, page tables, the store's nodes and its waiting output (docs/xen.md has the bounds).
    private const int Tables = 40;

    private static readonly int Seed = Number("FASTXEN_FUZZ_SEED", 1), Rounds = Number("FASTXEN_FUZZ_ROUNDS", 3_000);

    private static int Number(string name, int otherwise) => int.TryParse(Environment.GetEnvironmentVariable(name), out int number) ? number : otherwise;

    private string LogOf(string name) => Path.Combine(Folder, $"{name}.log");

    private void Create(string name, string words, int vcpus, bool isPrivileged = false, string engine = "translator")
    {
        string image = Path.Combine(Folder, $"{name}.img");
        using (FileStream file = File.Create(image)) file.SetLength(1 << 20);
        object console = name == "victim" ? new { type = "buffer" } : new { type = "file", path = LogOf(name) };
        Do("create", JsonSerializer.Serialize(new
        {
            name,
            personality = "xen",
            privileged = isPrivileged,
            memory = $"{Memory}M",
            vcpus,
            engine,
            kernel = Guests.Xenguest,
            commandLine = words,
            network = new[] { new { type = "switch" } },
            disks = new[] { new { path = image } },
            console,
        }));
    }

    // One with 1 and one with 2 vCPUs on each engine.
    private void CreateFuzzers(int seed)
    {
        for (int k = 0; k < Fuzzers; k++) Create($"fuzz-{seed + k}", $"fuzz={seed + k} rounds={Rounds} wild", vcpus: 1 + k % 2, engine: k < 2 ? "translator" : "interpreter");
    }

    private static long ResidentBytes(ControlClient client) => (long)client.Ask(new ControlRequest { Command = "info" }, ControlJson.Default.HostInfo).ResidentBytes;

    private static List<DomainInfo> Fuzzing(ControlClient client) =>
        client.Ask(new ControlRequest { Command = "list" }, ControlJson.Default.ListDomainInfo).FindAll(static domain => domain.Name.StartsWith("fuzz", StringComparison.Ordinal));

    // Until they have ended. Some wait for themselves, or spin in the wild part, for ever: those end that use no time for a while, or far more than the part before took
    // them. Returns the most memory that the host had.
    private long RunFuzzers(ControlClient client)
    {
        const int Patience = 20, TamePatience = 100;
        long most = 0;
        Dictionary<string, (double Used, int Idle)> seen = [];
        Dictionary<string, double> tame = [];
        DateTime end = DateTime.UtcNow + FastXenProcess.HangGuard;
        while (Fuzzing(client) is { Count: > 0 } fuzzers)
        {
            Assert.True(DateTime.UtcNow < end, "they do not end");
            most = Math.Max(most, ResidentBytes(client));
            foreach (DomainInfo fuzzer in fuzzers)
            {
                (double used, int idle) = seen.GetValueOrDefault(fuzzer.Name);
                seen[fuzzer.Name] = (fuzzer.CpuSeconds, fuzzer.CpuSeconds - used < 0.001 ? ++idle : idle = 0);
                if (!tame.ContainsKey(fuzzer.Name) && File.ReadAllText(LogOf(fuzzer.Name)).Contains(" rounds", StringComparison.Ordinal)) tame[fuzzer.Name] = fuzzer.CpuSeconds;
                bool isWild = tame.TryGetValue(fuzzer.Name, out double before);
                if (idle > (isWild ? Patience : TamePatience) || (isWild && fuzzer.CpuSeconds > 3 * before)) Run("destroy", fuzzer.Name);
            }
            Thread.Sleep(50);
        }
        Assert.DoesNotContain("internal error", Do("dmesg"));
        return most;
    }

    // The calls that do not end a guest are answered: it is alive after them. Not always all: a grant or a channel that some calls made may still be a guest's own end.
    private void AssertMostCameToTheWildPart(int seed)
    {
        IEnumerable<string> logs = Enumerable.Range(seed, Fuzzers).Select(number => File.ReadAllText(LogOf($"fuzz-{number}")));
        int came = logs.Count(static log => log.Contains($"fuzz: {Rounds} rounds", StringComparison.Ordinal));
        Assert.True(came >= Fuzzers / 2, $"{came} of {Fuzzers}\n{string.Join('\n', logs)}\n{Do("dmesg")}");
    }

    [Fact]
    public void Nothing_that_a_guest_does_harms_the_host_or_another_domain()
    {
        using ControlClient client = new(Socket);
        Create("victim", "idle", vcpus: 2);
        long before = ResidentBytes(client);
        CreateFuzzers(Seed);
        long most = RunFuzzers(client);
        AssertMostCameToTheWildPart(Seed);
        Assert.InRange(most - before, 0, (long)Fuzzers * (Memory + Tables) << 20);
        long once = ResidentBytes(client);
        CreateFuzzers(Seed + Fuzzers);
        RunFuzzers(client);
        // What the host has for domains that are gone is free again: others like them make it no bigger.
        Assert.InRange(ResidentBytes(client), 0, once + once / 4);
        using FastXenProcess console = new("console", "victim", "--socket", Socket);
        console.Expect("domU> ");
        console.Send("selftest\r");
        console.Expect("selftest: ");
        Assert.Matches(@"^[0-9]+ ok, 0 failed", console.Expect("domU> "));
        Do("destroy", "victim");
    }

    [Theory]
    [InlineData("translator")]
    [InlineData("interpreter")]
    public void Nor_does_one_with_privileges_harm_the_host(string engine)
    {
        using ControlClient client = new(Socket);
        Create("fuzz-0", $"fuzz={Seed + 1000} rounds={Rounds} wild", vcpus: 2, isPrivileged: true, engine);
        RunFuzzers(client);
    }
}
