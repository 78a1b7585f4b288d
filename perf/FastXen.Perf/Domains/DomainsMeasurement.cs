using FastXen.Perf.Measure;

namespace FastXen.Perf.Domains;

/// <summary>Many idle domains (native/idle) in one process.</summary>
internal sealed class DomainsMeasurement
{
    private const int Domains = 200;
    // The least that the guest takes, in whole granules; small enough for pages of the host's usual size.
    private const int MemoryMebibytes = 80;
    private static readonly TimeSpan Settled = TimeSpan.FromSeconds(3);
    private static readonly TimeSpan Window = TimeSpan.FromSeconds(5);
    private const int Windows = 4;

    /// <summary>Measures a process with one domain, then one with all.</summary>
    public static DomainsReport Take()
    {
        using ServedDomains one = Idle(1);
        using ServedDomains all = Idle(Domains);
        // What disturbs only adds to the time that is used.
        double[] shares = [.. Enumerable.Range(0, Windows).Select(_ => all.ProcessorShare(Window)).Order()];
        double ram = Ram(all);
        return new DomainsReport(
            DateTime.UtcNow, HostMachine.Now, Domains, shares[0] * 100, shares[^1] * 100, ram / Domains / 1024, (all.Resident - ram - (one.Resident - Ram(one))) / (Domains - 1) / 1024,
            one.Resident / 1024, all.Threads, one.Threads);

        static double Ram(ServedDomains domains) => domains.ResidentRam(MemoryMebibytes);
    }

    private static ServedDomains Idle(int domains)
    {
        ServedDomains served = new(Enumerable.Range(1, domains).Select(static n => new
        {
            name = $"idle{n}",
            memory = $"{MemoryMebibytes}M",
            kernel = Path.GetFullPath("out/guests/idle"),
            console = new { type = "buffer" },
        }));
        Thread.Sleep(Settled);
        return served;
    }
}
