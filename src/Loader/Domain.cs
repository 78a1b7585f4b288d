using System.Diagnostics;
using FastXen.Core;
using FastXen.Events;
using FastXen.Loader.Configuration;
using FastXen.Loader.Dumps;
using FastXen.Loader.Hosting;
using FastXen.Loader.Images;
using FastXen.Loader.Scheduling;
using FastXen.Platform;
using FastXen.Platform.Block;
using FastXen.Platform.Firmware.Efi;
using FastXen.Platform.Net;
using FastXen.Platform.Net.Nat;
using FastXen.Platform.Net.Tap;
using FastXen.Platform.Uart;
using FastXen.Smp;

namespace FastXen.Loader;

/// <summary>
/// A guest as its config describes it: what outlives a reboot (images, disks, networks, EFI variables), and the machine of the present power-on.
/// </summary>
public sealed class Domain : IDisposable
{
    private const int ProfiledRegions = 40;

    private readonly GuestConfig _config;
    private readonly Action<string> _report;
    private readonly BootImages _images;
    private readonly List<DiskDevice> _disks = [];
    private readonly List<NetworkDevice> _networks = [];
    private readonly List<IDisposable> _backends = [];
    private readonly VariableStore _variables;
    private readonly Lock _lock = new();
    private ICharacterBackend? _console;
    // Made, and not yet run.
    private PlatformMachine? _next;
    private PlatformMachine? _machine;
    private bool _stopRequested;
    private bool _resetRequested;
    private bool _rebootAfterPowerOff;

    /// <summary>What the guest has done so far, over its reboots: the runs that ended.</summary>
    public RunStatistics Statistics { get; private set; }

    /// <summary>What the guest may use of the host's processors.</summary>
    public DomainScheduling Scheduling { get; }

    /// <summary>Its number, by which traces name it.</summary>
    public int Number { get; private set; }

    /// <summary>How often the guest was started again.</summary>
    public int Reboots { get; private set; }

    /// <summary>The guest is started again: its old machine is gone, the next one comes. Called by the thread that makes it.</summary>
    public event Action? Rebooted;

    /// <summary>How the translator works.</summary>
    public TranslatorOptions Translator { get; init; } = new();

    /// <summary>With <see cref="TranslatorOptions.Profile"/>: the regions in which most instructions ran, hottest first, of the runs that ended.</summary>
    public IReadOnlyList<RegionProfile> HottestRegions { get; private set; } = [];

    /// <summary>
    /// Checks and opens all that the config names, the console excepted; what is wrong is a <see cref="LoadException"/>.
    /// <paramref name="report"/> is told, in a sentence, when the guest stops for a reason that it did not ask for.
    /// </summary>
    public Domain(GuestConfig config, Action<string> report, Scheduler scheduler)
    {
        ArgumentNullException.ThrowIfNull(scheduler);
        // From here on a listener finds the source, whether or not something has been traced.
        _ = FastXenEventSource.Log;
        EngineRequirements.Check(config.Engine, config.Source);
        _config = config;
        _report = report;
        Scheduling = new DomainScheduling(scheduler, config);
        _images = new BootImages(config);
        try
        {
            foreach (DiskConfig disk in config.Disks) OpenDisk(disk);
            for (int i = 0; i < config.Network.Count; i++) OpenNetwork(config.Network[i], i);
            _variables = new VariableStore(config.EfiVariables);
        }
        catch (Exception e)
        {
            Dispose();
            if (e is DeviceConfigurationException or InvalidDataException) throw new DeviceException(e);
            throw;
        }
    }

    /// <summary>Gives the domain its number, and tells traces of it.</summary>
    internal void Announce(int number)
    {
        Number = Scheduling.Number = number;
        DomainMetrics.Add(this, _config.Name);
        if (Tracing.Lifecycle) FastXenEventSource.Log.DomainCreated(Number, _config.Vcpus, _config.Memory, _config.Name, _config.Personality.ToString());
    }

    /// <summary>
    /// Makes the first machine, with the images in its memory. What is wrong with them is a <see cref="LoadException"/>. Once, before <see cref="RunAsync"/>.
    /// </summary>
    public void PowerOn(ICharacterBackend console)
    {
        _console = console;
        _next = Build();
    }

