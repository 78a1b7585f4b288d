using FastXen.Core;
using FastXen.Core.Interpret;
using FastXen.Core.State;
using FastXen.Mmu;

namespace FastXen.Perf.Suites;

/// <summary>A processor with a loop of one bundle in memory, MMU on: load, add, br.cloop. What follows it stops the processor.</summary>
internal sealed unsafe class LoopMachine : IFirmware, IDisposable
{
    /// <summary>Low word of the loop's bundle: { .mib ld8 r14 = [r16]; add r15 = r17, r15; br.cloop.sptk.few . } (GNU as).</summary>
    public const ulong LoopLow = 0x88f0101820007011;
    /// <summary>High word of the loop's bundle.</summary>
    public const ulong LoopHigh = 0x40000000a040003c;
    private const ulong StopLow = 0x0000020078000011, StopHigh = 0x2000000000000200;
    /// <summary>The address that the loop loads from.</summary>
    public const ulong Data = 0x20000;
    private const ulong MemorySize = 64UL << 20, Code = 0x10000;
    // One page of 64 MiB at address 0: write back, accessed, dirty, every access at every privilege level.
    private const ulong IdentityItir = 26 << 2, IdentityPte = 1 | 1 << 5 | 1 << 6 | 3 << 7 | 3 << 9;

    private readonly PhysicalMemory _memory;
    private readonly Vcpu _vcpu;

    /// <summary>Makes the machine.</summary>
    public LoopMachine()
    {
        _memory = new PhysicalMemory(MemorySize);
        _memory.AddRam(0, MemorySize);
        _memory.Write(Code, LoopLow);
        _memory.Write(Code + 8, LoopHigh);
        _memory.Write(Code + 16, StopLow);
        _memory.Write(Code + 24, StopHigh);
        _vcpu = new Vcpu(_memory, deterministic: true) { Firmware = this };
        VcpuState* s = _vcpu.State;
        _ = Tlb.InsertInstructionRegister(s->Mmu, 0, 0, IdentityItir, IdentityPte);
        _ = Tlb.InsertDataRegister(s->Mmu, 0, 0, IdentityItir, IdentityPte);
        ProcessorStatus.Set(s, Psr.Ic | Psr.It | Psr.Dt | Psr.Rt);
        AddressSpace.SelectMode(s);
        s->Gr[16] = Data;
    }

    /// <summary>The translation tables.</summary>
    public MmuState* Mmu => _vcpu.State->Mmu;

    /// <summary>Runs the loop; three slots retire each time.</summary>
    public ulong Run(int times)
    {
        VcpuState* s = _vcpu.State;
        s->Ar[Ar.Lc] = (ulong)times - 1;
        s->Ip = Code;
        s->Slot = 0;
        _ = _vcpu.Run();
        return s->Retired;
    }

    /// <inheritdoc/>
    public bool IsFirmware(ulong physicalAddress) => physicalAddress == Code + 16;

    /// <inheritdoc/>
    public FirmwareReturn Call(Vcpu vcpu, uint service)
    {
        vcpu.RequestStop(VcpuStop.Limit);
        return FirmwareReturn.Jump;
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        _vcpu.Dispose();
        _memory.Dispose();
    }
}
