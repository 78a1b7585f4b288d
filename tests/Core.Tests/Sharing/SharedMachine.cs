using FastXen.Core.Interpret;
using FastXen.Core.State;
using FastXen.Core.Tests.SystemLevel;
using FastXen.Mmu;

namespace FastXen.Core.Tests.Sharing;

/// <summary>
/// Processors with one memory, each on a thread of its own: 16 MiB that translation registers map onto themselves. A processor stops at a break, and at the
/// first instruction of any interruption.
/// </summary>
internal sealed unsafe class SharedMachine : IDisposable, IFirmware
{
    public const ulong Code = 0x10_0000, Data = 0x40_0000;
    private const ulong Iva = 0x1_0000, Stack = 0x80_0000, StackBytes = 0x1_0000;
    private const string StopProgram = "{ .mii; break.m 0x1f0000; nop.i 0; nop.i 0 }";

    public SharedMachine(int processors, EngineKind engine = EngineKind.Translator, TranslatorOptions? options = null)
    {
        Memory = new PhysicalMemory(SystemMachine.MemorySize);
        Memory.AddRam(0, SystemMachine.MemorySize);
        var domain = new CoherenceDomain();
        Vcpus = [.. Enumerable.Range(0, processors).Select(_ => new Vcpu(Memory, domain: domain) { Engine = engine, Firmware = this, Overcommitted = true })];
        if (options is not null)
            Vcpus[0].TranslatorOptions = options;
        for (ulong vector = 0; vector < 0x8000; vector += 0x100)
            Load(Iva + vector, StopProgram);
        for (int n = 0; n < processors; n++)
            Prepare(Vcpus[n].State, Stack + (ulong)n * StackBytes);
    }

    public PhysicalMemory Memory { get; }

    public Vcpu[] Vcpus { get; }

    public TranslatorStatistics Statistics => Vcpus[0].TranslatorStatistics!;

    private static void Prepare(VcpuState* s, ulong stack)
    {
        _ = Tlb.InsertInstructionRegister(s->Mmu, 0, 0, 24 << 2, SystemMachine.Page);
        _ = Tlb.InsertDataRegister(s->Mmu, 0, 0, 24 << 2, SystemMachine.Page);
        s->Cr[Cr.Iva] = Iva;
        s->BspStore = stack;
        s->Ar[Ar.Rsc] = 0;
        ProcessorStatus.Set(s, SystemMachine.Kernel);
        AddressSpace.SelectMode(s);
        s->Ip = Code;
    }

    public void Load(ulong address, string source) => Write(address, Assembly.Of(source));

    public void Write(ulong address, ReadOnlySpan<byte> bytes)
    {
        Assert.True(Memory.TryGetSpan(address, bytes.Length, out Span<byte> span));
        bytes.CopyTo(span);
        Memory.NotifyWritten(address, (ulong)bytes.Length);
    }

    /// <summary>Runs all processors until they stop by themselves; meanwhile, on this thread, <paramref name="meanwhile"/> again and again.</summary>
    public void Run(Action? meanwhile = null)
    {
        Thread[] threads = [.. Vcpus.Select(vcpu => new Thread(() => vcpu.Run()) { IsBackground = true })];
        // A guest that never stops is a failure, not a hang.
        using var guard = new Timer(_ => Array.ForEach(Vcpus, vcpu => vcpu.Crash("the program does not end")), null, 120_000, Timeout.Infinite);
        foreach (Thread thread in threads)
            thread.Start();
        while (meanwhile is not null && Vcpus.Any(vcpu => vcpu.StopReason == VcpuStop.None))
            meanwhile();
        foreach (Thread thread in threads)
            thread.Join();
        foreach (Vcpu vcpu in Vcpus)
        {
            Assert.Null(vcpu.CrashReason);
            Assert.False(vcpu.State->Ip is >= Iva and < Iva + 0x8000, $"interruption {vcpu.State->Ip - Iva:x} at 0x{vcpu.State->Cr[Cr.Iip]:x}");
        }
    }

    bool IFirmware.IsFirmware(ulong physicalAddress) => true;

    FirmwareReturn IFirmware.Call(Vcpu vcpu, uint service)
    {
        vcpu.RequestStop(VcpuStop.Limit);
        return FirmwareReturn.Jump;
    }

    public void Dispose()
    {
        foreach (Vcpu vcpu in Vcpus)
            vcpu.Dispose();
        Memory.Dispose();
    }
}
