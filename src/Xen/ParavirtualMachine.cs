using FastXen.Core;
using FastXen.Events;
using FastXen.Mmu;
using FastXen.Platform;
using FastXen.Platform.Firmware.Efi;
using FastXen.Xen.Console;
using FastXen.Xen.Firmware;
using FastXen.Xen.Memory;
using FastXen.Xen.Pci;
using FastXen.Xen.Physdev;
using FastXen.Xen.Processor;

namespace FastXen.Xen;

/// <summary>What a paravirtualized domain is made with.</summary>
public sealed record ParavirtualConfiguration
{
    /// <summary>Memory in bytes, a multiple of 64 KiB: what it begins with.</summary>
    public required ulong Memory { get; init; }

    /// <summary>What it may have at most, in bytes, a multiple of 64 KiB: room for its balloon. Null: <see cref="Memory"/>.</summary>
    public ulong? MaximumMemory { get; init; }

    /// <summary>False for a domain that a toolstack builds: it begins without memory and may have none until the toolstack says how much.</summary>
    public bool Populate { get; init; } = true;

    /// <summary>What its frames are taken from; null: its memory has been set aside by whoever makes it.</summary>
    public MemoryBudget? Budget { get; init; }

    /// <summary>vCPUs; 0: <see cref="ParavirtualMachine.SetVcpus"/> makes them.</summary>
    public int Vcpus { get; init; } = 1;

    /// <summary>What executes guest code.</summary>
    public EngineKind Engine { get; init; }

    /// <summary>How the translator works.</summary>
    public TranslatorOptions Translator { get; init; } = new();

    /// <summary>True for a domain whose time follows its instructions.</summary>
    public bool Deterministic { get; init; }

    /// <summary>True for dom0.</summary>
    public bool IsPrivileged { get; init; }

    /// <summary>The machine's EFI variables, which dom0 has; others have none.</summary>
    public VariableStore Variables { get; init; } = new(path: null);

    /// <summary>Where console_io goes and what it reads from, or null.</summary>
    public IHypervisorConsole? Console { get; init; }

    /// <summary>Told, in a sentence, when the guest stops for a reason that it did not ask for.</summary>
    public Action<string> Report { get; init; } = static _ => { };
}

/// <summary>A domain on the Xen/ia64 interface: its memory, vCPUs, channels and grants, and the hypervisor's side of them.</summary>
public sealed unsafe class ParavirtualMachine : IVcpuSignal, IP2mObserver, IDisposable
{
    /// <summary>Ticks a second of a guest's interval time counter.</summary>
    public const ulong ItcFrequency = FirmwareServices.ItcFrequency;

    private readonly PhysicalMemory _arena;
    private readonly CoherenceDomain _coherence = new();
    private volatile ParavirtualVcpu[] _vcpus = [];
    // In whose hypercall the guest shut down.
    private ParavirtualVcpu? _shutDownBy;
    private readonly Lock _starts = new();
    private int _shutdownCode = -1, _isShutDown;
    private DomainPci? _pci;

    /// <summary>Makes the domain with its memory populated and its vCPUs down.</summary>
    public ParavirtualMachine(XenHost host, ushort id, ParavirtualConfiguration configuration)
    {
        Hypervisor = host;
        Configuration = configuration;
        ulong span = configuration.MaximumMemory ?? configuration.Memory;
        if (span < configuration.Memory)
            throw new ArgumentException($"{configuration.Memory >> 20} MiB of memory, {span >> 20} MiB at most", nameof(configuration));
        _arena = new PhysicalMemory(span);
        _arena.AddRam(0, span);
        var memory = new DomainMemory(_arena, host.Frames) { Observer = this, Budget = configuration.Budget };
        Domain = new XenDomain(host.Directory, id, memory, 0, this, configuration.IsPrivileged) { ConventionalEnd = configuration.Memory };
        Domain.EventChannels.PirqController = new DomainInterrupts(host.Interrupts, Domain);
        SharedInfo = memory.OwnFrameToWrite(Frame.WindowStart);
        if (!configuration.Populate)
            memory.Maximum = 0;
        else
            memory.Populate(0, configuration.Memory >> Frame.Shift);
        _arena.Map = new DomainFrameMap(memory, _arena.Base);
        Firmware = new FirmwareServices(this);
        Watchdogs = new Watchdogs(() => Shutdown(Xen.ShutdownReason.Watchdog));
        // Below 4 GiB, where a larger domain has memory.
        if (configuration.IsPrivileged && configuration.Memory <= MaximumPciMemory)
        {
            ShowPci();
            // As Xen does for dom0: the legacy ports are there without being asked for.
            for (ulong gpfn = MachineMap.PortSpace >> Frame.Shift; gpfn < MachineMap.PortSpace + MachineMap.PortSpaceSize >> Frame.Shift; gpfn++)
                memory.AddMmio(gpfn);
        }

        if (configuration.Vcpus != 0)
            SetVcpus(configuration.Vcpus);
        host.Add(this);
    }

