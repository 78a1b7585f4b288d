using System.Diagnostics;
using FastXen.Core;
using FastXen.Mmu;
using FastXen.Perf.Measure;
using FastXen.Smp;

namespace FastXen.Perf.Scheduling;

/// <summary>Measures the scheduler on real host threads.</summary>
/// <param name="Seconds">How long shares and caps are watched.</param>
internal sealed record SchedulerMeasurement(double Seconds)
{
    public SchedulerReport Take()
    {
        // Compiled and warm before anything counts.
        _ = SwitchNanoseconds(Vcpus.ThatWakeEachOther());
        _ = SwitchNanoseconds(Vcpus.ThatYield());
        double host = HostThreadSwitch.Measure();
        double slice = SliceNanoseconds();
        (string, double)[] switches =
        [
            ("one wakes the other and waits", SwitchNanoseconds(Vcpus.ThatWakeEachOther())),
            ("both yield", SwitchNanoseconds(Vcpus.ThatYield())),
        ];
        return new SchedulerReport(
            DateTime.UtcNow, HostMachine.Now, Fairness(), [.. new[] { 10, 25, 50, 150 }.Where(static cap => cap <= 100 * Environment.ProcessorCount).Select(Cap)],
            [WakeLatency(busy: false), WakeLatency(busy: true)], host,
            [.. switches.Select(pair => new SwitchResult($"{pair.Item1}, with a slice of an interpreted vCPU", pair.Item2 + slice, (pair.Item2 + slice) / host))],
            TwoDomainsOverOne(), ParallelProgram.SpeedUp());
    }

    private ShareResult[] Fairness()
    {
        using Scheduler scheduler = new(Environment.ProcessorCount);
        SchedulerDomain[] domains = [.. new[] { 128, 256, 512 }.Select(weight => scheduler.AddDomain($"{weight}", new CreditParameters(weight, 0)))];
        foreach (SchedulerDomain domain in domains)
        {
            for (int i = 0; i < Environment.ProcessorCount; i++)
                domain.Add(new BenchmarkVcpu { Busy = true });
        }

        double[] times = Watch(domains, Seconds);
        double all = times.Sum(), weights = domains.Sum(static domain => domain.Credit.Weight);
        return [.. domains.Select((domain, i) =>
        {
            double share = times[i] / all, fair = domain.Credit.Weight / weights;
            return new ShareResult(domain.Credit.Weight, share, fair, Math.Abs(share / fair - 1) * 100);
        })];
    }

    private CapResult Cap(int cap)
    {
        using Scheduler scheduler = new(Environment.ProcessorCount);
        SchedulerDomain domain = scheduler.AddDomain("capped", new CreditParameters(256, cap));
        for (int i = 0; i < (cap + 99) / 100; i++)
            domain.Add(new BenchmarkVcpu { Busy = true });
        long begin = Stopwatch.GetTimestamp();
        double used = Watch([domain], Seconds)[0] / (Stopwatch.GetElapsedTime(begin).TotalSeconds - WarmUp) * 100;
        return new CapResult(cap, used, Math.Abs(used - cap));
    }

    private const double WarmUp = 0.5;

    private static double[] Watch(SchedulerDomain[] domains, double seconds)
    {
        Thread.Sleep(TimeSpan.FromSeconds(WarmUp));
        double[] before = Times();
        Thread.Sleep(TimeSpan.FromSeconds(seconds));
        return [.. Times().Zip(before, static (now, then) => now - then)];

        double[] Times() => [.. domains.Select(static domain => domain.Vcpus.Sum(static vcpu => vcpu.Statistics.RunTime.TotalSeconds))];
    }

