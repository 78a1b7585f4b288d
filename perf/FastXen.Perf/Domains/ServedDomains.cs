using System.Diagnostics;
using System.Text.Json;
using FastXen.Perf.Measure;

namespace FastXen.Perf.Domains;

/// <summary>A process that serves domains.</summary>
internal sealed class ServedDomains : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("fastxen-domains-").FullName;
    private readonly Process _process;
    private readonly Timer _guard;

    /// <summary>Starts them; returns when all are made.</summary>
    /// <param name="domains">Configurations of guests, as docs/guest-config.md has them.</param>
    public ServedDomains(IEnumerable<object> domains)
    {
        object[] all = [.. domains];
        string config = Path.Combine(_folder, "domains.json");
        File.WriteAllText(config, JsonSerializer.Serialize(new { domains = all }));
        _process = Process.Start(new ProcessStartInfo(BenchmarkGuest.Executable, ["serve", "--socket", Path.Combine(_folder, "host.sock"), config]) { RedirectStandardError = true })!;
        _guard = HangGuard.Over(_process);
        for (int made = 0; made < all.Length;)
        {
            string line = _process.StandardError.ReadLine() ?? throw new InvalidOperationException($"out/fastxen serve ended after {made} domains");
            if (line.Contains("created", StringComparison.Ordinal))
                made++;
        }
        // Nobody reads the rest.
        _process.StandardError.Close();
    }

    /// <summary>Memory of the process in KiB.</summary>
    public double Resident => ProcessUse.Resident(_process.Id);

    /// <summary>What is resident of the RAM of guests that have so many MiB each, in KiB.</summary>
    public double ResidentRam(int mebibytes) => ProcessUse.ResidentRam(_process.Id, (long)mebibytes << 10);

    /// <summary>Threads of the process.</summary>
    public int Threads => ProcessUse.Threads(_process.Id);

    /// <summary>What it uses in a time, of one processor.</summary>
    public double ProcessorShare(TimeSpan window)
    {
        long begin = Stopwatch.GetTimestamp();
        double before = ProcessUse.ProcessorSeconds(_process.Id);
        Thread.Sleep(window);
        return (ProcessUse.ProcessorSeconds(_process.Id) - before) / Stopwatch.GetElapsedTime(begin).TotalSeconds;
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        _process.Kill();
        _process.WaitForExit();
        _guard.Dispose();
        _process.Dispose();
        Directory.Delete(_folder, recursive: true);
    }
}