    /// <summary>What the domains have in common.</summary>
    public XenHost Hypervisor { get; }

    /// <summary>What the domain was made with.</summary>
    public ParavirtualConfiguration Configuration { get; }

    /// <summary>What other domains see of it.</summary>
    public XenDomain Domain { get; }

    /// <summary>Its vCPUs.</summary>
    public IReadOnlyList<ParavirtualVcpu> Vcpus => _vcpus;

    /// <summary>Guest physical memory from 0 on, for whoever loads images.</summary>
    public PhysicalMemory Arena => _arena;

    /// <summary>Most memory of a domain whose firmware shows PCI devices.</summary>
    public const ulong MaximumPciMemory = MachineMap.PciMemory;

    /// <summary>The machine's devices as the domain has them; null where it never had any.</summary>
    internal DomainPci? Pci => Volatile.Read(ref _pci);

    /// <summary>It has devices on the PCI bus, or has assigned some: it cannot be saved.</summary>
    public bool HasPciDevices => Hypervisor.Pci.HasDevices(this);

    /// <summary>As <see cref="Pci"/>, made where there is none.</summary>
    internal DomainPci ShowPci()
    {
        lock (_starts)
        {
            if (_pci == null)
                Volatile.Write(ref _pci, new DomainPci(_arena, Hypervisor.Interrupts));
            return _pci!;
        }
    }

    /// <summary>Why the guest shut down; null while it did not.</summary>
    public ShutdownReason? ShutdownReason => Volatile.Read(ref _isShutDown) == 0 ? null : (ShutdownReason)_shutdownCode;

    /// <summary>Why a vCPU that has stopped did so: as the guest shut down, if it did.</summary>
    public VcpuStop StopReasonOf(Vcpu processor)
    {
        ArgumentNullException.ThrowIfNull(processor);
        return ShutdownReason is { } reason ? StopOf(reason) : processor.StopReason;
    }

    /// <summary>
    /// A vCPU came up for the first time, and is to be run from now on (also while it is down later: then it waits). Set by whoever runs the vCPUs; called on the
    /// thread of the vCPU that starts it.
    /// </summary>
    public Action<ParavirtualVcpu>? Started { get; set; }

    /// <summary>Called when the guest has shut down, perhaps with no vCPU that could stop; set by whoever runs the vCPUs. It must not block.</summary>
    public Action? HasShutDown { get; set; }

    /// <summary>Makes the vCPUs of a domain that has none, down.</summary>
    public void SetVcpus(int count)
    {
        if (_vcpus.Length != 0)
            throw new InvalidOperationException($"domain {Domain.Id} has {_vcpus.Length} vCPUs already");
        if (count is < 1 or > XenDomain.MaximumVcpus)
            throw new ArgumentOutOfRangeException(nameof(count), $"{count} vCPUs; expected 1 to {XenDomain.MaximumVcpus}");
        var vcpus = new ParavirtualVcpu[count];
        for (int n = 0; n < count; n++)
        {
            var processor = new Vcpu(_arena, Configuration.Deterministic, _coherence)
            {
                Engine = Configuration.Engine,
                TranslatorOptions = Configuration.Translator,
                DomainNumber = Domain.Id,
                Number = n,
            };
            vcpus[n] = new ParavirtualVcpu(this, n, processor);
        }

        _vcpus = vcpus;
        Domain.Vcpus = count;
    }

    /// <summary>The vCPUs that are up, as a set. Any thread.</summary>
    internal ulong UpVcpus
    {
        get
        {
            lock (Registers)
            {
                ulong up = 0;
                foreach (ParavirtualVcpu vcpu in IsDisposed ? [] : _vcpus)
                    up |= (vcpu.IsUp ? 1UL : 0) << vcpu.Number;
                return up;
            }
        }
    }

    internal FirmwareServices Firmware { get; }

    /// <summary>Held while another domain looks at the vCPUs, which exist while the machine is not disposed; no vCPU is waited for meanwhile.</summary>
    internal Lock Registers { get; } = new();

    /// <summary>The vCPUs are gone. Under <see cref="Registers"/>.</summary>
    internal bool IsDisposed { get; private set; }

    internal Watchdogs Watchdogs { get; }

    internal byte* SharedInfo { get; }

    /// <summary>Address of the window with the shared registers, on all vCPUs.</summary>
    internal ulong WindowVa { get; set; }

    /// <inheritdoc/>
    public void Notify(int vcpu) => _vcpus[vcpu].Processor.PostInterrupt(ParavirtualVcpu.EventRequest);

