using System.Diagnostics;
using System.Runtime.InteropServices;
using FastXen.Core;
using FastXen.Core.Interpret;
using FastXen.Core.State;
using FastXen.Mmu;
using FastXen.Xen.Firmware;
using FastXen.Xen.Memory;
using FastXen.Xen.Processor.Fast;

namespace FastXen.Xen.Processor;

/// <summary>How a vCPU starts: its entry (a guest physical address), r1, b0 and r28.</summary>
internal sealed record VcpuStart(ulong Entry, ulong Gp = 0, ulong ReturnsTo = 0, ulong BootParameter = 0);

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
    private VcpuTimers? _timers;
    private VcpuStart? _start;
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
        _state->Down = 1;
        _state->Registers = (MappedRegisters*)machine.Domain.Memory.AddFixed(RegistersFrame);
        _state->Info = (VcpuInfo*)(machine.SharedInfo + VcpuInfo.Bytes * number);
        processor.State->Hypervisor = HypervisorEntry.Table;
        processor.State->Hypervised = _state;
        processor.Code.Breaks ??= new FastBreaks();
    }

    /// <summary>The machine that it is part of.</summary>
    public ParavirtualMachine Machine { get; }

    /// <summary>Its number, from 0.</summary>
    public int Number { get; }

    /// <summary>The processor.</summary>
    public Vcpu Processor { get; }

    /// <summary>True from its start until it goes down. Any thread.</summary>
    public bool IsUp => Volatile.Read(ref _state->Down) == 0;

    /// <summary>It was started once, so that there is something that can go on.</summary>
    public bool IsInitialized => Volatile.Read(ref _start) != null;

    /// <summary>How it was started last; null where it never was.</summary>
    internal VcpuStart? StartState => Volatile.Read(ref _start);

    /// <summary>What it is doing, and where its time went.</summary>
    internal Runstate Runstate { get; } = new();

    /// <summary>Where the guest sees its runstate; null where it did not ask.</summary>
    internal GuestBuffer? RunstateArea { get; private set; }

    /// <summary>The timers that it sets by vcpu_op.</summary>
    internal VcpuTimers Timers
    {
        get
        {
            if (Volatile.Read(ref _timers) is { } made)
                return made;
            var timers = new VcpuTimers(Machine.Domain.EventChannels, Number);
            if (Interlocked.CompareExchange(ref _timers, timers, null) is not { } other)
                return timers;
            timers.Dispose();
            return other;
        }
    }

    internal ParavirtualState* State => _state;

    /// <summary>Its last hypercalls, a line for each; empty where there was none. While it does not run.</summary>
    public string RecentHypercalls => _state->Recent.ToText();

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
        VcpuState* s = Processor.State;
        Processor.Restart();
        s->ItcFrequency = FirmwareServices.ItcFrequency;
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
        // What came before stays pending: the boot processor binds the channels of another before it starts it.
        _state->Info->UpcallMask = 1;
        s->Ar[Ar.Rsc] = (ulong)ParavirtualState.KernelLevel << 2;
        s->Ar[Ar.Fpsr] = 0x0009_804c_0270_033f;
        // Speculative loads defer what the guest's DCR would let them.
        s->Cr[Cr.Dcr] = 0x7f00;
        const ulong Psr0 = Psr.Ac | Psr.Ic | Psr.Bn;
        VirtualPsr.Share(s, _state, Psr0);
        VirtualPsr.LoadRegions(s, _state);
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

    /// <summary>
    /// Starts it where it is down, as the firmware does: it begins anew at its next look-point, on its own thread. False where it is up. One caller at a time.
    /// </summary>
    internal bool Start(VcpuStart start)
    {
        if (IsUp)
            return false;
        Volatile.Write(ref _start, start);
        Volatile.Write(ref _state->Restarts, 1);
        return BringUp();
    }

    /// <summary>VCPUOP_up: it goes on where it went down. False where it never started.</summary>
    internal bool BringUp()
    {
        if (!IsInitialized)
            return false;
        if (Interlocked.Exchange(ref _state->Down, 0) != 0)
            Processor.PostInterrupt(EventRequest);
        return true;
    }

    /// <summary>It goes down at its next look-point, and waits there. Any thread.</summary>
    internal void TakeDown()
    {
        if (Interlocked.Exchange(ref _state->Down, 1) == 0)
            Processor.PostInterrupt(EventRequest);
    }

    /// <summary>The vCPU's state was restored: as which it goes on. Not while it runs.</summary>
    internal void Take(VcpuStart? start, int down, int restarts)
    {
        _start = start;
        _state->Restarts = restarts;
        Volatile.Write(ref _state->Down, start == null ? 1 : down);
    }

    /// <summary>At a look-point of a vCPU that is down, or is to begin anew: false where it has to wait.</summary>
    internal bool Resume()
    {
        if (!IsUp)
        {
            Processor.WaitForInterrupt();
            return false;
        }

        if (Interlocked.Exchange(ref _state->Restarts, 0) != 0)
            Begin(_start!);
        return true;
    }

    /// <summary>Sets its registers for a start. Not while it runs, or at a look-point of its own.</summary>
    internal void Begin(VcpuStart start)
    {
        Volatile.Write(ref _start, start);
        Initialize(start.Entry);
        VcpuState* s = Processor.State;
        s->Gr[1] = start.Gp;
        s->Gr[28] = start.BootParameter;
        s->Br[0] = start.ReturnsTo;
    }

    /// <summary>Its time in nanoseconds: the system's, or its own where time follows its instructions.</summary>
    internal ulong Time => Processor.State->Deterministic != 0 ? Clock.Time(Processor.State) : Machine.Hypervisor.SystemTime;

    /// <summary>A slice begins.</summary>
    internal void Entered()
    {
        ulong now = Time;
        if (Runstate.State == RunstateKind.Blocked)
        {
            long timestamp = Stopwatch.GetTimestamp();
            Runstate.Enter(RunstateKind.Runnable, now - (ulong)(timestamp - Processor.RunnableSince(timestamp)));
        }

        Runstate.Enter(RunstateKind.Running, now);
        WriteRunstate();
    }

    /// <summary>A slice ends.</summary>
    internal void Left(VcpuPause pause) => Runstate.Enter(pause switch
    {
        _ when !IsUp => RunstateKind.Offline,
        VcpuPause.Blocked => RunstateKind.Blocked,
        VcpuPause.Stopped => RunstateKind.Offline,
        _ => RunstateKind.Runnable,
    }, Time);

    /// <summary>Shows its runstate in the guest's memory from now on. False where that is not memory.</summary>
    internal bool ShowRunstate(GuestBuffer area)
    {
        RunstateArea = area;
        return WriteRunstate();
    }

    private bool WriteRunstate()
    {
        RunstateInfo info = Runstate.AtChange;
        return RunstateArea is not { } area || area.Write(new ReadOnlySpan<byte>(&info, sizeof(RunstateInfo)));
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
        _timers?.Dispose();
        Processor.Dispose();
        NativeMemory.AlignedFree(_state);
        _state = null;
        _handle.Free();
    }
}
