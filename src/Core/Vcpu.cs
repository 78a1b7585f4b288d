using System.Diagnostics;
using System.Runtime.InteropServices;
using FastXen.Core.Decode;
using FastXen.Core.Interpret;
using FastXen.Core.State;
using FastXen.Mmu;

namespace FastXen.Core;

/// <summary>The managed owner of one <see cref="VcpuState"/>: everything that the slow paths need.</summary>
public sealed unsafe partial class Vcpu : IDisposable
{
    private readonly GCHandle handle;

    /// <summary>The unmanaged state.</summary>
    public VcpuState* State { get; private set; }

    /// <summary>The domain's physical address space.</summary>
    public PhysicalMemory Memory { get; }

    /// <summary>Decoded and translated code, which is the domain's.</summary>
    public DomainCode Code { get; }

    /// <summary>Firmware services, or null on a bare machine.</summary>
    public IFirmware? Firmware { get; set; }

    /// <summary>The engine of the next <see cref="Run"/>.</summary>
    public EngineKind Engine { get; set; }

    /// <summary>How the translator works, for all vCPUs of the domain; to be set before the first <see cref="Run"/> of any.</summary>
    public TranslatorOptions TranslatorOptions
    {
        get => Code.TranslatorOptions;
        set => Code.TranslatorOptions = value;
    }

    /// <summary>What the translator did for all vCPUs of the domain; null where it never ran.</summary>
    public TranslatorStatistics? TranslatorStatistics => Code.Statistics;

    /// <summary>The translated regions in which most instructions ran, with <see cref="TranslatorOptions.Profile"/>. Not while a vCPU of the domain runs.</summary>
    public IReadOnlyList<RegionProfile> TranslatorProfile(int count) => Code.TranslatorOrNull?.Profile(count) ?? [];

    /// <summary>Shows the translated regions that hold a bundle. Not while a vCPU of the domain runs.</summary>
    public void VisitTranslations(ulong address, Action<TranslatedRegion> visitor) => Code.TranslatorOrNull?.Visit(address, visitor);

    /// <summary>
    /// Makes a vCPU in the reset state. <paramref name="deterministic"/>: AR.ITC counts retired slots. <paramref name="domain"/>: the processors that share
    /// its memory; null where it is alone.
    /// </summary>
    public Vcpu(PhysicalMemory memory, bool deterministic = false, CoherenceDomain? domain = null)
    {
        Domain = domain ?? new CoherenceDomain();
        Memory = memory;
        Code = Domain.CodeOf(memory);
        handle = GCHandle.Alloc(this);
        State = VcpuAllocation.Allocate();
        State->Owner = GCHandle.ToIntPtr(handle);
        State->MemoryBase = memory.Base;
        State->Deterministic = deterministic ? 1u : 0u;
        State->ClockStart = Stopwatch.GetTimestamp();
        State->ItcFrequency = Clock.ItcFrequency;
        State->Mmu = MmuState.Allocate();
        Code.Add(State);
        Reset();
        Domain.Add(this);
    }

    /// <summary>The owner of a state.</summary>
    public static Vcpu Of(VcpuState* s) => (Vcpu)GCHandle.FromIntPtr(s->Owner).Target!;

    /// <summary>Puts the processor into the reset state: registers, translations, decoded code, requests.</summary>
    public void Reset()
    {
        ResetRegisters();
        for (int word = 0; word < 4; word++)
            State->Irr[word] = 0;
        Code.Clear();
        stop = 0;
        waiting = preempted = started = false;
    }

    /// <summary>
    /// Registers and translations as after a reset, while the domain lives on: its time, its code and what is asked of this vCPU stay. At a look-point of its own
    /// thread, or while it does not run.
    /// </summary>
    public void Restart()
    {
        (ulong retired, ulong idleTime, ulong deadline) = (State->Retired, State->IdleTime, State->Deadline);
        ResetRegisters();
        (State->Retired, State->IdleTime, State->Deadline) = (retired, idleTime, deadline);
    }

    private void ResetRegisters()
    {
        VcpuAllocation.Reset(State);
        State->FetchVa = CodePage.NoAddress;
        for (int word = 0; word < 4; word++)
            State->InService[word] = 0;
        State->Careful = 0;
        State->IcInFlight = 0;
        State->ItmFired = 1;
        State->Cr[Cr.Itv] = State->Cr[Cr.Pmv] = State->Cr[Cr.Cmcv] = State->Cr[Cr.Lrr0] = State->Cr[Cr.Lrr1] = 0x1_0000;
        AddressSpace.Reset(State);
    }

    /// <summary>
    /// Copies guest-virtual memory as the vCPU would see it now (data translation by PSR.dt, at CPL 0), for firmware services with pointer arguments.
    /// False when some byte is not mapped to RAM; no fault is delivered.
    /// </summary>
    public bool TryRead(ulong address, Span<byte> destination)
    {
        while (destination.Length > 0)
        {
            int part = (int)Math.Min((ulong)destination.Length, CodePage.Size - (address & 0xFFF));
            if (!AddressSpace.TryLocate(State, address, write: false, out ulong physical) || !Memory.TryGetSpan(physical, part, out Span<byte> source))
                return false;
            source.CopyTo(destination);
            destination = destination[part..];
            address += (ulong)part;
        }

        return true;
    }

    /// <summary>As <see cref="TryRead"/>, writing.</summary>
    public bool TryWrite(ulong address, ReadOnlySpan<byte> source)
    {
        while (source.Length > 0)
        {
            int part = (int)Math.Min((ulong)source.Length, CodePage.Size - (address & 0xFFF));
            if (!AddressSpace.TryLocate(State, address, write: true, out ulong physical) || !Memory.TryGetSpan(physical, part, out Span<byte> target))
                return false;
            source[..part].CopyTo(target);
            source = source[part..];
            address += (ulong)part;
        }

        return true;
    }

    /// <summary>Reads register r32 + <paramref name="index"/> (stacked argument), 0 to 7.</summary>
    public ulong Argument(int index) => State->FrameBase[32 + index];

    /// <summary>Drops all decoded code and fast translations (PAL cache services).</summary>
    public void FlushTranslations()
    {
        Code.Clear();
        FastTlb.Clear(State->Mmu);
    }

    /// <summary>A firmware break: false when this is none of the firmware's bundles.</summary>
    internal bool CallFirmware(Instruction* i, out int step)
    {
        step = Step.Next;
        ulong bundle = CodePosition.Bundle(State, i);
        if (Firmware is null || !Firmware.IsFirmware(State->CodePa | (bundle & 0xFFF)))
            return false;
        State->Ip = bundle;
        State->Slot = CodePosition.Slot(i);
        switch (CallTraced(Firmware, (uint)i->Immediate - FirmwareBreak.Base))
        {
            case FirmwareReturn.Branch:
                State->Ip = State->Br[0] & ~0xFUL;
                State->Slot = 0;
                step = Step.Redirect;
                break;
            case FirmwareReturn.Return:
                step = Branches.ReturnTo(State, i, 0);
                break;
            default:
                step = Step.Redirect;
                break;
        }

        State->Deadline = 0;
        return true;
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        if (State == null)
            return;
        dispatcher?.Dispose();
        Code.Remove(State);
        Domain.Remove(this);
        MmuState.Free(State->Mmu);
        VcpuAllocation.Free(State);
        State = null;
        handle.Free();
    }
}
