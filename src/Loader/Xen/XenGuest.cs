using FastXen.Loader.Configuration;
using FastXen.Loader.Images;
using FastXen.Loader.Machines;
using FastXen.Platform;
using FastXen.Platform.Block;
using FastXen.Platform.Firmware.Efi;
using FastXen.Platform.Net;
using FastXen.Platform.Uart;
using FastXen.Platform.Virtio;
using FastXen.Xen;
using FastXen.Xen.Backends.Block;
using FastXen.Xen.Backends.Net;
using FastXen.Xen.Backends.Served;
using FastXen.Xen.Boot;
using FastXen.Xen.Console;
using FastXen.Xen.EventChannels;
using FastXen.Xen.Migration;
using FastXen.Xen.Pci;
using FastXen.Xen.Xenstore;

namespace FastXen.Loader.Xen;

/// <summary>A guest on the Xen/ia64 interface: its images and devices, and the building of its domain.</summary>
internal sealed class XenGuest : IGuest
{
    private readonly DomainSurroundings _surroundings;
    private readonly XenHost _host;
    private readonly GuestConfig _config;
    private readonly Action<string> _report;
    private readonly DeviceBackends _devices;
    private readonly VariableStore _variables;
    private Images? _images;
    private string? _restoreFrom;
    private Action<string, Exception> _failed = static (_, _) => { };

    public XenGuest(DomainSurroundings surroundings, GuestConfig config, Action<string> report)
    {
        _surroundings = surroundings;
        _host = surroundings.Xen();
        _config = config;
        _report = report;
        _restoreFrom = config.RestoreFrom;
        // One that goes on needs its images only when it reboots.
        if (_restoreFrom is null) _images = OpenImages();
        _variables = OpenVariables(config.EfiVariables);
        _devices = new DeviceBackends(config, surroundings.Switches, report);
    }

    private static VariableStore OpenVariables(string? path)
    {
        try
        {
            return new VariableStore(path);
        }
        catch (InvalidDataException e)
        {
            throw new DeviceException(e);
        }
    }

    private sealed record Images(KernelImage Kernel, ulong Entry, RamDisk? Initrd);

    private Images OpenImages()
    {
        MemoryLayout layout = DomainLayout.Of(_config);
        KernelImage kernel = KernelImage.Open(_config.Kernel);
        kernel.CheckFits(layout);
        return new Images(kernel, kernel.ReadXenEntry(), _config.Initrd is { } initrd ? RamDisk.Place(initrd, layout, kernel) : null);
    }

    public Action<string, Exception> Failed
    {
        set
        {
            _failed = value;
            _devices.Failed = value;
        }
    }

    public IGuestMachine PowerOn(int number, ICharacterBackend console)
    {
        HostConsole end = new(console) { Failed = e => _failed("the console", e) };
        ParavirtualConfiguration Complete(ParavirtualConfiguration sizes) => sizes with
        {
            Engine = _config.Engine,
            Translator = _surroundings.Translator,
            IsPrivileged = _config.IsPrivileged,
            Variables = _variables,
            Console = _config.IsPrivileged ? end : new GuestLog(number, _surroundings.Log),
            Report = _report,
        };
        string? restoreFrom = _restoreFrom;
        _restoreFrom = null;
        if (restoreFrom is not null) return Restore(restoreFrom, number, Complete, end);
        ParavirtualMachine machine = new(_host, (ushort)number, Complete(new ParavirtualConfiguration { Memory = _config.Memory, Vcpus = _config.Vcpus }));
        return Own(machine, end, () => Boot(machine, end));
    }

    private XenGuestMachine Restore(string path, int number, Func<ParavirtualConfiguration, ParavirtualConfiguration> complete, HostConsole console)
    {
        using FileStream file = SaveFile.Open(path, out _);
        RestoredDomain restored;
        try
        {
            restored = SavedDomain.Restore(_host, (ushort)number, complete, file);
        }
        catch (Exception e) when (e is InvalidDataException or IOException)
        {
            throw new ImageException(path, $"cannot be restored: {e.Message}", e);
        }
        return Own(restored.Machine, console, () => Connect(restored.Machine, console,
            (restored.StoreFrame, restored.StorePort), (restored.ConsoleFrame, restored.ConsolePort), restored.Demand, static () => { }));
    }

