using System.Diagnostics;
using FastXen.Perf.Domains;
using FastXen.Perf.Measure;

namespace FastXen.Perf.Xen;

/// <summary>What the Xen interface costs, in turns with what it is compared with.</summary>
internal static class XenMeasurement
{
    // The least that the kernel boots with: it is linked at 16 MiB.
    private const int IdleMebibytes = 20;
    private const int Idle = 500;
    private static readonly TimeSpan BootPatience = TimeSpan.FromSeconds(60);
    private static readonly TimeSpan Window = TimeSpan.FromSeconds(3);
    private const int Windows = 3;

    private const string SystemCall = "null system call", EventWakeUp = "eventfd wake-up", Copy = "memcpy", Read = "read()", Stream = "loopback TCP", Platform = "platform";

    // The operation, what it is compared with, the bar of issue 5.
    private static readonly (string Name, string Unit, string Reference, double? Bar)[] Operations =
    [
        ("hypercall", "ns", SystemCall, 0.5),
        ("rfi", "ns", SystemCall, 0.3),
        ("ssm", "ns", SystemCall, 0.3),
        ("thash", "ns", SystemCall, 0.3),
        ("itc_d", "ns", SystemCall, 0.3),
        ("event", "ns", EventWakeUp, 1.5),
        ("grant_map", "ns", SystemCall, 5),
        ("grant_copy", "MiB/s", Copy, 0.6),
        ("disk_read", "MiB/s", Read, 0.5),
        ("net_send", "MiB/s", Stream, 0.4),
        ("compute", "ns", Platform, 1.02),
        ("system_calls_and_work", "ns", Platform, 1.10),
        ("system_call", "ns", Platform, null),
    ];

    /// <summary>Measures so many rounds, then many idle domains (unless <paramref name="withIdle"/> is false).</summary>
    public static XenReport Take(int rounds, bool withIdle)
    {
        string folder = Directory.CreateTempSubdirectory("fastxen-xen-").FullName;
        try
        {
            BenchGuests guests = new(folder);
            List<IReadOnlyDictionary<string, double>> guest = [], platform = [], host = [];
            for (int round = 0; round < rounds; round++)
            {
                host.Add(Host(guests.Disk));
                guest.Add(guests.OnXen());
                platform.Add(guests.OnPlatform());
            }

            List<XenNumber> numbers = [];
            List<string> missing = [];
            foreach ((string name, string unit, string reference, double? bar) in Operations)
            {
                List<(double Guest, double Reference)> both = [];
                for (int round = 0; round < rounds; round++)
                {
                    IReadOnlyDictionary<string, double> other = reference == Platform ? platform[round] : host[round];
                    if (guest[round].TryGetValue(name, out double value) && other.TryGetValue(reference == Platform ? name : reference, out double against))
                        both.Add((value, against));
                }
                if (both.Count == 0)
                    missing.Add(name);
                else
                    numbers.Add(Compare(name, unit, reference, bar, both));
            }

            return new XenReport(DateTime.UtcNow, HostMachine.Now, rounds, numbers, missing, withIdle ? ManyIdle(folder) : null);
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }

    private static Dictionary<string, double> Host(string disk) => new()
    {
        [SystemCall] = HostReferences.NullSystemCall(),
        [EventWakeUp] = HostReferences.EventWakeUp(),
        [Copy] = HostReferences.MemoryCopy(),
        [Read] = HostReferences.FileRead(disk, BenchGuests.DiskRequest),
        [Stream] = HostReferences.LoopbackStream(),
    };

    private static XenNumber Compare(string name, string unit, string reference, double? bar, List<(double Guest, double Reference)> both)
    {
        bool isTime = unit == "ns";
        double guest = isTime ? both.Min(static pair => pair.Guest) : both.Max(static pair => pair.Guest);
        double against = isTime ? both.Min(static pair => pair.Reference) : both.Max(static pair => pair.Reference);
        double noise = Spread.Of(both.Select(pair => isTime ? pair.Guest / against : against / pair.Guest));
        return new XenNumber(name, unit, Spread.Significant(guest), reference, Spread.Significant(against), Spread.Significant(guest / against), noise, bar);
    }

    private static IdleXenDomains ManyIdle(string folder)
    {
        long begin = Stopwatch.GetTimestamp();
        string[] consoles = [.. Enumerable.Range(1, Idle).Select(n => Path.Combine(folder, $"idle{n}.log"))];
        using ServedDomains all = new(consoles.Select(static (console, n) => new
        {
            name = $"idle{n + 1}",
            personality = "xen",
            memory = $"{IdleMebibytes}M",
            kernel = Path.GetFullPath(BenchGuests.Kernel),
            commandLine = "idle",
            console = new { type = "file", path = console },
        }));
        HashSet<string> waiting = [.. consoles];
        while (waiting.Count > 0 && Stopwatch.GetElapsedTime(begin) < BootPatience)
        {
            waiting.RemoveWhere(static console => File.Exists(console) && File.ReadAllText(console).Contains("domU> ", StringComparison.Ordinal));
            Thread.Sleep(100);
        }

        double boot = Stopwatch.GetElapsedTime(begin).TotalSeconds;
        double share = Enumerable.Range(0, Windows).Min(_ => all.ProcessorShare(Window));
        return new IdleXenDomains(Idle, IdleMebibytes, Idle - waiting.Count, Math.Round(boot, 1), Spread.Significant(share * 100), Spread.Significant(all.Resident / Idle / 1024), all.Threads);
    }
}
