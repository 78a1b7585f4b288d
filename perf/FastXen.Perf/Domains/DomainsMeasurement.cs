using System.Diagnostics;
using System.Text.Json;
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
        using IdleHost one = new(1);
        using IdleHost all = new(Domains);
        // What disturbs only adds to the time that is used.
        double[] shares = [.. Enumerable.Range(0, Windows).Select(_ => all.ProcessorShare()).Order()];
        double ram = all.ResidentRam;
        return new DomainsReport(
            DateTime.UtcNow, HostMachine.Now, Domains, shares[0] * 100, shares[^1] * 100, ram / Domains / 1024, (all.Resident - ram - (one.Resident - one.ResidentRam)) / (Domains - 1) / 1024,
            one.Resident / 1024, all.Threads, one.Threads);
    }

    // A process that serves idle domains.
    private sealed class IdleHost : IDisposable
    {
        private readonly string _folder = Directory.CreateTempSubdirectory("fastxen-domains-").FullName;
        private readonly Process _process;
        private readonly Timer _guard;

        public IdleHost(int domains)
        {
            string config = Path.Combine(_folder, "idle.json");
            File.WriteAllText(config, JsonSerializer.Serialize(new
            {
                domains = Enumerable.Range(1, domains).Select(static n => new
                {
                    name = $"idle{n}",
                    memory = $"{MemoryMebibytes}M",
                    kernel = Path.GetFullPath("out/guests/idle"),
                    console = new { type = "buffer" },
                }),
            }));
            _process = Process.Start(new ProcessStartInfo(BenchmarkGuest.Executable, ["serve", "--socket", Path.Combine(_folder, "host.sock"), config]) { RedirectStandardError = true })!;
            _guard = HangGuard.Over(_process);
            for (int made = 0; made < domains;)
            {
                string line = _process.StandardError.ReadLine() ?? throw new InvalidOperationException($"out/fastxen serve ended after {made} domains");
                if (line.Contains("created", StringComparison.Ordinal))
                    made++;
            }
            // Nobody reads the rest.
            _process.StandardError.Close();
            Thread.Sleep(Settled);
        }

        public double Resident => ProcessUse.Resident(_process.Id);

        public double ResidentRam => ProcessUse.ResidentRam(_process.Id, MemoryMebibytes << 10);

        public int Threads => ProcessUse.Threads(_process.Id);

        // Of one processor.
        public double ProcessorShare()
        {
            long begin = Stopwatch.GetTimestamp();
            double before = ProcessUse.ProcessorSeconds(_process.Id);
            Thread.Sleep(Window);
            return (ProcessUse.ProcessorSeconds(_process.Id) - before) / Stopwatch.GetElapsedTime(begin).TotalSeconds;
        }

        public void Dispose()
        {
            _process.Kill();
            _process.WaitForExit();
            _guard.Dispose();
            _process.Dispose();
            Directory.Delete(_folder, recursive: true);
        }
    }
}
