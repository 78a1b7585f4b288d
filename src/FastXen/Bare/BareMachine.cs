using FastXen.Core;
using FastXen.Core.Interpret;
using FastXen.Core.State;
using FastXen.Mmu;

namespace FastXen.Bare;

/// <summary>
/// A processor with 64 MiB of memory and nothing else: no firmware, no devices, a clock that counts instructions. It runs code
/// until it reaches an address or has run a number of bundles.
/// </summary>
internal sealed unsafe class BareMachine : IDisposable
{
    /// <summary>Bytes of memory, from address 0.</summary>
    public const ulong MemorySize = 64UL << 20;

    // One page of 64 MiB at address 0: write back, accessed, dirty, every access at every privilege level.
    private const ulong IdentityItir = 26 << 2;
    private const ulong IdentityPte = 1 | 1 << 5 | 1 << 6 | 3 << 7 | 3 << 9;

    private readonly PhysicalMemory _memory;
    private readonly Vcpu _vcpu;

    // br.sptk.few to itself.
    private const ulong HereLow = 0x0000_0001_0000_0011, HereHigh = 0x4000_0000_0000_0200;

    /// <summary>Makes a machine in the reset state, its memory zero. A translator translates all that it comes to.</summary>
    public BareMachine(EngineKind engine = EngineKind.Interpreter)
    {
        _memory = new PhysicalMemory(MemorySize);
        _memory.AddRam(0, MemorySize);
        _vcpu = new Vcpu(_memory, deterministic: true) { Engine = engine, TranslatorOptions = new() { Threshold = 1 } };
    }

    /// <summary>The processor.</summary>
    public Vcpu Processor => _vcpu;

    /// <summary>The registers of a processor in the reset state.</summary>
    public static ProcessorImage ResetState()
    {
        using var machine = new BareMachine();
        return machine.Capture();
    }

    /// <summary>Bytes of the memory.</summary>
    public ReadOnlySpan<byte> Memory(ulong address, int length) =>
        _memory.TryGetSpan(address, length, out Span<byte> span) ? span : throw new ArgumentOutOfRangeException(nameof(address));

    /// <summary>Writes memory.</summary>
    public void Write(ulong address, ReadOnlySpan<byte> bytes)
    {
        if (!_memory.TryGetSpan(address, bytes.Length, out Span<byte> span))
            throw new ArgumentOutOfRangeException(nameof(address));
        bytes.CopyTo(span);
        _memory.NotifyWritten(address, (ulong)bytes.Length);
    }

    /// <summary>Resets the processor and gives it the registers of <paramref name="image"/>.</summary>
    /// <param name="image">The registers; no stacked register is dirty.</param>
    /// <param name="mapped">True: translation registers map all memory onto itself.</param>
    public void Load(ProcessorImage image, bool mapped)
    {
        _vcpu.Reset();
        VcpuState* s = _vcpu.State;
        for (int region = 0; region < 8; region++)
            _ = MmuRegisters.SetRr(s->Mmu, (ulong)region << 61, image.Rr[region]);
        if (image.Cr[Cr.Pta] != s->Mmu->Pta)
            _ = MmuRegisters.SetPta(s->Mmu, image.Cr[Cr.Pta]);
        if (mapped)
        {
            _ = Tlb.InsertInstructionRegister(s->Mmu, 0, 0, IdentityItir, IdentityPte);
            _ = Tlb.InsertDataRegister(s->Mmu, 0, 0, IdentityItir, IdentityPte);
        }
        ProcessorStatus.Set(s, image.Psr & ~Psr.Ri);
        LoadRegisters(s, image);
        AddressSpace.SelectMode(s);
        s->Ip = image.Ip;
        s->Slot = (int)(image.Psr >> Psr.RiShift) & 3;
    }

    /// <summary>
    /// Runs until the next bundle is at one of <paramref name="stops"/>, or <paramref name="maximum"/> bundles ran, or the processor stopped itself.
    /// </summary>
    /// <returns>Whether a stop was reached, and the number of bundles.</returns>
    public (bool Reached, ulong Steps) Run(ReadOnlySpan<ulong> stops, ulong maximum)
    {
        if (_vcpu.Engine == EngineKind.Translator)
            return RunTranslated(stops, maximum);
        VcpuState* s = _vcpu.State;
        for (ulong steps = 0; ;)
        {
            if (s->Slot == 0 && stops.Contains(s->Ip))
                return (true, steps);
            if (steps >= maximum || _vcpu.StopReason != VcpuStop.None)
                return (false, steps);
            Interpreter.StepBundle(s);
            steps++;
        }
    }

