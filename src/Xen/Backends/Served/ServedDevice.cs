using System.Globalization;
using FastXen.Platform.Net;
using FastXen.Xen.Backends.Block;

namespace FastXen.Xen.Backends.Served;

/// <summary>A device of a domain that another domain serves: what the store says of it to both ends (public headers io/xenbus.h, io/blkif.h, io/netif.h).</summary>
public sealed record ServedDevice
{
    private ServedDevice(string backend, string kind, uint number)
    {
        Backend = backend;
        Kind = kind;
        Number = number;
    }

    /// <summary>Name of the domain that serves it.</summary>
    public string Backend { get; }

    /// <summary>"vbd" or "vif".</summary>
    public string Kind { get; }

    /// <summary>Its number among the domain's devices of that kind.</summary>
    public uint Number { get; }

    /// <summary>Nodes of the frontend's directory beside those that every device has.</summary>
    public required IReadOnlyList<(string Name, string Value)> Front { get; init; }

    /// <summary>The same of the backend's.</summary>
    public required IReadOnlyList<(string Name, string Value)> Back { get; init; }

    /// <summary>
    /// A disk that the guest calls <paramref name="name"/> (<see cref="VirtualDiskName"/>); <paramref name="target"/> says to <paramref name="backend"/> what it is to serve.
    /// </summary>
    public static ServedDevice Disk(string backend, string name, string target, bool isReadOnly)
    {
        uint number = VirtualDiskName.Parse(name);
        return new ServedDevice(backend, "vbd", number)
        {
            Front = [("virtual-device", Text(number)), ("device-type", "disk")],
            Back = [("dev", name), ("params", target), ("mode", isReadOnly ? "r" : "w"), ("type", "phy"), ("device-type", "disk"), ("removable", "0")],
        };
    }

    /// <summary>A network card, plugged into a switch of <paramref name="backend"/>'s.</summary>
    public static ServedDevice Card(string backend, uint handle, MacAddress address, string bridge) => new(backend, "vif", handle)
    {
        Front = [("handle", Text(handle)), ("mac", address.ToString())],
        Back = [("handle", Text(handle)), ("mac", address.ToString()), ("bridge", bridge)],
    };

    private static string Text(uint value) => value.ToString(CultureInfo.InvariantCulture);
}