    /// <summary>
    /// Runs the guest, over its reboots, until it powers off, halts, crashes, or is stopped. Once, after <see cref="PowerOn"/>. Whatever breaks inside ends this
    /// guest as <see cref="VcpuStop.Crashed"/>, with a report: the task does not fail.
    /// </summary>
    public async Task<VcpuStop> RunAsync()
    {
        await Task.Yield();
        try
        {
            while (true)
            {
                VcpuStop reason = await RunOnce(_next ?? throw new InvalidOperationException("not powered on")).ConfigureAwait(false);
                if (!StartsAgain(reason)) return reason;
                Reboots++;
                Rebooted?.Invoke();
                _next = Build();
            }
        }
#pragma warning disable CA1031 // A machine broke, or another one could not be made: this domain ends, the others run on.
        catch (Exception e)
#pragma warning restore CA1031
        {
            _report(e is LoadException ? e.Message : $"internal error: {e}");
            return VcpuStop.Crashed;
        }
    }

    /// <summary>Stops the guest as if its plug were pulled. Any thread.</summary>
    public void RequestStop()
    {
        lock (_lock)
        {
            _stopRequested = true;
            _machine?.RequestStop();
            Scheduling.End();
        }
    }

    /// <summary>
    /// Presses the power button, for a guest that listens to shut itself down; with <paramref name="thenReboot"/> it is started again when it
    /// has powered off. False when the guest does not listen. Any thread.
    /// </summary>
    public bool PressPowerButton(bool thenReboot = false)
    {
        lock (_lock)
        {
            _rebootAfterPowerOff = thenReboot;
            return _machine?.PressPowerButton() ?? false;
        }
    }

    /// <summary>Resets the machine without asking the guest; where it is only being made, as soon as it runs. Any thread.</summary>
    public void Reset()
    {
        lock (_lock)
        {
            _resetRequested = _machine is null;
            _machine?.RequestReset();
            Scheduling.End();
        }
    }

    /// <summary>Host time that the guest's processors have used, over its reboots. Any thread.</summary>
    public TimeSpan ProcessorTime => Scheduling.ProcessorTime;

    /// <summary>
    /// Writes the guest's memory and registers as an ELF core file, while its processors are paused. A guest between two machines has
    /// none to write, which is a <see cref="HostException"/>.
    /// </summary>
    public void DumpCore(string file)
    {
        bool paused = Scheduling.Pause();
        try
        {
            lock (_lock)
            {
                PlatformMachine machine = _machine ?? throw new HostException($"{_config.Name} is not running");
                using FileStream stream = new(file, new FileStreamOptions { Mode = FileMode.Create, Access = FileAccess.Write, UnixCreateMode = UnixFileMode.UserRead | UnixFileMode.UserWrite });
                CoreDump.Write(machine, _config.Memory, $$"""{"name":"{{_config.Name}}","memoryBytes":{{_config.Memory}},"vcpus":{{_config.Vcpus}}}""", stream);
            }
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new HostException($"{file}: the core cannot be written: {e.Message}");
        }
        finally
        {
            if (paused) Scheduling.Unpause();
        }
    }

    /// <summary>What the guest is doing, in a line. Any thread; a moment's view.</summary>
    public unsafe string Status
    {
        get
        {
            lock (_lock)
            {
                if (_machine is not { } machine) return $"{_config.Name}: not running";
                string processors = _config.Vcpus == 1 ? "" : $"{_config.Vcpus} processors, ";
                return $"{_config.Name}: {MemorySize.Format(_config.Memory)}, {processors}{RunStatistics.Retired(machine.Processors)} instructions since power-on, ip 0x{machine.Processor.State->Ip:x}, {Reboots} reboots";
            }
        }
    }

    /// <summary>A look at the vCPUs; none where the domain does not run. Any thread.</summary>
    public unsafe IReadOnlyList<VcpuSample> Sample()
    {
        lock (_lock)
            return [.. (_machine?.Processors ?? []).Select(static vcpu => new VcpuSample(vcpu.Number, vcpu.RunNanoseconds, vcpu.State->Retired, [.. vcpu.Pauses], [.. vcpu.Exits]))];
    }

