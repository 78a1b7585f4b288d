using BenchmarkDotNet.Attributes;
using FastXen.Mmu;

namespace FastXen.Perf.Suites;

/// <summary>Loads that hit in the fast TLB.</summary>
public unsafe class FastTlbBenchmarks
{
    private const int Times = 1000;
    private LoopMachine? _machine;
    private ulong _address;

    /// <summary>Makes the machine; its loop fills the entry.</summary>
    [GlobalSetup]
    public void Setup()
    {
        _machine = new LoopMachine();
        _ = _machine.Run(1);
        _address = LoopMachine.Data;
    }

    /// <summary>Frees it.</summary>
    [GlobalCleanup]
    public void Cleanup() => _machine?.Dispose();

    /// <summary>Finds the host address of eight bytes and reads them.</summary>
    [Benchmark(OperationsPerInvoke = Times)]
    public ulong Hit()
    {
        MmuState* mmu = _machine!.Mmu;
        ulong sum = 0;
        for (int k = 0; k < Times; k++)
        {
            byte* host = FastTlb.TryRead(mmu, _address + (ulong)(k & 63) * 8, 8);
            if (host == null)
                throw new InvalidOperationException("the entry is gone");
            sum += *(ulong*)host;
        }
        return sum;
    }
}
