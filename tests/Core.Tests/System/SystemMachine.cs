using FastXen.Core.Interpret;
using FastXen.Core.State;
using FastXen.Mmu;

namespace FastXen.Core.Tests.SystemLevel;

/// <summary>Which of the interpreter's two loops runs a program.</summary>
public enum Loop
{
    /// <summary>Runs of slots (<see cref="Interpreter.Run"/>).</summary>
    Fast,
    /// <summary>One instruction at a time (<see cref="Interpreter.StepBundle"/>).</summary>
    Careful,
}

/// <summary>
/// A processor with 16 MiB of memory that translation registers map onto itself for every privilege level. Every interruption
/// vector without a handler of the test's own stops the machine at its first instruction.
/// </summary>
internal sealed unsafe class SystemMachine : IDisposable, IFirmware
{
    public const ulong MemorySize = 16 << 20;
    public const ulong Iva = 0x1_0000, Code = 0x10_0000, Data = 0x20_0000, Stack = 0x30_0000, Table = 0x40_0000;

    /// <summary>Region 1: nothing is mapped but what the test maps; the walker is off.</summary>
    public const ulong Region1 = 1UL << 61;

    /// <summary>Region 2: as region 1, with the walker on.</summary>
    public const ulong Region2 = 2UL << 61;

    public const ulong Kernel = Psr.Ic | Psr.Dt | Psr.Rt | Psr.It | Psr.Bn;
    public const ulong User = Kernel | Psr.Cpl;

    /// <summary>Translation bits: present, accessed, dirty, all rights at all levels.</summary>
    public const ulong Page = 1 | 1 << 5 | 1 << 6 | 3 << 7 | 3 << 9;

    /// <summary>What IIPA shows when nothing was executed.</summary>
    public const ulong NothingExecuted = 0xBAD0;

    private readonly Loop loop;

    public SystemMachine(Loop loop = Loop.Fast, ulong psr = Kernel)
    {
        this.loop = loop;
        Memory = new PhysicalMemory(MemorySize);
        Memory.AddRam(0, MemorySize);
        Vcpu = new Vcpu(Memory, deterministic: true) { Firmware = this };
        for (ulong region = 0; region < 8; region++)
            _ = MmuRegisters.SetRr(S->Mmu, region << 61, region << 8 | 14 << 2 | (region == 2 ? 1UL : 0));
        _ = MmuRegisters.SetPta(S->Mmu, Table | 15 << 2 | 1);
        _ = Tlb.InsertInstructionRegister(S->Mmu, 0, 0, 24 << 2, Page);
        _ = Tlb.InsertDataRegister(S->Mmu, 0, 0, 24 << 2, Page);
        S->Cr[Cr.Iva] = Iva;
        S->BspStore = Stack;
        S->Ar[Ar.Rsc] = 0;
        for (ulong vector = 0; vector < 0x8000; vector += 0x100)
            Load(Iva + vector, StopProgram);
        Start(Code, psr);
    }

    private const string StopProgram = "{ .mii; break.m 0x1f0000; nop.i 0; nop.i 0 }";

    public PhysicalMemory Memory { get; }

    public Vcpu Vcpu { get; }

    public VcpuState* S => Vcpu.State;

    /// <summary>The vector at which the machine stopped.</summary>
    public Vector Vector => (Vector)(S->Ip - Iva);

    public void Start(ulong ip, ulong psr, int slot = 0)
    {
        ProcessorStatus.Set(S, psr);
        AddressSpace.SelectMode(S);
        S->FetchVa = CodePage.NoAddress;
        S->LastIp = NothingExecuted;
        S->Ip = ip;
        S->Slot = slot;
    }

    /// <summary>Puts a program into memory; what was decoded there is forgotten.</summary>
    public SystemMachine Load(ulong address, string source) => Write(address, Assembly.Of(source));

    public SystemMachine Write(ulong address, ReadOnlySpan<byte> bytes)
    {
        Assert.True(Memory.TryGetSpan(address, bytes.Length, out Span<byte> span));
        bytes.CopyTo(span);
        Memory.NotifyWritten(address, (ulong)bytes.Length);
        return this;
    }

    /// <summary>A handler instead of the stop at a vector.</summary>
    public SystemMachine Handler(Vector vector, string source) => Load(Iva + (ulong)vector, source);

    public ulong Gr(uint r) => Registers.Gr(S, r);

    public bool Nat(uint r) => Registers.Nat(S, r) != 0;

    public void SetGr(uint r, ulong value, bool nat = false) => Registers.SetGr(S, r, value, nat ? 1u : 0u);

    public void SetFr(uint f, ulong significand, uint signExponent) => *Registers.Fr(S, f) = new(signExponent, significand);

    public void SetAr(int ar, ulong value)
    {
        S->Ar[ar] = value;
        AddressSpace.SelectMode(S);
    }

    public void SetPkr(ulong index, ulong value) => Assert.Equal(TlbResult.Ok, MmuRegisters.SetPkr(S->Mmu, index, value));

    /// <summary>Arms the first data breakpoint.</summary>
    public void Watch(ulong address, ulong control)
    {
        S->Mmu->Dbr[0] = address;
        S->Mmu->Dbr[1] = control;
    }

    /// <summary>Puts a data translation into the cache.</summary>
    public void MapData(ulong va, ulong pte, int shift = 14, uint key = 0) =>
        Assert.Equal(TlbResult.Ok, Tlb.InsertDataCache(S->Mmu, va, (ulong)key << 8 | (uint)shift << 2, pte));

    /// <summary>Puts an instruction translation into the cache.</summary>
    public SystemMachine MapCode(ulong va, ulong pte, int shift = 14, uint key = 0)
    {
        Assert.Equal(TlbResult.Ok, Tlb.InsertInstructionCache(S->Mmu, va, (ulong)key << 8 | (uint)shift << 2, pte));
        return this;
    }

    /// <summary>An empty frame becomes one of these sizes.</summary>
    public void Frame(int sof, int sol, int sor = 0) => Rse.SetFrameSize(S, (uint)sof | (uint)sol << 7 | (uint)(sor / 8) << 14);

    /// <summary>Rotates all rotating registers by one.</summary>
    public void Rotate() => Rse.Rotate(S);

    /// <summary>Runs until the machine stops at a vector or at a stop bundle of the program.</summary>
    public SystemMachine Run()
    {
        if (loop == Loop.Fast)
        {
            // A guest that never stops is a failure, not a hang.
            using var guard = new Timer(_ => Vcpu.Crash("the program does not end"), null, 3_000, Timeout.Infinite);
            Vcpu.Run();
            Assert.NotEqual("the program does not end", Vcpu.CrashReason);
            return this;
        }

        Vcpu.Attend();
        for (int steps = 0; Vcpu.StopReason == VcpuStop.None; steps++)
        {
            Assert.True(steps < 100_000, "the program does not end");
            Interpreter.StepBundle(S);
        }

        return this;
    }

    bool IFirmware.IsFirmware(ulong physicalAddress) => true;

    FirmwareReturn IFirmware.Call(Vcpu vcpu, uint service)
    {
        vcpu.RequestStop(VcpuStop.Limit);
        return FirmwareReturn.Jump;
    }

    public void Dispose()
    {
        Vcpu.Dispose();
        Memory.Dispose();
    }
}
