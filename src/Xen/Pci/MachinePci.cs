using FastXen.Platform;
using FastXen.Platform.Virtio;
using FastXen.Xen.Physdev;

namespace FastXen.Xen.Pci;

/// <summary>A device that can be given to a domain.</summary>
/// <param name="Make">Makes it; called again when it goes to another domain, which gets it as after power-on. What is behind it stays the caller's.</param>
/// <param name="Failed">Told, on a device thread, of an exception that ended the device's work.</param>
public sealed record PciDevice(Func<VirtioDevice> Make, Action<Exception> Failed);

/// <summary>
/// The machine's PCI bus: segment 0, bus 0, 31 slots with one function each. A device has a home, the domain that it was made for, and an owner: the home, or a domain to
/// which its toolstack has assigned it (domctl). Only the owner's memory is in its reach.
/// </summary>
public sealed class MachinePci
{
    /// <summary>The device is still at work for who had it: the caller is to ask again.</summary>
    internal const int NotYet = 1;

    /// <summary>Slots of the bus; the first one stays empty.</summary>
    internal const int Slots = 32;

    private readonly XenHost _host;
    private readonly Lock _gate = new();
    private readonly Place?[] _places = new Place?[Slots];

    internal MachinePci(XenHost host) => _host = host;

    private sealed class Place(PciDevice device, ParavirtualMachine home)
    {
        public PciDevice Device => device;

        public ParavirtualMachine Home => home;

        /// <summary>Null while it is on its way from one to another.</summary>
        public ParavirtualMachine? Owner { get; set; }

        /// <summary>Who had it before it was on its way.</summary>
        public ParavirtualMachine? LastOwner { get; set; }

        /// <summary>The end of the function that the last owner had.</summary>
        public Task? Ending { get; set; }

        public VirtioPciFunction? Function { get; set; }
    }

    /// <summary>
    /// Puts a device into the first free slot, for a domain; returns the slot. A privileged domain sets its interrupt, line 16 + slot, itself; for another one it is
    /// bound to the physical interrupt that the interrupt line register names. A <see cref="DeviceConfigurationException"/> where there is no room.
    /// </summary>
    public int Attach(ParavirtualMachine machine, PciDevice device)
    {
        ArgumentNullException.ThrowIfNull(machine);
        ArgumentNullException.ThrowIfNull(device);
        lock (_gate)
        {
            int slot = Array.IndexOf(_places, null, 1);
            if (slot < 0)
                throw new DeviceConfigurationException($"the machine has no free PCI slot: at most {Slots - 1} devices are possible.");
            var place = new Place(device, machine);
            int line = MachineInterrupts.FirstPciLine + slot, interrupt = line;
            if (!machine.Domain.IsPrivileged)
            {
                interrupt = _host.Interrupts.Dedicate(line);
                if (interrupt < 0)
                    throw new DeviceConfigurationException("the machine has no free interrupt vector for a PCI device.");
                machine.Domain.IoPermissions.SetInterrupt(interrupt, allow: true);
                (ulong first, ulong last) = DomainPci.FramesOf(slot);
                machine.Domain.IoPermissions.SetFrames(first, last, allow: true);
            }

            _places[slot] = place;
            Give(slot, place, machine, interrupt);
            return slot;
        }
    }

    /// <summary>True where a slot has a device that a privileged domain may assign: it is at home in that domain.</summary>
    internal bool IsAssignable(XenDomain caller, uint address)
    {
        lock (_gate)
            return Find(caller, address, out _) is { } place && place.Owner == place.Home;
    }

