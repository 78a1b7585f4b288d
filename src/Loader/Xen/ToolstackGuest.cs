using System.Globalization;
using FastXen.Core;
using FastXen.Loader.Configuration;
using FastXen.Loader.Machines;
using FastXen.Platform.Uart;
using FastXen.Xen;
using FastXen.Xen.Console;
using FastXen.Xen.Xenstore;

namespace FastXen.Loader.Xen;

/// <summary>A guest that a toolstack in another domain builds: its machine begins empty, and stays until the toolstack ends it.</summary>
internal sealed class ToolstackGuest(DomainSurroundings surroundings, EngineKind engine, Action<string> report) : IGuest
{
    /// <summary>Bytes of the host's memory that are set aside for a domain beside its frames: its tables, vCPUs and translated code.</summary>
    public const ulong HostMemory = 4 << 20;

    private HostConsole? _console;
    private bool _hasConsole;

    /// <summary>The machine; null before it is made.</summary>
    public ParavirtualMachine? Machine { get; private set; }

    /// <summary>What a host keeps of a domain that no config describes.</summary>
    public static GuestConfig ConfigOf(int number, string source, EngineKind engine) => new()
    {
        Source = source,
        Engine = engine,
        Name = string.Create(CultureInfo.InvariantCulture, $"domain-{number}"),
        Personality = Personality.Xen,
        Memory = 0,
        Vcpus = XenDomain.MaximumVcpus,
        Kernel = $"of {source}",
        Console = new ConsoleConfig { Type = ConsoleType.Buffer },
    };

    public Action<string, Exception> Failed { private get; set; } = static (_, _) => { };

    public IGuestMachine PowerOn(int number, ICharacterBackend console)
    {
        _console = new HostConsole(console) { Failed = e => Failed("the console", e) };
        Machine = new ParavirtualMachine(surroundings.Xen(), (ushort)number, new ParavirtualConfiguration
        {
            Memory = 0,
            MaximumMemory = MachineLimits.MaximumMemory,
            Populate = false,
            Budget = surroundings.Budget,
            Vcpus = 0,
            Engine = engine,
            Translator = surroundings.Translator,
            Console = new GuestLog(number, surroundings.Log),
            Report = report,
        });
        return new XenGuestMachine(Machine, _console, report, isKept: true);
    }

    /// <summary>Serves the console's ring, where the toolstack has said in the store where it is: console/ring-ref and console/port in the domain's home. Once.</summary>
    public void ConnectConsole()
    {
        if (Machine is not { } machine || _hasConsole) return;
        XenstoreServer store = machine.Hypervisor.Store.Server;
        string home = DomainHome.PathOf(machine.Domain.Id);
        if (!ulong.TryParse(store.Get($"{home}/console/ring-ref"), NumberStyles.None, CultureInfo.InvariantCulture, out ulong frame)
            || !ushort.TryParse(store.Get($"{home}/console/port"), NumberStyles.None, CultureInfo.InvariantCulture, out ushort port) || port == 0)
        {
            return;
        }
        try
        {
            _console!.Open(machine, frame, port);
            _hasConsole = true;
        }
        catch (ArgumentException)
        {
            // What the toolstack wrote is not a frame of the domain: it has no console then.
        }
    }

    public void Dispose()
    {
    }
}
