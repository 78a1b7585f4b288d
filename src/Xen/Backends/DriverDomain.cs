using FastXen.Platform;
using FastXen.Xen.Backends.Block;
using FastXen.Xen.Backends.Net;
using FastXen.Xen.Xenstore;

namespace FastXen.Xen.Backends;

/// <summary>
/// The built-in driver domain: the devices that the host itself gives to domains, in the name of <see cref="DomainIds.Host"/>. The device
/// threads of the process do their work. Members may be called from any thread.
/// </summary>
public sealed class DriverDomain : IDisposable
{
    private readonly Lock changes = new();
    private readonly XenstoreServer store;
    private readonly Dictionary<XenDomain, List<BackendDevice>> devices = [];

    /// <summary>Announces the driver domain in the store.</summary>
    public DriverDomain(XenstoreServer store)
    {
        ArgumentNullException.ThrowIfNull(store);
        this.store = store;
        store.Set(StorePath.OfDomain(DomainIds.Host), "", new Permission(DomainIds.Host, Access.None));
        store.Set($"{StorePath.OfDomain(DomainIds.Host)}/backend", "");
    }

    /// <summary>Told, in a sentence, what goes wrong with devices. Any thread; set before devices are attached.</summary>
    public Action<string> Report { get; set; } = static _ => { };

    /// <summary>The devices of a domain.</summary>
    public IReadOnlyList<BackendDevice> DevicesOf(XenDomain domain)
    {
        lock (changes)
            return devices.TryGetValue(domain, out List<BackendDevice>? list) ? [.. list] : [];
    }

    /// <summary>
    /// Gives a domain a disk, before it boots or while it runs. The domain's home in the store exists. Throws
    /// <see cref="DeviceConfigurationException"/>.
    /// </summary>
    public VbdBackend AttachDisk(XenDomain domain, DiskAttachment disk)
    {
        var device = new VbdBackend(store, domain, disk) { Reporter = Say, Gone = Forget };
        Add(device);
        return device;
    }

    /// <summary>Gives a domain a network card; as <see cref="AttachDisk"/>.</summary>
    public VifBackend AttachNetwork(XenDomain domain, NetworkAttachment network)
    {
        var device = new VifBackend(store, domain, network) { Reporter = Say, Gone = Forget };
        Add(device);
        return device;
    }

    /// <summary>Takes all devices from a domain, before it is destroyed: on return nothing of it is in use.</summary>
    public void Detach(XenDomain domain)
    {
        List<BackendDevice>? all;
        lock (changes)
            devices.Remove(domain, out all);
        foreach (BackendDevice device in all ?? [])
            device.Remove();
    }

    /// <summary>
    /// Takes one device from a domain: the guest is asked to let go, and <see cref="BackendDevice.Removed"/> completes when it has; with
    /// <paramref name="isForced"/>, at once.
    /// </summary>
    public Task Detach(BackendDevice device, bool isForced = false)
    {
        ArgumentNullException.ThrowIfNull(device);
        if (isForced)
            device.Remove();
        else
            device.Leave();
        return device.Removed;
    }

    /// <summary>Takes all devices away.</summary>
    public void Dispose()
    {
        XenDomain[] all;
        lock (changes)
            all = [.. devices.Keys];
        foreach (XenDomain domain in all)
            Detach(domain);
    }

    private void Say(string what) => Report(what);

    private void Add(BackendDevice device)
    {
        lock (changes)
        {
            if (!devices.TryGetValue(device.Domain, out List<BackendDevice>? list))
                devices.Add(device.Domain, list = []);
            if (list.Exists(other => other.Kind == device.Kind && other.Number == device.Number))
                throw new DeviceConfigurationException($"Domain {device.Domain.Id} has a {device.Kind} {device.Number} already; each needs a number of its own.");
            list.Add(device);
        }
        device.Publish();
    }

    private void Forget(BackendDevice device)
    {
        lock (changes)
        {
            if (devices.TryGetValue(device.Domain, out List<BackendDevice>? list) && list.Remove(device) && list.Count == 0)
                devices.Remove(device.Domain);
        }
    }
}