    /// <summary>What the translator did since power-on; null where there is none. Any thread.</summary>
    public TranslatorStatistics? SampleTranslator()
    {
        lock (_lock) return _machine?.Processor.TranslatorStatistics;
    }

    private bool StartsAgain(VcpuStop reason)
    {
        lock (_lock)
        {
            bool again = reason == VcpuStop.Reboot || (reason == VcpuStop.PowerOff && _rebootAfterPowerOff);
            _rebootAfterPowerOff = false;
            return again && !_stopRequested;
        }
    }

    private PlatformMachine Build()
    {
        PlatformMachine machine = new(new PlatformConfiguration
        {
            Domain = Number,
            Memory = _config.Memory,
            Processors = _config.Vcpus,
            Console = _console!,
            Deterministic = _config.Clock == ClockSource.Deterministic,
            Engine = _config.Engine,
            Translator = Translator,
            Disks = _disks,
            Networks = _networks,
            Variables = _variables,
            Report = _report,
        });
        try
        {
            _images.Boot(machine);
            return machine;
        }
        catch
        {
            machine.Dispose();
            throw;
        }
    }

    private async Task<VcpuStop> RunOnce(PlatformMachine machine)
    {
        using PlatformMachine owned = machine;
        _next = null;
        lock (_lock)
        {
            if (_stopRequested) return VcpuStop.Requested;
            _machine = machine;
            if (_resetRequested) machine.RequestReset();
            _resetRequested = false;
        }
        long begin = Stopwatch.GetTimestamp();
        if (Tracing.Lifecycle) FastXenEventSource.Log.DomainStarted(Number);
        try
        {
            return await Scheduling.RunAsync(machine, _config.Clock == ClockSource.Deterministic).ConfigureAwait(false);
        }
        finally
        {
            Statistics = Statistics.With(machine.Processors, Stopwatch.GetElapsedTime(begin));
            HottestRegions = [.. HottestRegions.Concat(machine.Processor.TranslatorProfile(ProfiledRegions)).OrderByDescending(region => region.ExecutedSlots).Take(ProfiledRegions)];
            // Nobody may look at a machine that is gone.
            lock (_lock) _machine = null;
            if (Tracing.Lifecycle) FastXenEventSource.Log.DomainStopped(Number, machine.StopReason.ToString());
        }
    }

    private void OpenDisk(DiskConfig disk)
    {
        DiskImage.CheckWritable(disk);
        RawImage image = RawImage.Open(disk.Path, disk.ReadOnly);
        _backends.Add(image);
        string name = Path.GetFileName(disk.Path);
        _disks.Add(new DiskDevice(image, name.Length <= 20 ? name : name[..20]));
    }

    private void OpenNetwork(NetworkConfig network, int index)
    {
        INetBackend backend = network.Type == NetworkType.Tap
            ? TapBackend.Open(network.Device!)
            : new NatBackend(new NatOptions
            {
                HostForwards = [.. network.HostForwards.Select(static forward =>
                    new Platform.Net.Nat.HostForward(forward.Protocol == ForwardProtocol.Udp, forward.Host.Address, forward.Host.Port, forward.GuestPort))],
            });
        _backends.Add(backend);
        _networks.Add(new NetworkDevice(backend, MacAddress.Read(network.Mac ?? DefaultMac(index))));
    }

    // Locally administered; the guest's name and the interface's number make it the same in each run and differ between guests.
    private byte[] DefaultMac(int index)
    {
        byte[] digest = System.Security.Cryptography.SHA256.HashData(System.Text.Encoding.UTF8.GetBytes($"{_config.Name}/{index}"));
        return [0x52, 0x54, 0x00, digest[0], digest[1], digest[2]];
    }

    /// <summary>Writes disks out to the host's media and closes what the guest used. Not while it runs.</summary>
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
        }
        _disks.Clear();
        _next?.Dispose();
        foreach (IDisposable backend in _backends) backend.Dispose();
        _backends.Clear();
        DomainMetrics.Remove(this);
        if (Tracing.Lifecycle && Number != 0) FastXenEventSource.Log.DomainDestroyed(Number);
    }
}