    private static LatencyResult WakeLatency(bool busy)
    {
        const int Samples = 3000;
        using Scheduler scheduler = new(Environment.ProcessorCount);
        SchedulerDomain neighbours = scheduler.AddDomain("neighbours", new CreditParameters()), domain = scheduler.AddDomain("waits", new CreditParameters());
        for (int i = 0; busy && i < 2 * Environment.ProcessorCount; i++)
            neighbours.Add(new BenchmarkVcpu { Busy = true });
        long asked = 0;
        List<double> times = [];
        using SemaphoreSlim ran = new(0);
        BenchmarkVcpu vcpu = new();
        vcpu.Serve = () =>
        {
            times.Add((Stopwatch.GetTimestamp() - Volatile.Read(ref asked)) / 1e3);
            ran.Release();
        };
        domain.Add(vcpu);
        Random random = new(1);
        for (int i = 0; i < Samples; i++)
        {
            Thread.Sleep(TimeSpan.FromMicroseconds(random.Next(500, 1500)));
            Volatile.Write(ref asked, Stopwatch.GetTimestamp());
            vcpu.Request();
            ran.Wait();
        }

        times.Sort();
        return new LatencyResult(busy ? "busy" : "no", Samples, times[Samples / 2], times[(int)(Samples * 0.999)]);
    }

    // Two on one host thread; the least of some batches.
    private static double SwitchNanoseconds(BenchmarkVcpu[] vcpus)
    {
        using Scheduler scheduler = new(1, new SchedulerOptions { PinHostThreads = true });
        SchedulerDomain domain = scheduler.AddDomain("switches", new CreditParameters());
        foreach (BenchmarkVcpu vcpu in vcpus)
            domain.Add(vcpu);
        vcpus[0].Request();
        double least = double.MaxValue;
        for (int batch = 0; batch < 20; batch++)
        {
            long switches = Switches(), begin = Stopwatch.GetTimestamp();
            Thread.Sleep(10);
            double time = Stopwatch.GetElapsedTime(begin).TotalNanoseconds;
            least = Math.Min(least, time / Math.Max(Switches() - switches, 1));
        }

        return least;

        long Switches() => scheduler.HostThreads[0].Switches;
    }

    // What it costs to go into a real vCPU and to come out at once.
    private static double SliceNanoseconds()
    {
        using PhysicalMemory memory = new(1 << 20);
        memory.AddRam(0, 1 << 20);
        using Vcpu vcpu = new(memory) { Engine = EngineKind.Interpreter };
        VcpuWork work = new(vcpu);
        double least = double.MaxValue;
        const int Slices = 100_000;
        for (int batch = 0; batch < 5; batch++)
        {
            long begin = Stopwatch.GetTimestamp();
            for (int i = 0; i < Slices; i++)
                work.RunSlice(1);
            least = Math.Min(least, Stopwatch.GetElapsedTime(begin).TotalNanoseconds / Slices);
        }

        return least;
    }

    private static double TwoDomainsOverOne()
    {
        double one = 0, two = 0;
        for (int round = 0; round < 5; round++)
        {
            one = Math.Max(one, Work(1));
            two = Math.Max(two, Work(2));
        }

        return two / one;

        static double Work(int domains)
        {
            using Scheduler scheduler = new(2);
            BenchmarkVcpu[] vcpus = [.. Enumerable.Range(0, domains).Select(_ => new BenchmarkVcpu { Busy = true })];
            foreach (BenchmarkVcpu vcpu in vcpus)
                scheduler.AddDomain("busy", new CreditParameters()).Add(vcpu);
            Thread.Sleep(100);
            long before = vcpus.Sum(static vcpu => vcpu.Work), begin = Stopwatch.GetTimestamp();
            Thread.Sleep(500);
            return (vcpus.Sum(static vcpu => vcpu.Work) - before) / Stopwatch.GetElapsedTime(begin).TotalSeconds;
        }
    }

    private static class Vcpus
    {
        public static BenchmarkVcpu[] ThatWakeEachOther()
        {
            BenchmarkVcpu first = new(), second = new();
            first.Serve = second.Request;
            second.Serve = first.Request;
            return [first, second];
        }

        public static BenchmarkVcpu[] ThatYield() => [new() { Busy = true, Yields = true }, new() { Busy = true, Yields = true }];
    }
}
