using System.Globalization;
using System.Text.Json;
using System.Text.RegularExpressions;
using FastXen.Tests;

namespace FastXen.EndToEnd.Tests.Control;

/// <summary>Domains that serve disks and network cards to others (native/xenguest, "serve"), and that come to an end while they do.</summary>
public sealed partial class DriverDomainTests : ServedHost
{
    private static string Kernel => Path.Combine(Kit.Repository, "native", "xenguest", "xenguest.elf");

    private static readonly object[] Switch = [new { type = "switch" }], Served = [new { backend = "driver" }];

    private void Create(string name, string words, object[] disks, object[] network) => Do("create", JsonSerializer.Serialize(new
    {
        name,
        personality = "xen",
        memory = "32M",
        kernel = Kernel,
        commandLine = words,
        disks,
        network,
    }));

    private string Image(string name)
    {
        string image = Path.Combine(Folder, name);
        using FileStream file = File.Create(image);
        file.SetLength(8 << 20);
        return image;
    }

    private void CreateDriver(string image) => Create("driver", "serve", [new { path = image }], Switch);

    private int Number(string domain) => int.Parse(Do("domid", domain), CultureInfo.InvariantCulture);

    [GeneratedRegex(@"^(?<rounds>\d+) rounds, (?<wrong>\d+) wrong, (?<failed>\d+) failed, (?<answers>\d+) of \d+ pings, (?<connections>\d+) connections, (?<repeated>\d+) repeated")]
    private static partial Regex Progress { get; }

    private readonly record struct Work(long Rounds, long Wrong, long Failed, long Answers, long Connections, long Repeated);

    // What the guest has done so far (native/xenguest/churn.c).
    private Work? Done(int guest)
    {
        (int code, string output, _) = Run("xenstore", "read", $"/local/domain/{guest}/data/churn");
        Match match = Progress.Match(output);
        if (code != 0 || !match.Success) return null;
        long Of(string group) => long.Parse(match.Groups[group].Value, CultureInfo.InvariantCulture);
        return new Work(Of("rounds"), Of("wrong"), Of("failed"), Of("answers"), Of("connections"), Of("repeated"));
    }

    // Until the guest has done more of everything, over so many connections of its devices in all.
    private Work UntilDone(int guest, Work since, long connections)
    {
        Work done = default;
        Until(
            _ =>
            {
                done = Done(guest) ?? default;
                return done.Rounds > since.Rounds + 16 && done.Answers > since.Answers + 1 && done.Connections >= connections;
            },
            "list");
        return done;
    }

    [Fact]
    public void A_driver_domain_dies_and_comes_again_and_its_frontends_lose_nothing()
    {
        string image = Image("disk.img");
        Create("peer", "idle", [], Switch);
        CreateDriver(image);
        Create("guest", $"churn={Number("peer")}", [new { backend = "driver", target = "xvda" }], Served);
        int guest = Number("guest");
        Work done = UntilDone(guest, default, 2);
        for (int death = 1; death <= 4; death++)
        {
            Do("destroy", "driver");
            // It waits: nothing of it fails.
            CreateDriver(image);
            done = UntilDone(guest, done, 2 + 2 * death);
        }
        // One that begins anew under its own number is another backend, too.
        Do("reboot", "driver", "--wait");
        done = UntilDone(guest, done, 12);
        using (FastXenProcess console = new("console", "driver", "--socket", Socket))
        {
            console.Expect("domU> ");
            console.Send("\rcrash\r");
            console.Expect("as you like it");
        }
        Until(list => !list.Contains("driver", StringComparison.Ordinal), "list");
        CreateDriver(image);
        done = UntilDone(guest, done, 14);
        Assert.Equal((0, 0), (done.Wrong, done.Failed));
        // Its end waits for no backend.
        Do("destroy", "driver");
        Do("shutdown", "guest", "--wait");
        Do("destroy", "peer");
        Assert.Equal(0, Json("list").GetArrayLength());
        Assert.DoesNotContain("internal error", Do("dmesg"));
    }

    /// <summary>The driver's places for devices, and what it maps of domains, are free again when they are gone.</summary>
    [Fact]
    public void Domains_come_and_go_while_a_driver_domain_serves_them()
    {
        CreateDriver(Image("disk.img"));
        int driver = Number("driver");
        for (int round = 0; round < 10; round++)
        {
            bool isKilled = round % 5 == 4;
            string words = isKilled ? "churn=0" : "selftest scratch";
            Create("guest", words, [new { backend = "driver", target = round % 2 == 0 || isKilled ? "xvda" : "ram:1024" }], Served);
            if (isKilled)
            {
                int guest = Number("guest");
                Until(_ => Done(guest) is { Rounds: > 0 }, "list");
                Do("destroy", "guest");
            }
            Until(list => !list.Contains("guest", StringComparison.Ordinal), "list");
        }
        string log = Do("dmesg");
        Assert.Equal(8, Regex.Count(log, @"guest \(\d+\): powered off"));
        Assert.DoesNotContain("crashed", log);
        Assert.Equal("", Do("xenstore", "list", $"/local/domain/{driver}/backend/vbd"));
        Assert.Equal("", Do("xenstore", "list", $"/local/domain/{driver}/backend/vif"));
    }
}
