using System.Diagnostics;
using System.Globalization;
using FastXen.Control;
using FastXen.Tests;

namespace FastXen.EndToEnd.Tests.Control;

/// <summary>
/// A host whose domains are killed, paused, starved, moved and restarted at random, while others work and check their work. At the end the host has what
/// it had before: no domain's memory, no descriptor, no thread. Longer with FASTXEN_CHAOS_SECONDS; another run with FASTXEN_CHAOS_SEED.
/// </summary>
public sealed class ChaosTests : ServedHost
{
    private const int Victims = 6;
    // Threads of the runtime's pool come and go by themselves.
    private const int PoolThreads = 12;

    private static int Setting(string name, int usual) =>
        Environment.GetEnvironmentVariable(name) is { Length: > 0 } text ? int.Parse(text, CultureInfo.InvariantCulture) : usual;

    [Fact]
    public void Domains_come_and_go_and_the_others_work_on()
    {
        using ControlClient client = new(Socket);
        // What is made once, for the first domains, is no leak.
        Torment(client, new Random(0), TimeSpan.FromSeconds(1));
        HostUse before = HostUse.Of(Host.Id, client);

        Create(client, "steady-0", Guests.Worker);
        Create(client, "steady-1", Guests.Worker);
        using FastXenProcess first = new("console", "steady-0", "--socket", Socket), second = new("console", "steady-1", "--socket", Socket);
        Assert.Equal(before.Arenas + 2, HostUse.Of(Host.Id, client).Arenas);
        int seed = Setting("FASTXEN_CHAOS_SEED", 1);
        int done = Torment(client, new Random(seed), TimeSpan.FromSeconds(Setting("FASTXEN_CHAOS_SECONDS", 8)));
        Assert.True(done > 20, $"only {done} blows");
        foreach (FastXenProcess watcher in new[] { first, second })
        {
            // Still at work, now that the others are gone.
            watcher.Expect(" ok\n");
        }
        foreach (string name in new[] { "steady-0", "steady-1" }) client.Ask(new ControlRequest { Command = "destroy", Domain = name });
        foreach (FastXenProcess watcher in new[] { first, second })
        {
            Assert.Equal(0, watcher.WaitForExit());
            Assert.True(WorkerLog.Check(watcher.Output, stride: 4) > 0, $"seed {seed}: no line of work");
        }

        HostUse after = HostUse.Of(Host.Id, client);
        for (int n = 0; n < 100 && !after.IsWithin(before); n++)
        {
            Thread.Sleep(100);
            after = HostUse.Of(Host.Id, client);
        }
        Assert.True(after.IsWithin(before), $"seed {seed}: before {before}, after {after}");
        Assert.DoesNotContain("internal error", Host.Errors);
        Host.Signal("TERM");
        Assert.Equal(0, Host.WaitForExit());
    }

    // Blows at random, then an end to all victims. Returns how many blows there were.
    private int Torment(ControlClient client, Random random, TimeSpan time)
    {
        Stopwatch watch = Stopwatch.StartNew();
        int done = 0;
        for (; watch.Elapsed < time; done++)
        {
            string name = $"victim-{random.Next(Victims)}";
            switch (random.Next(12))
            {
                case 0 or 1 or 2 or 3:
                    Try(client, new ControlRequest { Command = "create", Config = Config(name, random.Next(3) == 0 ? Guests.Idle : Guests.Worker) });
                    break;
                case 4:
                    Try(client, new ControlRequest { Command = "destroy", Domain = name });
                    break;
                case 5:
                    Try(client, new ControlRequest { Command = "pause", Domain = name });
                    break;
                case 6:
                    Try(client, new ControlRequest { Command = "unpause", Domain = name });
                    break;
                case 7:
                    // Starved, or spoilt.
                    Try(client, new ControlRequest { Command = "sched-credit", Domain = name, Weight = random.Next(2) == 0 ? 1 : 65535, Cap = random.Next(3) * 5 });
                    break;
                case 8:
                    Try(client, new ControlRequest { Command = "vcpu-pin", Domain = name, Cpus = random.Next(2) == 0 ? "0" : "all" });
                    break;
                case 9:
                    Try(client, new ControlRequest { Command = "reboot", Domain = name, Force = true, Grace = random.Next(2) * 0.05, Wait = random.Next(2) == 0 });
                    break;
                case 10:
                    Try(client, new ControlRequest { Command = "shutdown", Domain = name, Force = true, Grace = 0.05, Wait = random.Next(2) == 0 });
                    break;
                default:
                    // A watcher that goes away in the middle.
                    using (ControlClient watcher = new(Socket)) Try(watcher, new ControlRequest { Command = "console", Domain = name });
                    break;
            }
        }
        for (int n = 0; n < Victims; n++) Try(client, new ControlRequest { Command = "destroy", Domain = $"victim-{n}" });
        return done;
    }

    private static void Create(ControlClient client, string name, string kernel) => client.Ask(new ControlRequest { Command = "create", Config = Config(name, kernel) });

    private static string Config(string name, string kernel) => $$"""{ "name": "{{name}}", "memory": "{{HostUse.DomainMegabytes}}M", "kernel": "{{kernel}}" }""";

    // There may be no such domain, or there may be one already: a refusal is an answer.
    private static void Try(ControlClient client, ControlRequest request)
    {
        try
        {
            client.Ask(request);
        }
        catch (ControlException e)
        {
            Assert.DoesNotContain("internal error", e.Message);
            Assert.DoesNotContain("went away", e.Message);
        }
    }

    /// <summary>What a host holds of the machine.</summary>
    private sealed record HostUse(int Domains, int Descriptors, int Threads, int Arenas, int CodeMappings)
    {
        public const int DomainMegabytes = 96;

        public static HostUse Of(int process, ControlClient client)
        {
            int arenas = 0, code = 0;
            foreach (string line in File.ReadLines($"/proc/{process}/maps"))
            {
                ulong[] range = [.. line[..line.IndexOf(' ')].Split('-').Select(static address => ulong.Parse(address, NumberStyles.HexNumber, CultureInfo.InvariantCulture))];
                if (range[1] - range[0] == (ulong)DomainMegabytes << 20) arenas++;
                if (line.Contains("memfd:", StringComparison.Ordinal)) code++;
            }
            return new HostUse(
                client.Ask(new ControlRequest { Command = "list" }, ControlJson.Default.ListDomainInfo).Count,
                Directory.GetFiles($"/proc/{process}/fd").Length, Directory.GetDirectories($"/proc/{process}/task").Length, arenas, code);
        }

        public bool IsWithin(HostUse before) =>
            Domains == 0 && Descriptors <= before.Descriptors && Threads <= before.Threads + PoolThreads && Arenas <= before.Arenas && CodeMappings <= before.CodeMappings;
    }
}
