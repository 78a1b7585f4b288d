using BenchmarkDotNet.Attributes;

namespace FastXen.Perf.Suites;

/// <summary>The interpreter's run loop, by the slot.</summary>
public class RunLoopBenchmarks
{
    private const int Times = 100_000;
    private LoopMachine? _machine;

    /// <summary>Makes the machine.</summary>
    [GlobalSetup]
    public void Setup() => _machine = new LoopMachine();

    /// <summary>Frees it.</summary>
    [GlobalCleanup]
    public void Cleanup() => _machine?.Dispose();

    /// <summary>A load, an addition and a taken branch.</summary>
    [Benchmark(OperationsPerInvoke = 3 * Times)]
    public ulong Slot() => _machine!.Run(Times);
}
