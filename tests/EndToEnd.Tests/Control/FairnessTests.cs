using System.Text.Json;
using FastXen.Control;
using FastXen.Tests;

namespace FastXen.EndToEnd.Tests.Control;

/// <summary>A domain that does all that there is to be in front of others: it wakes itself, yields, sets timers, and calls the hypervisor all the time.</summary>
public sealed class FairnessTests() : ServedHost("--host-threads", "1")
{
    [Fact]
    public void A_domain_cannot_starve_a_neighbour_beyond_its_weight()
    {
        using ControlClient client = new(Socket);
        Do("create", $$"""{ "name": "neighbour", "memory": "96M", "kernel": "{{Guests.Worker}}", "console": { "type": "buffer" } }""");
        Do("create", JsonSerializer.Serialize(new
        {
            name = "hog",
            personality = "xen",
            memory = "24M",
            kernel = Guests.Xenguest,
            commandLine = "fuzz=1 rounds=1000000000",
            console = new { type = "buffer" },
        }));
        double neighbour = Used(client, "neighbour"), hog = Used(client, "hog");
        double mine, its;
        do
        {
            Thread.Sleep(100);
            (mine, its) = (Used(client, "neighbour") - neighbour, Used(client, "hog") - hog);
        }
        while (mine + its < 2);
        // Half of the time is the neighbour's; it leaves none of it.
        Assert.InRange(mine / (mine + its), 0.4, 1);
        Assert.True(its > 0, "the other one has done nothing");
    }

    private static double Used(ControlClient client, string name) =>
        client.Ask(new ControlRequest { Command = "list", Domain = name }, ControlJson.Default.ListDomainInfo)[0].CpuSeconds;
}
