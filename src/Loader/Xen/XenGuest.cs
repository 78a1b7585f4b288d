using FastXen.Loader.Configuration;
using FastXen.Loader.Images;
using FastXen.Loader.Machines;
using FastXen.Platform.Uart;
using FastXen.Xen;
using FastXen.Xen.Backends.Block;
using FastXen.Xen.Backends.Net;
using FastXen.Xen.Boot;
using FastXen.Xen.Console;
using FastXen.Xen.EventChannels;
using FastXen.Xen.Xenstore;

namespace FastXen.Loader.Xen;

/// <summary>A guest on the Xen/ia64 interface: its images and devices, and the building of its domain.</summary>
internal sealed class XenGuest : IGuest
{
    private readonly DomainSurroundings _surroundings;
    private readonly XenHost _host;
    private readonly GuestConfig _config;
    private readonly Action<string> _report;
    private readonly KernelImage _kernel;
    private readonly RamDisk? _initrd;
    private readonly ulong _entry;
    private readonly DeviceBackends _devices;

    public XenGuest(DomainSurroundings surroundings, GuestConfig config, Action<string> report)
    {
        _surroundings = surroundings;
        _host = surroundings.Xen();
        _config = config;
        _report = report;
        MemoryLayout layout = DomainLayout.Of(config);
        _kernel = KernelImage.Open(config.Kernel);
        _kernel.CheckFits(layout);
        _entry = _kernel.ReadXenEntry();
        if (config.Initrd is { } initrd) _initrd = RamDisk.Place(initrd, layout, _kernel);
        _devices = new DeviceBackends(config, surroundings.Switches, report);
    }

    public IGuestMachine PowerOn(int number, ICharacterBackend console)
    {
        HostConsole end = new(console);
        ParavirtualMachine machine = new(_host, (ushort)number, new ParavirtualConfiguration
        {
            Memory = _config.Memory,
            Vcpus = _config.Vcpus,
            Engine = _config.Engine,
            Translator = _surroundings.Translator,
            IsPrivileged = _config.IsPrivileged,
            Console = _config.IsPrivileged ? end : new GuestLog(number, _surroundings.Log),
            Report = _report,
        });
        XenGuestMachine guest = new(machine, end, _report);
        try
        {
            Boot(machine, end);
            return guest;
        }
        catch
        {
            guest.Dispose();
            throw;
        }
    }

    private void Boot(ParavirtualMachine machine, HostConsole console)
    {
        _kernel.Load(machine.Arena);
        _initrd?.Load(machine.Arena);
        EventChannelTable channels = machine.Domain.EventChannels;
        // In the name of domain 0, where the store and the consoles' server are on every Xen. dom0's own console is the hypervisor's.
        int storePort = channels.AllocateUnbound(0), consolePort = _config.IsPrivileged ? 0 : channels.AllocateUnbound(0);
        ulong storeFrame = DomainBuilder.StoreFrame(machine), consoleFrame = DomainBuilder.ConsoleFrame(machine);
        console.Open(machine, consoleFrame, consolePort);
        new DomainHome
        {
            Domain = machine.Domain.Id,
            Name = _config.Name,
            Memory = _config.Memory,
            Vcpus = _config.Vcpus,
            Console = consolePort == 0 ? null : (consoleFrame, consolePort),
            Store = (storeFrame, storePort),
        }.Write(_host.Store.Server);
        AttachDevices(machine.Domain);
        DomainBuilder.Boot(machine, new DomainImage(_entry, _config.CommandLine, _initrd?.Memory.Start ?? 0, _initrd?.Memory.Length ?? 0)
        {
            StorePort = storePort,
            ConsolePort = consolePort,
        });
        if (_host.Store.Introduce(machine.Domain.Id, storeFrame, (uint)storePort) is not 0 and var error)
            throw new InvalidOperationException($"domain {machine.Domain.Id} was not introduced to the store: error {error}");
    }

    private void AttachDevices(XenDomain domain)
    {
        for (int i = 0; i < _config.Disks.Count; i++)
        {
            DiskConfig disk = _config.Disks[i];
            string name = disk.Name ?? $"xvd{(char)('a' + i)}";
            _host.Devices.AttachDisk(domain, new DiskAttachment(name, _devices.Disks[i].Backend) { IsReadOnly = disk.ReadOnly, OwnsImage = false });
        }
        for (int i = 0; i < _devices.Networks.Count; i++)
        {
            NetworkEnd end = _devices.Networks[i];
            _host.Devices.AttachNetwork(domain, new NetworkAttachment((uint)i, end.Address) { Switch = end.Switch, Network = end.Backend, OwnsNetwork = false });
        }
    }

    public void Dispose() => _devices.Dispose();
}
