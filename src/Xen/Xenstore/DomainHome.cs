using System.Globalization;

namespace FastXen.Xen.Xenstore;

/// <summary>What a domain's home in the store, /local/domain/N, begins with.</summary>
public sealed record DomainHome
{
    /// <summary>The domain's number.</summary>
    public required ushort Domain { get; init; }

    /// <summary>Its name.</summary>
    public required string Name { get; init; }

    /// <summary>Bytes of memory that it was made with.</summary>
    public required ulong Memory { get; init; }

    /// <summary>What it is asked for; null: all memory and all vCPUs.</summary>
    public DomainDemand? Demand { get; init; }

    /// <summary>Its vCPUs.</summary>
    public required int Vcpus { get; init; }

    /// <summary>Where its console is: the ring's frame and the guest's port; null where it has no ring.</summary>
    public (ulong Frame, int Port)? Console { get; init; }

    /// <summary>Where its way to the store is.</summary>
    public required (ulong Frame, int Port) Store { get; init; }

    /// <summary>The home's path.</summary>
    public static string PathOf(ushort domain) => StorePath.OfDomain(domain);

    // Names of what a domain is for tools do not change with its number.
    private static string VmOf(ushort domain) => string.Create(CultureInfo.InvariantCulture, $"/vm/00000000-0000-0000-0000-{domain:x12}");

    /// <summary>Writes it all; what was there is gone.</summary>
    public void Write(XenstoreServer store)
    {
        ArgumentNullException.ThrowIfNull(store);
        Remove(store, Domain);
        string home = PathOf(Domain), vm = VmOf(Domain);
        Permission[] readable = [new(0, Access.None), new(Domain, Access.Read)];
        store.Set(vm, "", readable);
        store.Set($"{vm}/uuid", vm["/vm/".Length..]);
        store.Set($"{vm}/name", Name);
        store.Set(home, "", readable);
        store.Set($"{home}/vm", vm);
        store.Set($"{home}/name", Name);
        store.Set($"{home}/domid", Text(Domain));
        store.Set($"{home}/memory/target", Text((Demand?.Memory ?? Memory) >> 10));
        store.Set($"{home}/memory/static-max", Text(Memory >> 10));
        for (int vcpu = 0; vcpu < Vcpus; vcpu++)
            SetAvailability(store, Domain, vcpu, Demand?.IsOnline(vcpu) ?? true);
        store.Set($"{home}/store/ring-ref", Text(Store.Frame));
        store.Set($"{home}/store/port", Text((ulong)Store.Port));
        if (Console is { } console)
        {
            store.Set($"{home}/console/ring-ref", Text(console.Frame));
            store.Set($"{home}/console/port", Text((ulong)console.Port));
            store.Set($"{home}/console/limit", "1048576");
            store.Set($"{home}/console/type", "xenconsoled");
        }

        AddGuestsOwn(store, Domain);
    }

    // What guests themselves write.
    private static void AddGuestsOwn(XenstoreServer store, ushort domain)
    {
        Permission[] own = [new(domain, Access.None), new(0, Access.Read)];
        foreach (string name in (string[])["control", "control/shutdown", "device", "device/suspend", "error", "drivers", "attr", "data", "feature"])
            store.Set($"{PathOf(domain)}/{name}", "", own);
    }

    /// <summary>The node by which a domain is asked for an amount of memory, in KiB.</summary>
    public static string MemoryTargetOf(ushort domain) => $"{PathOf(domain)}/memory/target";

    /// <summary>Asks a domain to use a vCPU, or not to.</summary>
    public static void SetAvailability(XenstoreServer store, ushort domain, int vcpu, bool isOnline)
    {
        ArgumentNullException.ThrowIfNull(store);
        store.Set(AvailabilityOf(domain, vcpu), isOnline ? "online" : "offline");
    }

    /// <summary>The node by which a domain is asked to use a vCPU, or not to.</summary>
    internal static string AvailabilityOf(ushort domain, int vcpu) => string.Create(CultureInfo.InvariantCulture, $"{PathOf(domain)}/cpu/{vcpu}/availability");

    /// <summary>The domain is gone: its home is, too.</summary>
    public static void Remove(XenstoreServer store, ushort domain)
    {
        ArgumentNullException.ThrowIfNull(store);
        foreach (string path in (string[])[PathOf(domain), VmOf(domain)])
        {
            if (store.Get(path) != null)
                store.Remove(path);
        }
    }

    /// <summary>
    /// Another domain serves the domain's ring from now on (null: the host does again): store/served-by says so, and what the guest and its tools would write and read
    /// is gone from here. What stays is the host's own: names, where the rings are, and the devices that the host serves.
    /// </summary>
    public static void SetServer(XenstoreServer store, ushort domain, ushort? by)
    {
        ArgumentNullException.ThrowIfNull(store);
        string home = PathOf(domain), servedBy = $"{home}/{ServedBy}";
        if (store.Get(home) == null)
            return;
        if (by is not { } server)
        {
            if (store.Get(servedBy) == null)
                return;
            store.Remove(servedBy);
            AddGuestsOwn(store, domain);
            return;
        }

        foreach (string name in store.List(home))
        {
            if (name is not ("vm" or "name" or "domid" or "store" or "console" or "device"))
                store.Remove($"{home}/{name}");
        }

        store.Set(servedBy, Text(server));
    }

    /// <summary>In the home: the domain that took over its ring.</summary>
    public const string ServedBy = "store/served-by";

    private static string Text(ulong value) => value.ToString(CultureInfo.InvariantCulture);
}
