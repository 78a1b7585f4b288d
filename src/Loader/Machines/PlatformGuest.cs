using FastXen.Core;
using FastXen.Loader.Configuration;
using FastXen.Loader.Images;
using FastXen.Platform;
using FastXen.Platform.Firmware.Efi;
using FastXen.Platform.Uart;

namespace FastXen.Loader.Machines;

/// <summary>A guest on the virtual Itanium machine: its images, disks, networks and EFI variables.</summary>
internal sealed class PlatformGuest : IGuest
{
    private readonly GuestConfig _config;
    private readonly TranslatorOptions _translator;
    private readonly Action<string> _report;
    private readonly BootImages _images;
    private readonly DeviceBackends _devices;
    private readonly VariableStore _variables;

    public PlatformGuest(GuestConfig config, DomainSurroundings surroundings, Action<string> report)
    {
        _config = config;
        _translator = surroundings.Translator;
        _report = report;
        _images = new BootImages(config);
        _devices = new DeviceBackends(config, surroundings.Switches, report);
        try
        {
            _variables = new VariableStore(config.EfiVariables);
        }
        catch (Exception e)
        {
            _devices.Dispose();
            if (e is DeviceConfigurationException or InvalidDataException) throw new DeviceException(e);
            throw;
        }
    }

    public Action<string, Exception> Failed { set => _devices.Failed = value; }

    public IGuestMachine PowerOn(int number, ICharacterBackend console)
    {
        PlatformMachine machine = new(new PlatformConfiguration
        {
            Domain = number,
            Memory = _config.Memory,
            Processors = _config.Vcpus,
            Console = console,
            Deterministic = _config.Clock == ClockSource.Deterministic,
            Engine = _config.Engine,
            Translator = _translator,
            Disks = _devices.Disks,
            Networks = [.. _devices.Networks.Select(static network => new NetworkDevice(network.Backend!, network.Address))],
            Variables = _variables,
            Report = _report,
        });
        try
        {
            _images.Boot(machine);
            return new PlatformGuestMachine(machine, _config);
        }
        catch
        {
            machine.Dispose();
            throw;
        }
    }

    public void Dispose() => _devices.Dispose();
}
