using System.Collections.Concurrent;
using System.Diagnostics;
using FastXen.Platform.Firmware.Efi;
using FastXen.Xen.Backends;
using FastXen.Xen.Backends.Served;
using FastXen.Xen.EventChannels;
using FastXen.Xen.Memory;
using FastXen.Xen.Pci;
using FastXen.Xen.Physdev;
using FastXen.Xen.Toolstack;
using FastXen.Xen.Xenstore;

namespace FastXen.Xen;

/// <summary>What the paravirtualized domains of the process have in common.</summary>
public sealed class XenHost : IDisposable
{
    private readonly long _start = Stopwatch.GetTimestamp();
    private readonly ConcurrentDictionary<XenDomain, ParavirtualMachine> _machines = new();
    private readonly Lazy<XenstoreService> _store;
    private readonly Lazy<DriverDomain> _devices;
    private readonly Lazy<ServedDevices> _served;

    /// <summary>A host without domains.</summary>
    public XenHost()
    {
        _store = new Lazy<XenstoreService>(() => new XenstoreService(Directory, new XenstoreServer())
        {
            Failed = (domain, e) => MachineOf(domain)?.Fail($"internal error in the store: {e}"),
        });
        _devices = new Lazy<DriverDomain>(() => new DriverDomain(Store.Server));
        _served = new Lazy<ServedDevices>(() => new ServedDevices(Store.Server));
        Pci = new MachinePci(this);
    }

    /// <summary>The domains.</summary>
    public DomainDirectory Directory { get; } = new();

    /// <summary>The machine frames.</summary>
    public MachineFrames Frames { get; } = new();

    /// <summary>The store; it begins when it is first asked for.</summary>
    public XenstoreService Store => _store.Value;

    /// <summary>The devices that the host gives to domains; it begins when it is first asked for.</summary>
    public DriverDomain Devices => _devices.Value;

    /// <summary>The devices that domains serve one another.</summary>
    public ServedDevices Served => _served.Value;

    /// <summary>Who makes, pauses and ends domains for a toolstack in a domain; null: nobody.</summary>
    public IDomainControl? Control { get; set; }

    /// <summary>The machine's interrupt lines.</summary>
    public MachineInterrupts Interrupts { get; } = new();

    /// <summary>The machine's PCI bus.</summary>
    public MachinePci Pci { get; }

    /// <summary>The hypervisor's own messages.</summary>
    public ConsoleLog Console { get; } = new();

    /// <summary>The machine's clock: that of the host until dom0 sets it.</summary>
    internal EfiClockServices Clock { get; } = new(new RealTimeClock(TimeProvider.System));

    /// <summary>Nanoseconds since the host began: Xen's system time.</summary>
    public ulong SystemTime => SystemTimeAt(Stopwatch.GetTimestamp());

    /// <summary>Xen's system time at a timestamp of <see cref="Stopwatch"/>, which counts nanoseconds on Linux.</summary>
    public ulong SystemTimeAt(long timestamp) => (ulong)Math.Max(timestamp - _start, 0);

    /// <summary>The machine of a domain, or null where it is gone.</summary>
    public ParavirtualMachine? MachineOf(XenDomain domain) => _machines.GetValueOrDefault(domain);

    /// <summary>Tells the privileged domains that a domain ended, or wants to be looked at (VIRQ_DOM_EXC).</summary>
    public void TellOfDomain()
    {
        foreach (XenDomain domain in Directory.All)
        {
            if (!domain.IsPrivileged || !domain.Memory.TryEnter())
                continue;
            domain.EventChannels.SendVirq(Virq.DomainException);
            domain.Memory.Leave();
        }
    }

    internal void Add(ParavirtualMachine machine) => _machines[machine.Domain] = machine;

    internal void Remove(ParavirtualMachine machine) => _machines.TryRemove(machine.Domain, out _);

    /// <summary>Ends the host's services. After its domains.</summary>
    public void Dispose()
    {
        if (_devices.IsValueCreated)
            Devices.Dispose();
        if (_store.IsValueCreated)
            Store.Dispose();
    }
}