    private XenGuestMachine Own(ParavirtualMachine machine, HostConsole console, Action prepare)
    {
        XenGuestMachine guest = new(machine, console, _report);
        try
        {
            prepare();
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
        _images ??= OpenImages();
        _images.Kernel.Load(machine.Arena);
        _images.Initrd?.Load(machine.Arena);
        EventChannelTable channels = machine.Domain.EventChannels;
        // In the name of domain 0, where the store and the consoles' server are on every Xen. dom0's own console is the hypervisor's.
        int storePort = channels.AllocateUnbound(0), consolePort = _config.IsPrivileged ? 0 : channels.AllocateUnbound(0);
        Connect(machine, console, (DomainBuilder.StoreFrame(machine), storePort), (DomainBuilder.ConsoleFrame(machine), consolePort), demand: null, () =>
            DomainBuilder.Boot(machine, new DomainImage(_images.Entry, _config.CommandLine, _images.Initrd?.Memory.Start ?? 0, _images.Initrd?.Memory.Length ?? 0)
            {
                StorePort = storePort,
                ConsolePort = consolePort,
            }));
    }

    // The host's services; the domain is in order when "start" is called, and introduced to the store after it.
    private void Connect(ParavirtualMachine machine, HostConsole end, (ulong Frame, int Port) store, (ulong Frame, int Port) console, DomainDemand? demand, Action start)
    {
        end.Open(machine, console.Frame, console.Port);
        new DomainHome
        {
            Domain = machine.Domain.Id,
            Name = _config.Name,
            Memory = machine.Configuration.Memory,
            Demand = demand,
            Vcpus = _config.Vcpus,
            Console = console.Port == 0 ? null : console,
            Store = store,
        }.Write(_host.Store.Server);
        AttachDevices(machine);
        start();
        if (_host.Store.Introduce(machine.Domain.Id, store.Frame, (uint)store.Port) is not 0 and var error)
            throw new InvalidOperationException($"domain {machine.Domain.Id} was not introduced to the store: error {error}");
    }

    private void AttachDevices(ParavirtualMachine machine)
    {
        XenDomain domain = machine.Domain;
        foreach (Func<VirtioDevice> device in PciDevices())
            _host.Pci.Attach(machine, new PciDevice(device, e => machine.Vcpus[0].Processor.Crash($"internal error: {e}")));
        List<ServedDevice> served = [];
        int images = 0;
        for (int i = 0; i < _config.Disks.Count; i++)
        {
            DiskConfig disk = _config.Disks[i];
            string name = disk.Name ?? $"xvd{(char)('a' + i)}";
            if (disk.Backend is { } backend)
            {
                served.Add(ServedDevice.Disk(backend, name, disk.Path, disk.ReadOnly));
                continue;
            }
            DiskDevice image = _devices.Disks[images++];
            if (!disk.IsPci) _host.Devices.AttachDisk(domain, new DiskAttachment(name, image.Backend) { IsReadOnly = disk.ReadOnly, OwnsImage = false });
        }
        for (int i = 0; i < _devices.Networks.Count; i++)
        {
            if (_config.Network[i].IsPci) continue;
            NetworkEnd end = _devices.Networks[i];
            if (_config.Network[i] is { Backend: { } backend } card) served.Add(ServedDevice.Card(backend, (uint)i, end.Address, card.Bridge));
            else _host.Devices.AttachNetwork(domain, new NetworkAttachment((uint)i, end.Address) { Switch = end.Switch, Network = end.Backend, OwnsNetwork = false });
        }
        _host.Served.Enter(domain.Id, _config.Name, served);
    }

    // In the order of their slots, as on a platform machine.
    private IEnumerable<Func<VirtioDevice>> PciDevices()
    {
        foreach ((DiskConfig config, DiskDevice disk) in _config.Disks.Where(static disk => disk.Backend is null).Zip(_devices.Disks))
        {
            if (config.IsPci) yield return () => new VirtioBlock(disk.Backend, disk.Serial);
        }
        foreach ((NetworkConfig config, NetworkEnd end) in _config.Network.Zip(_devices.Networks))
        {
            if (config.IsPci) yield return () => new VirtioNet(end.Backend!, end.Address);
        }
        if (_config.HasRng) yield return static () => new VirtioRng();
    }

    public void Dispose() => _devices.Dispose();
}
