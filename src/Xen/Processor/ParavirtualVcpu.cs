using System.Runtime.InteropServices;
using FastXen.Core;
using FastXen.Core.Interpret;
using FastXen.Core.State;
using FastXen.Mmu;
using FastXen.Xen.Firmware;
using FastXen.Xen.Hypercalls;
using FastXen.Xen.Memory;

namespace FastXen.Xen.Processor;

/// <summary>A vCPU of a paravirtualized domain: the processor, the registers that it shares with its guest, and what the hypervisor keeps of it.</summary>
public sealed unsafe class ParavirtualVcpu : IDisposable
{
    /// <summary>The interrupt request by which other threads have the vCPU look at its event channels: a vector that no guest can use.</summary>
    public const byte EventRequest = 1;

    /// <summary>Where the window with the shared registers is until the guest moves it (XSI_BASE).</summary>
    internal const ulong DefaultWindow = 0xf500_0000_0000_0000;

    [ThreadStatic]
    private static ParavirtualVcpu? t_current;

    private readonly GCHandle _handle;
    private Timer? _alarm;
    private volatile bool _isUp;
    private ParavirtualState* _state;

    /// <summary>Makes a vCPU of a domain; its page of shared registers enters the domain's memory.</summary>
    public ParavirtualVcpu(ParavirtualMachine machine, int number, Vcpu processor)
    {
        Machine = machine;
        Number = number;
        Processor = processor;
        _handle = GCHandle.Alloc(this);
        _state = (ParavirtualState*)NativeMemory.AlignedAlloc((nuint)sizeof(ParavirtualState), 64);
        *_state = default;
        _state->Owner = GCHandle.ToIntPtr(_handle);
        _state->Number = number;
        _state->HypercallImmediate = 0x1000;
        _state->Registers = (MappedRegisters*)machine.Domain.Memory.AddFixed(RegistersFrame);
        _state->Info = (VcpuInfo*)(machine.SharedInfo + VcpuInfo.Bytes * number);
    }

    /// <summary>The machine that it is part of.</summary>
    public ParavirtualMachine Machine { get; }

    /// <summary>Its number, from 0.</summary>
    public int Number { get; }

    /// <summary>The processor.</summary>
    public Vcpu Processor { get; }

    /// <summary>True from its start until it goes down.</summary>
    public bool IsUp
    {
        get => _isUp;
        internal set => _isUp = value;
    }

    /// <summary>True when it was ever brought to a state in which it can run.</summary>
    internal bool IsInitialized { get; private set; }

    /// <summary>Where its runstate goes; null where the guest did not ask.</summary>
    internal GuestBuffer? RunstateArea { get; set; }

    internal ParavirtualState* State => _state;

    /// <summary>Frame number of its shared registers.</summary>
    internal ulong RegistersFrame => Frame.WindowStart + 1 + (ulong)Number;

    /// <summary>The vCPU on whose thread a hypercall that changes a domain's memory is under way; null on other threads.</summary>
    internal static ParavirtualVcpu? Current
    {
        get => t_current;
        set => t_current = value;
    }

    /// <summary>The vCPU of a state.</summary>
    internal static ParavirtualVcpu Of(ParavirtualState* p) => (ParavirtualVcpu)GCHandle.FromIntPtr(p->Owner).Target!;

