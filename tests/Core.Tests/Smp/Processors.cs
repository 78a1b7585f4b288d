using FastXen.Core.Interpret;
using FastXen.Core.State;
using FastXen.Core.Tests.SystemLevel;
using FastXen.Mmu;

namespace FastXen.Core.Tests.Smp;

/// <summary>
/// vCPUs in physical mode that share a memory. A program calls the host by break.m: <see cref="Stop"/> ends the vCPU, <see cref="Wait"/> waits for an
/// interrupt as PAL_HALT_LIGHT does and goes on behind the break.
/// </summary>
internal sealed unsafe class Processors : IDisposable, IFirmware
{
    public const string Stop = "{ .mii; break.m 0x1f0000; nop.i 0; nop.i 0 ;; } ", Wait = "{ .mii; break.m 0x1f0001; nop.i 0; nop.i 0 ;; } ";

    public const ulong Code = 0x10_0000, Data = 0x20_0000;
    private const ulong Iva = 0x1_0000, CodeOfEach = 0x1_0000, Stack = 0x8_0000;

    /// <summary><paramref name="shared"/>: they are the processors of one domain; else each believes itself alone.</summary>
    public Processors(int count, EngineKind engine = EngineKind.Translator, bool deterministic = false, ulong memory = 4 << 20, bool shared = true)
    {
        Memory = new PhysicalMemory(memory);
        Memory.AddRam(0, memory);
        var domain = new CoherenceDomain();
        for (int n = 0; n < count; n++)
            Vcpus.Add(new Vcpu(Memory, deterministic, shared ? domain : null) { Firmware = this, Engine = engine });
        foreach (Vcpu vcpu in Vcpus)
            Restart(vcpu);
        for (ulong vector = 0; vector < 0x8000; vector += 0x100)
            Write(Iva + vector, Stop);
    }

    public PhysicalMemory Memory { get; }

    public List<Vcpu> Vcpus { get; } = [];

    public Vcpu this[int n] => Vcpus[n];

    /// <summary>Where vCPU <paramref name="n"/> starts.</summary>
    public static ulong Entry(int n) => Code + ((ulong)n * CodeOfEach);

    /// <summary>Puts the program of a vCPU into memory.</summary>
    public void Load(int n, string source) => Write(Entry(n), source);

    public void Write(ulong address, string source) => Store(address, Assembly.Of(source));

    public void Store(ulong address, ReadOnlySpan<byte> bytes)
    {
        Assert.True(Memory.TryGetSpan(address, bytes.Length, out Span<byte> span));
        bytes.CopyTo(span);
        Memory.NotifyWritten(address, (ulong)bytes.Length);
    }

    /// <summary>Puts a vCPU back to the start of its program; its translations stay.</summary>
    public void Restart(Vcpu vcpu)
    {
        int n = Vcpus.IndexOf(vcpu);
        VcpuState* s = vcpu.State;
        s->Ip = Entry(n);
        s->Slot = 0;
        s->PsrValue = Psr.Bn;
        s->Cr[Cr.Iva] = Iva;
        s->BspStore = Stack + ((ulong)n * 0x1000);
        AddressSpace.SelectMode(s);
    }

    public void Clear(ulong address, ulong length)
    {
        Assert.True(Memory.TryGetSpan(address, (int)length, out Span<byte> span));
        span.Clear();
    }

    /// <summary>Runs the programs of all vCPUs from their starts, each on a thread of its own, until all have stopped.</summary>
    public void RunAll()
    {
        foreach (Vcpu vcpu in Vcpus)
        {
            vcpu.Reset();
            vcpu.Overcommitted = Vcpus.Count > Environment.ProcessorCount;
            Restart(vcpu);
        }

        // Programs that never end are a failure, not a hang.
        using var guard = new Timer(_ => Vcpus.ForEach(vcpu => vcpu.Crash("the program does not end")), null, 30_000, Timeout.Infinite);
        Thread[] threads = [.. Vcpus.Select(vcpu => new Thread(() => vcpu.Run()))];
        foreach (Thread thread in threads)
            thread.Start();
        foreach (Thread thread in threads)
            thread.Join();
        Assert.All(Vcpus, vcpu => Assert.True(vcpu.StopReason == VcpuStop.Limit, $"{vcpu.StopReason} {vcpu.CrashReason} at 0x{vcpu.State->Ip:x}"));
    }

    public ulong Word(ulong address) => Volatile.Read(ref *(ulong*)(Memory.Base + address));

    public void SetWord(ulong address, ulong value) => Volatile.Write(ref *(ulong*)(Memory.Base + address), value);

    bool IFirmware.IsFirmware(ulong physicalAddress) => true;

    FirmwareReturn IFirmware.Call(Vcpu vcpu, uint service)
    {
        if (service == 0)
        {
            vcpu.RequestStop(VcpuStop.Limit);
        }
        else
        {
            vcpu.State->Ip += 16;
            vcpu.WaitForInterrupt();
        }

        return FirmwareReturn.Jump;
    }

    public void Dispose()
    {
        foreach (Vcpu vcpu in Vcpus)
            vcpu.Dispose();
        Memory.Dispose();
    }
}
