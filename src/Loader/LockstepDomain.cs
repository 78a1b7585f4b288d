using FastXen.Core;
using FastXen.Core.Lockstep;
using FastXen.Loader.Configuration;
using FastXen.Loader.Images;
using FastXen.Platform;
using FastXen.Platform.Block;
using FastXen.Platform.Firmware.Efi;
using FastXen.Platform.Uart;

namespace FastXen.Loader;

/// <summary>
/// A guest that runs twice, on the interpreter and on the translator, in two deterministic machines that are compared as they go. Disks are
/// private copies, EFI variables are not kept, there is no network, and a reboot ends the run.
/// </summary>
public sealed class LockstepDomain : IDisposable
{
    private const ulong Stride = 20_000, MemoryStride = 50_000_000;

    private readonly GuestConfig _config;
    private readonly BootImages _images;
    private readonly List<IDisposable> _machines = [];
    private readonly LockstepSearch _search;
    private readonly byte[] _input;
    private ICharacterBackend _console;

    /// <summary>Opens all that the config names. <paramref name="input"/>: what is typed at both consoles.</summary>
    public LockstepDomain(GuestConfig config, ICharacterBackend console, byte[] input, Action<ulong>? progress = null)
    {
        EngineRequirements.Check(EngineKind.Translator, config.Source);
        if (config.Personality != Personality.Platform)
            throw new ConfigException("--lockstep", "personality", "a domain with the \"xen\" personality follows the host's clock, which is not the same twice");
        if (config.Network.Count != 0)
            throw new ConfigException("--lockstep", "network", "the world outside is not the same twice: take the network out of the config");
        _config = config;
        _console = console;
        _input = input;
        _images = new BootImages(config);
        foreach (DiskConfig disk in config.Disks) DiskImage.Check(disk with { ReadOnly = true, Overlay = null });
        _search = new LockstepSearch(PowerOn, Stride, MemoryStride) { Progress = progress };
    }

    /// <summary>Instructions after which both engines agreed.</summary>
    public ulong Agreed => _search.Agreed;

    /// <summary>Runs until the guest stops or the engines differ; null when they did not.</summary>
    public LockstepDifference? Run() => _search.Run();

    /// <summary>Ends the run. Any thread.</summary>
    public void RequestStop() => _search.Cancel();

    private LockstepPair PowerOn()
    {
        Dispose();
        PlatformMachine reference = Machine(_console, EngineKind.Interpreter), subject = Machine(NullDevice, EngineKind.Translator);
        // The second run, which looks for the place, says nothing again.
        _console = NullDevice;
        return new LockstepPair(reference.Processors, subject.Processors, vcpu => (reference.Processors.Contains(vcpu) ? reference : subject).Stopped(vcpu));
    }

    private PlatformMachine Machine(ICharacterBackend console, EngineKind engine)
    {
        PlatformMachine machine = new(new PlatformConfiguration
        {
            Memory = _config.Memory,
            Processors = _config.Vcpus,
            Console = new TypedConsole(console, _input),
            Deterministic = true,
            Disks = [.. _config.Disks.Select(OpenDisk)],
            Variables = new VariableStore(path: null),
        });
        _machines.Add(machine);
        _images.Boot(machine);
        foreach (Vcpu processor in machine.Processors) processor.Engine = engine;
        return machine;
    }

    private DiskDevice OpenDisk(DiskConfig disk)
    {
        PrivateCopy copy = new(RawImage.Open(disk.Path, readOnly: true), disk.ReadOnly);
        _machines.Add(copy);
        string name = Path.GetFileName(disk.Path);
        return new DiskDevice(copy, name.Length <= 20 ? name : name[..20]);
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        for (int n = _machines.Count - 1; n >= 0; n--) _machines[n].Dispose();
        _machines.Clear();
    }

    private static readonly TypedConsole NullDevice = new(null, []);

    /// <summary>A console at which all input has been typed before the machine starts.</summary>
    private sealed class TypedConsole(ICharacterBackend? output, byte[] typed) : ICharacterBackend
    {
        public void Write(ReadOnlySpan<byte> bytes) => output?.Write(bytes);

        public void Connect(ICharacterInput input) => input.Offer(typed);
    }
}