    /// <summary>
    /// The state in which a vCPU of a domain starts (Xen/ia64: dom_fw, vcpu_init): metaphysical mode at <paramref name="entry"/>, events masked. Not while it runs.
    /// </summary>
    internal void Initialize(ulong entry)
    {
        IsInitialized = true;
        VcpuState* s = Processor.State;
        Processor.Reset();
        s->ItcFrequency = FirmwareServices.ItcFrequency;
        s->Hypervisor = HypervisorEntry.Table;
        s->Hypervised = _state;
        MappedRegisters* x = _state->Registers;
        *x = default;
        _state->Iva = 0;
        _state->EventCallback = 0;
        _state->SignalledItm = 0;
        _state->ContinuesAt = 0;
        _state->TimerExpired = false;
        for (int word = 0; word < 4; word++)
            _state->Irr[word] = _state->InService[word] = 0;
        ref Paravirtual mmu = ref s->Mmu->Paravirtual;
        mmu.Level = ParavirtualState.KernelLevel;
        mmu.Cacher = (uint)Number + 1;
        mmu.SharedInfo = Frame.WindowStart << Frame.Shift;
        mmu.MappedRegisters = RegistersFrame << Frame.Shift;
        mmu.WindowSize = 2 * Paravirtual.HalfWindow;
        if (Number == 0)
            Machine.WindowVa = DefaultWindow;
        MoveWindow();

        for (int region = 0; region < 8; region++)
            _state->RegionRegisters[region] = x->Rr[region] = (ulong)Frame.Shift << 2 | (region < 6 ? 1u : 0);
        x->Pta = s->Mmu->Pta = 15 << 2;
        x->Itv = s->Cr[Cr.Itv] = 1 << 16;
        x->BankNumber = 1;
        _state->Info->UpcallMask = 1;
        _state->Info->UpcallPending = 0;
        s->Ar[Ar.Rsc] = (ulong)ParavirtualState.KernelLevel << 2;
        s->Ar[Ar.Fpsr] = 0x0009_804c_0270_033f;
        // Speculative loads defer what the guest's DCR would let them.
        s->Cr[Cr.Dcr] = 0x7f00;
        const ulong Psr0 = Psr.Ac | Psr.Ic | Psr.Bn;
        VirtualPsr.Share(s, _state, Psr0);
        for (int region = 0; region < 8; region++)
            VirtualPsr.LoadRegion(s, _state, region);
        VirtualPsr.Set(s, Psr0);
        AddressSpace.SelectMode(s);
        s->Ip = entry & ~0xFUL;
        s->Slot = 0;
    }

    /// <summary>The guest moved the window: this vCPU finds it there, too.</summary>
    internal void MoveWindow()
    {
        Processor.State->Mmu->Paravirtual.WindowVa = Machine.WindowVa;
        Processor.State->Mmu->Paravirtual.WindowSize = 2 * Paravirtual.HalfWindow;
        FastTlb.Clear(Processor.State->Mmu);
        _state->Registers->InterruptMaskAddress = Machine.WindowVa + (ulong)(VcpuInfo.Bytes * Number) + 1;
    }

    /// <summary>Waits for an event, unless one is pending. On the vCPU's own thread.</summary>
    internal void Block()
    {
        if (_state->Info->UpcallPending == 0)
            Processor.WaitForInterrupt();
    }

    /// <summary>Its runstate as of now (vcpu.h, <c>vcpu_runstate_info</c>).</summary>
    internal VcpuOp.RunstateInfo Runstate => new() { State = IsUp ? 0 : 3, Since = Machine.Hypervisor.SystemTime };

    /// <summary>Writes the runstate where the guest wants it.</summary>
    internal void UpdateRunstate()
    {
        VcpuOp.RunstateInfo now = Runstate;
        RunstateArea?.Write(new ReadOnlySpan<byte>(&now, sizeof(VcpuOp.RunstateInfo)));
    }

    /// <summary>Waits for the answer to a poll, or until the system time <paramref name="until"/> in nanoseconds (0: without end). On the vCPU's own thread.</summary>
    internal void WaitForPoll(ulong until)
    {
        ulong now = Machine.Hypervisor.SystemTime;
        if (until != 0)
        {
            if (until <= now)
            {
                Machine.Domain.EventChannels.EndPoll(Number);
                return;
            }

            _alarm ??= new Timer(static vcpu => ((ParavirtualVcpu)vcpu!).Processor.PostInterrupt(EventRequest), this, Timeout.Infinite, Timeout.Infinite);
            _alarm.Change((long)Math.Min((until - now + 999_999) / 1_000_000, uint.MaxValue - 1), Timeout.Infinite);
        }

        Processor.WaitForInterrupt();
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        if (_state == null)
            return;
        _alarm?.Dispose();
        Processor.Dispose();
        NativeMemory.AlignedFree(_state);
        _state = null;
        _handle.Free();
    }
}
