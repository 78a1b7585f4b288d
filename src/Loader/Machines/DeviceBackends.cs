using System.Security.Cryptography;
using System.Text;
using FastXen.Loader.Configuration;
using FastXen.Loader.Images;
using FastXen.Platform;
using FastXen.Platform.Net;
using FastXen.Platform.Net.Nat;
using FastXen.Platform.Net.Switch;
using FastXen.Platform.Net.Tap;

namespace FastXen.Loader.Machines;

/// <summary>What a guest's network card is plugged into: one of a network of its own and a switch; neither where another domain serves it.</summary>
internal readonly record struct NetworkEnd(MacAddress Address, INetBackend? Backend, VirtualSwitch? Switch);

/// <summary>The far ends of a guest's devices: they outlive its reboots.</summary>
internal sealed class DeviceBackends : IDisposable
{
    private readonly Action<string> _report;
    private readonly List<DiskDevice> _disks = [];
    private readonly List<NetworkEnd> _networks = [];
    private readonly Func<string, VirtualSwitch> _switches;

    /// <summary>Opens what a config names; what cannot be opened is a <see cref="LoadException"/>. <paramref name="switches"/>: the host's switches by name.</summary>
    public DeviceBackends(GuestConfig config, Func<string, VirtualSwitch> switches, Action<string> report)
    {
        _report = report;
        _switches = switches;
        try
        {
            foreach (DiskConfig disk in config.Disks)
            {
                if (disk.Backend is null) Open(disk);
            }
            for (int i = 0; i < config.Network.Count; i++) Open(config.Network[i], config, i);
        }
        catch (Exception e)
        {
            Dispose();
            if (e is DeviceConfigurationException) throw new DeviceException(e);
            throw;
        }
    }

    /// <summary>Who is told what broke, and how.</summary>
    public Action<string, Exception>? Failed { get; set; }

    /// <summary>Disks, in the config's order, without those that other domains serve.</summary>
    public IReadOnlyList<DiskDevice> Disks => _disks;

    /// <summary>Network interfaces, in the config's order.</summary>
    public IReadOnlyList<NetworkEnd> Networks => _networks;

    private void Open(DiskConfig disk)
    {
        string name = Path.GetFileName(disk.Path);
        _disks.Add(new DiskDevice(DiskImage.Open(disk), name.Length <= 20 ? name : name[..20]));
    }

    private void Open(NetworkConfig network, GuestConfig config, int index)
    {
        MacAddress address = MacAddress.Read(network.Mac ?? DefaultMac(config.Name, index));
        _networks.Add(network.Type switch
        {
            _ when network.Backend is not null => new NetworkEnd(address, null, null),
            NetworkType.Tap => new NetworkEnd(address, TapBackend.Open(network.Device!, e => Failed?.Invoke($"the reader of TAP interface {network.Device}", e)), null),
            // The driver domain connects its card to the switch itself: they agree on more than a backend can.
            NetworkType.Switch when config.Personality == Personality.Xen && !network.IsPci => new NetworkEnd(address, null, _switches(network.Bridge)),
            NetworkType.Switch => new NetworkEnd(address, new SwitchNetwork(_switches(network.Bridge), address), null),
            _ => new NetworkEnd(address, Nat(network), null),
        });
    }

    private static NatBackend Nat(NetworkConfig network) => new(new NatOptions
    {
        HostForwards = [.. network.HostForwards.Select(static forward =>
            new Platform.Net.Nat.HostForward(forward.Protocol == ForwardProtocol.Udp, forward.Host.Address, forward.Host.Port, forward.GuestPort))],
    });

    // Locally administered; the guest's name and the interface's number make it the same in each run and differ between guests.
    private static byte[] DefaultMac(string guest, int index)
    {
        byte[] digest = SHA256.HashData(Encoding.UTF8.GetBytes($"{guest}/{index}"));
        return [0x52, 0x54, 0x00, digest[0], digest[1], digest[2]];
    }

    /// <summary>Writes disks out to the host's media and closes everything. Not while the guest runs.</summary>
    public void Dispose()
    {
        foreach (DiskDevice disk in _disks)
        {
            try
            {
                if (!disk.Backend.IsReadOnly) disk.Backend.Flush();
            }
            catch (IOException e)
            {
                _report($"disk {disk.Serial}: what was written last may be lost: {e.Message}");
            }
            disk.Backend.Dispose();
        }
        _disks.Clear();
        foreach (NetworkEnd network in _networks) network.Backend?.Dispose();
        _networks.Clear();
    }
}
