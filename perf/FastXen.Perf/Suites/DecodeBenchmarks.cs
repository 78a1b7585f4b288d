using System.Runtime.InteropServices;
using BenchmarkDotNet.Attributes;
using FastXen.Core.Decode;

namespace FastXen.Perf.Suites;

/// <summary>Decoding bundles.</summary>
public unsafe class DecodeBenchmarks
{
    private static readonly ulong[] Bundle = [LoopMachine.LoopLow, LoopMachine.LoopHigh];
    private Instruction* _slots;

    /// <summary>Allocates.</summary>
    [GlobalSetup]
    public void Setup() => _slots = (Instruction*)NativeMemory.AlignedAlloc((nuint)(3 * sizeof(Instruction)), 64);

    /// <summary>Frees.</summary>
    [GlobalCleanup]
    public void Cleanup() => NativeMemory.AlignedFree(_slots);

    /// <summary>One bundle.</summary>
    [Benchmark]
    public Opcode DecodeBundle()
    {
        Decoder.DecodeBundle(Bundle[0], Bundle[1], _slots);
        return _slots->Opcode;
    }
}
