using System.Net;
using FastXen.Core;
using FastXen.Smp;

namespace FastXen.Loader.Configuration;

/// <summary>A guest, as its config file (docs/guest-config.md) describes it. Paths are absolute or relative to the working directory.</summary>
public sealed record GuestConfig
{
    /// <summary>What messages call the config: its path, or "command line".</summary>
    public required string Source { get; init; }

    /// <summary>Name of the guest.</summary>
    public required string Name { get; init; }

    /// <summary>The interface that the guest's kernel finds.</summary>
    public Personality Personality { get; init; }

    /// <summary>It is dom0: it may act on other domains, and has number 0. Xen personality only.</summary>
    public bool IsPrivileged { get; init; }

    /// <summary>RAM in bytes.</summary>
    public required ulong Memory { get; init; }

    /// <summary>Number of virtual processors.</summary>
    public required int Vcpus { get; init; }

    /// <summary>Host threads of the process that runs this guest; null: what the others of that process say, or as many as the host has processors.</summary>
    public int? HostThreads { get; init; }

    /// <summary>Its share of the host threads.</summary>
    public CreditParameters Credit { get; init; } = new();

    /// <summary>The host threads that may run it, a bit each.</summary>
    public ulong Cpus { get; init; } = ulong.MaxValue;

    /// <summary>Those of them that should rather run it, a bit each.</summary>
    public ulong CpusSoft { get; init; } = ulong.MaxValue;

    /// <summary>What executes guest code.</summary>
    public EngineKind Engine { get; init; }

    /// <summary>What drives the interval time counter.</summary>
    public ClockSource Clock { get; init; }

    /// <summary>Kernel: ELF64, plain or gzip.</summary>
    public required string Kernel { get; init; }

    /// <summary>Initial RAM disk, or null.</summary>
    public string? Initrd { get; init; }

    /// <summary>Kernel command line.</summary>
    public string CommandLine { get; init; } = "";

    /// <summary>Disks, in the order in which the guest finds them.</summary>
    public IReadOnlyList<DiskConfig> Disks { get; init; } = [];

    /// <summary>Network interfaces, in the order in which the guest finds them.</summary>
    public IReadOnlyList<NetworkConfig> Network { get; init; } = [];

    /// <summary>A guest on the Xen interface has a source of random numbers on its PCI bus; a platform machine always has one.</summary>
    public bool HasRng { get; init; }

    /// <summary>A guest on the Xen interface is given devices on a PCI bus.</summary>
    public bool HasPciDevices => HasRng || Disks.Any(static disk => disk.IsPci) || Network.Any(static network => network.IsPci);

    /// <summary>What becomes of it when its guest ends.</summary>
    public EndActions Ends { get; init; } = new();

    /// <summary>Host time that each of its vCPUs is to have, or null.</summary>
    public RealTimeParameters? Reservation { get; init; }

    /// <summary>The console.</summary>
    public ConsoleConfig Console { get; init; } = new();

    /// <summary>A saved domain that goes on as this one; null: it boots. Not a field of a config: see <c>fastxen restore</c>.</summary>
    public string? RestoreFrom { get; init; }

    /// <summary>File that keeps the EFI variables, or null: they last as long as the process.</summary>
    public string? EfiVariables { get; init; }
}

/// <summary>The interface that a guest's kernel finds.</summary>
public enum Personality
{
    /// <summary>A virtual Itanium machine for an unmodified kernel.</summary>
    Platform,
    /// <summary>The Xen/ia64 hypervisor interface.</summary>
    Xen,
}

/// <summary>What drives the interval time counter.</summary>
public enum ClockSource
{
    /// <summary>The host's monotonic clock.</summary>
    Host,
    /// <summary>The count of retired instructions: every run is the same.</summary>
    Deterministic,
}

/// <summary>A disk backed by a raw image file, or served by another domain.</summary>
/// <param name="Path">The image; with <see cref="Backend"/>, what that domain is to serve, in its own words.</param>
/// <param name="ReadOnly">The guest may not write.</param>
public sealed record DiskConfig(string Path, bool ReadOnly)
{
    /// <summary>The file that takes what the guest writes, so that the image stays as it is (docs/overlay-image.md); null: the image itself.</summary>
    public string? Overlay { get; init; }

    /// <summary>What a guest on the Xen interface is to call it, such as "xvda"; null: by its place in the config.</summary>
    public string? Name { get; init; }

    /// <summary>Name of the domain that serves it, of those on the Xen interface; null: the host does.</summary>
    public string? Backend { get; init; }

    /// <summary>A guest on the Xen interface finds it on the PCI bus, not with the driver domain.</summary>
    public bool IsPci { get; init; }
}

/// <summary>How a network interface reaches the world.</summary>
public enum NetworkType
{
    /// <summary>Address translation inside of the process; needs no privilege.</summary>
    Nat,
    /// <summary>A TAP interface of the host.</summary>
    Tap,
    /// <summary>A switch of the process, to which other guests are connected.</summary>
    Switch,
}

/// <summary>A network interface.</summary>
/// <param name="Type">How it reaches the world.</param>
/// <param name="Device">The host's TAP interface; null for NAT.</param>
/// <param name="Mac">Its address (six bytes), or null for one made from the guest's name.</param>
/// <param name="HostForwards">Ports of the host that lead into the guest; NAT only.</param>
public sealed record NetworkConfig(NetworkType Type, string? Device, byte[]? Mac, IReadOnlyList<HostForward> HostForwards)
{
    /// <summary>Name of the switch, where <see cref="Type"/> is one without a name given.</summary>
    public const string DefaultBridge = "xenbr0";

    /// <summary>Name of the switch; of type switch only.</summary>
    public string Bridge { get; init; } = DefaultBridge;

    /// <summary>Name of the domain that serves it, of those on the Xen interface (then the switch is that domain's own); null: the host does.</summary>
    public string? Backend { get; init; }

    /// <summary>A guest on the Xen interface finds it on the PCI bus, not with the driver domain.</summary>
    public bool IsPci { get; init; }
}

/// <summary>Transport protocol of a forwarded port.</summary>
public enum ForwardProtocol
{
    /// <summary>TCP.</summary>
    Tcp,
    /// <summary>UDP.</summary>
    Udp,
}

/// <summary>A port of the host that leads to a port of the guest.</summary>
public sealed record HostForward(ForwardProtocol Protocol, IPEndPoint Host, int GuestPort);

/// <summary>Where the console's characters go.</summary>
public enum ConsoleType
{
    /// <summary>The terminal that fastxen runs in, or its redirected standard input and output. Several domains of a run share it; those that come later get <see cref="Buffer"/>.</summary>
    Stdio,
    /// <summary>Output to a file; no input.</summary>
    File,
    /// <summary>A pseudo-terminal whose path is printed.</summary>
    Pty,
    /// <summary>A Unix socket that serves one client at a time.</summary>
    Socket,
    /// <summary>Nowhere: the latest output is kept for those who attach with <c>fastxen console</c>.</summary>
    Buffer,
}

/// <summary>The console.</summary>
public sealed record ConsoleConfig
{
    /// <summary>Ctrl-].</summary>
    public const byte DefaultEscape = 0x1D;

    /// <summary>Where its characters go.</summary>
    public ConsoleType Type { get; init; }

    /// <summary>The file or the socket.</summary>
    public string? Path { get; init; }

    /// <summary>The control character that starts a command to fastxen on a terminal, or null for none.</summary>
    public byte? Escape { get; init; } = DefaultEscape;
}