    // A translator stops at look-points only.
    private (bool Reached, ulong Steps) RunTranslated(ReadOnlySpan<ulong> stops, ulong maximum)
    {
        StayAt(stops);

        VcpuState* s = _vcpu.State;
        while (!(s->Slot == 0 && stops.Contains(s->Ip)))
        {
            if (s->Retired >= maximum * 3 || _vcpu.StopReason != VcpuStop.None)
                return (false, s->Retired / 3);
            _vcpu.RunLimit = s->Retired + 1;
            _vcpu.Run();
        }

        return (true, s->Retired / 3);
    }

    /// <summary>
    /// Puts branches to themselves at addresses where a run is to end, and at the interruption vectors (faults do not retire: a
    /// limit of instructions would not end a storm of them).
    /// </summary>
    public void StayAt(ReadOnlySpan<ulong> stops)
    {
        ulong iva = _vcpu.State->Cr[Cr.Iva];
        for (ulong vector = iva; vector < iva + 0x8000; vector += 0x100)
            StayAt(vector);
        foreach (ulong stop in stops)
            StayAt(stop);
    }

    private void StayAt(ulong address)
    {
        if (!_memory.IsRam(address, 16))
            return;
        _memory.Write(address, HereLow);
        _memory.Write(address + 8, HereHigh);
        _memory.NotifyWritten(address, 16);
    }

    /// <summary>The registers as they are now.</summary>
    public ProcessorImage Capture()
    {
        VcpuState* s = _vcpu.State;
        var image = new ProcessorImage { Ip = s->Ip, Psr = s->PsrValue | (ulong)s->Slot << Psr.RiShift, Cfm = s->Cfm };
        image.Pr = Rse.PhysicalPr(s);
        for (uint r = 0; r < 128; r++)
        {
            uint name = RotatedGr(s->Cfm, r);
            image.Gr[r] = Registers.Gr(s, name);
            image.Nat[r] = Registers.Nat(s, name) != 0;
            image.Fr[r] = *Registers.Fr(s, RotatedFr(s->Cfm, r));
        }
        for (int b = 0; b < 8; b++)
        {
            image.Br[b] = s->Br[b];
            image.Rr[b] = s->Mmu->Rr[b];
        }
        for (int n = 0; n < 128; n++)
        {
            image.Ar[n] = s->Ar[n];
            image.Cr[n] = s->Cr[n];
        }
        image.Ar[Ar.Bsp] = Rse.Bsp(s);
        image.Ar[Ar.BspStore] = s->BspStore;
        image.Ar[Ar.Rnat] = s->Rnat;
        image.Cr[Cr.Pta] = s->Mmu->Pta;
        return image;
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        _vcpu.Dispose();
        _memory.Dispose();
    }

    private static void LoadRegisters(VcpuState* s, ProcessorImage image)
    {
        for (int n = 0; n < 128; n++)
        {
            s->Ar[n] = image.Ar[n];
            s->Cr[n] = image.Cr[n];
        }
        s->BspStore = image.Ar[Ar.BspStore];
        s->Rnat = image.Ar[Ar.Rnat];
        for (int b = 0; b < 8; b++)
            s->Br[b] = image.Br[b];
        for (uint r = 1; r < 128; r++)
            Registers.SetGr(s, r, image.Gr[r], image.Nat[r] ? 1u : 0u);
        for (uint f = 2; f < 128; f++)
            *Registers.Fr(s, f) = image.Fr[f];
        s->Pr = image.Pr;
        // Registers are in place by their names without rotation: entering the frame renames them.
        Rse.Return(s, image.Cfm, 0);
    }

    /// <summary>The name under which the register that is r without rotation goes now.</summary>
    private static uint RotatedGr(ulong cfm, uint r)
    {
        uint rotating = (uint)FrameMarker.Sor(cfm);
        return r - 32 < rotating ? 32 + (r - 32 + rotating - ((uint)(cfm >> 18) & 0x7f)) % rotating : r;
    }

    private static uint RotatedFr(ulong cfm, uint f) => f < 32 ? f : 32 + (f - 32 + 96 - ((uint)(cfm >> 25) & 0x7f)) % 96;
}