    /// <inheritdoc/>
    public void Changed(ReadOnlySpan<P2mChange> changes)
    {
        Span<FrameCacher> keepers = stackalloc FrameCacher[changes.Length];
        int count = 0;
        foreach (P2mChange change in changes)
        {
            if (change.CachedBy != P2mChange.Nobody)
                keepers[count++] = new FrameCacher(change.CachedBy);
        }

        _coherence.ForgetFrames(ParavirtualVcpu.Current?.Processor, keepers[..count]);
    }

    /// <summary>The guest, or a toolstack, ended the domain. A reason that was told before is the one that counts.</summary>
    public void Shutdown(ShutdownReason reason, ParavirtualVcpu? by = null)
    {
        reason = SetShutdownCode(reason);
        if (Interlocked.Exchange(ref _isShutDown, 1) != 0)
            return;
        _shutDownBy = by;
        VcpuStop stop = StopOf(reason);
        if (reason != Xen.ShutdownReason.Suspend || Domain.SuspendPort == 0 || Domain.EventChannels.Send(Domain.SuspendPort) != 0)
            Hypervisor.TellOfDomain();
        if (stop == VcpuStop.Crashed)
            Configuration.Report(reason == Xen.ShutdownReason.Watchdog ? "the guest did not feed its watchdog" : "the guest says that it crashed");
        foreach (ParavirtualVcpu vcpu in _vcpus)
            vcpu.Processor.RequestStop(stop);
        HasShutDown?.Invoke();
    }

    /// <summary>A part of the host that serves the domain broke: it ends as crashed, for this reason. Any thread.</summary>
    public void Fail(string reason)
    {
        if (_vcpus is [var first, ..])
            first.Processor.Crash(reason);
        else
            Configuration.Report(reason);
    }

    /// <summary>
    /// A guest that suspended itself goes on here: its hypercall answers 1, the save was called off. While no vCPU runs. An <see cref="InvalidOperationException"/>
    /// where it has not suspended itself.
    /// </summary>
    public void Resume()
    {
        if (ShutdownReason != Xen.ShutdownReason.Suspend)
            throw new InvalidOperationException($"domain {Domain.Id} has not suspended itself");
        foreach (ParavirtualVcpu vcpu in _vcpus)
            vcpu.Processor.WithdrawStop();
        if (_shutDownBy is { } caller)
            Core.State.Registers.SetGr(caller.Processor.State, 8, 1);
        _shutDownBy = null;
        _shutdownCode = -1;
        Volatile.Write(ref _isShutDown, 0);
    }

    /// <summary>SCHEDOP_shutdown_code: the reason of a shutdown that is to come, unless one was told before. Returns the one that counts.</summary>
    internal ShutdownReason SetShutdownCode(ShutdownReason reason)
    {
        int before = Interlocked.CompareExchange(ref _shutdownCode, (byte)reason, -1);
        return before == -1 ? (ShutdownReason)(byte)reason : (ShutdownReason)before;
    }

    private static VcpuStop StopOf(ShutdownReason reason) => reason switch
    {
        Xen.ShutdownReason.PowerOff => VcpuStop.PowerOff,
        Xen.ShutdownReason.Reboot => VcpuStop.Reboot,
        Xen.ShutdownReason.Suspend => VcpuStop.Halted,
        _ => VcpuStop.Crashed,
    };

    /// <summary>Starts a vCPU that is down at <paramref name="entry"/> (a guest physical address); false where it is up.</summary>
    internal bool Start(ParavirtualVcpu vcpu, ulong entry, ulong gp)
    {
        lock (_starts)
        {
            bool isFirst = !vcpu.IsInitialized;
            if (!vcpu.Start(new VcpuStart(entry, gp, FirmwareLayout.SalReturn)))
                return false;
            if (isFirst)
                Started?.Invoke(vcpu);
            return true;
        }
    }

    /// <summary>A vCPU that never ran has the registers that it starts with; up, or down until the firmware's interrupt.</summary>
    internal void Introduce(ParavirtualVcpu vcpu, bool isUp)
    {
        lock (_starts)
        {
            if (isUp)
                vcpu.BringUp();
            Started?.Invoke(vcpu);
        }
    }

    /// <summary>Starts vCPU 0 at the kernel's entry, with r28 as its boot parameter's address.</summary>
    public void Boot(ulong entry, ulong bootParameter)
    {
        ParavirtualVcpu first = _vcpus[0];
        first.Start(new VcpuStart(entry, BootParameter: bootParameter));
        Started?.Invoke(first);
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        Hypervisor.Remove(this);
        Hypervisor.Pci.Release(this);
        Watchdogs.Dispose();
        lock (Registers)
        {
            IsDisposed = true;
            foreach (ParavirtualVcpu vcpu in _vcpus)
                vcpu.Dispose();
        }

        Domain.Destroy();
        Hypervisor.Interrupts.Release(Domain);
        Hypervisor.TellOfDomain();
    }
}