    /// <summary>assign_device: a device of the caller's goes to another domain, which sees it from now on. 0, a negative error or <see cref="NotYet"/>.</summary>
    internal int Assign(XenDomain caller, uint address, ParavirtualMachine machine)
    {
        lock (_gate)
        {
            if (Find(caller, address, out int slot) is not { } place || place.Owner != (place.Ending == null ? place.Home : null) || machine == place.Home
                || _host.MachineOf(machine.Domain) != machine)
            {
                return -Errno.EINVAL;
            }

            if (!TryTake(slot, place))
                return NotYet;
            int line = MachineInterrupts.FirstPciLine + slot;
            Give(slot, place, machine, _host.Interrupts.VectorOf(line) is not 0 and var vector ? vector : line);
            // Whoever assigned it goes on configuring it (Linux's pciback does).
            place.Home.Pci!.Share(slot, place.Function!);
            return 0;
        }
    }

    /// <summary>deassign_device: it comes home. 0, -EINVAL where the domain does not have it, or <see cref="NotYet"/>.</summary>
    internal int Deassign(XenDomain caller, uint address, ParavirtualMachine machine)
    {
        lock (_gate)
        {
            if (Find(caller, address, out int slot) is not { } place || place.Owner != (place.Ending == null ? machine : null) || machine == place.Home)
                return -Errno.EINVAL;
            if (!TryTake(slot, place))
                return NotYet;
            ComeHome(slot, place);
            return 0;
        }
    }

    /// <summary>The domain has, or once assigned, a device.</summary>
    internal bool HasDevices(ParavirtualMachine machine)
    {
        lock (_gate)
            return Array.Exists(_places, place => place != null && (place.Owner == machine || place.Home == machine));
    }

    /// <summary>A domain goes: so do its devices, and those that it was assigned come home.</summary>
    internal void Release(ParavirtualMachine machine)
    {
        while (ReleaseUntil(machine) is { } ending)
            ending.Wait();
    }

    // Returns what has to be waited for, with nothing locked; null when all is done.
    private Task? ReleaseUntil(ParavirtualMachine machine)
    {
        lock (_gate)
        {
            for (int slot = 0; slot < Slots; slot++)
            {
                if (_places[slot] is not { } place || place.Home != machine && place.Owner != machine && (place.Ending == null || place.LastOwner != machine))
                    continue;
                if (!TryTake(slot, place))
                    return place.Ending;
                if (place.Home != machine)
                {
                    ComeHome(slot, place);
                    continue;
                }

                if (!machine.Domain.IsPrivileged)
                    _host.Interrupts.Withdraw(MachineInterrupts.FirstPciLine + slot);
                _places[slot] = null;
            }

            return null;
        }
    }

    // A device of the caller's. The address: segment 31:16, bus 15:8, device 7:3, function 2:0.
    private Place? Find(XenDomain caller, uint address, out int slot)
    {
        slot = (int)(address >> 3 & (Slots - 1));
        return (address & ~((uint)(Slots - 1) << 3)) == 0 && _places[slot] is { } place && place.Home.Domain == caller ? place : null;
    }

    private static void ComeHome(int slot, Place place) => Give(slot, place, place.Home, MachineInterrupts.FirstPciLine + slot);

    private static void Give(int slot, Place place, ParavirtualMachine machine, int interrupt)
    {
        machine.Domain.Memory.AllowDevices();
        place.Owner = machine;
        place.Function = new VirtioPciFunction(place.Device.Make(), new FunctionMemory(machine.Domain.Memory), messages: null, place.Device.Failed);
        machine.ShowPci().Plug(slot, place.Function, interrupt);
    }

    // True when the device has no owner any more and reaches nobody's memory. A vCPU does not wait for that: what the device is doing may wait for the vCPU.
    private bool TryTake(int slot, Place place)
    {
        if (place.Ending == null)
        {
            place.Owner!.Pci!.Unplug(slot);
            place.Home.Pci!.Unplug(slot);
            (place.LastOwner, place.Owner) = (place.Owner, null);
            place.Ending = Task.Run(place.Function!.Dispose);
        }

        if (!place.Ending.IsCompleted)
            return false;
        place.Ending = null;
        _host.Interrupts.SetLine(MachineInterrupts.FirstPciLine + slot, false);
        return true;
    }
}
