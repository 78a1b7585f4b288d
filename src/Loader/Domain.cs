using System.Diagnostics;
using FastXen.Core;
using FastXen.Events;
using FastXen.Loader.Configuration;
using FastXen.Loader.Dumps;
using FastXen.Loader.Hosting;
using FastXen.Loader.Machines;
using FastXen.Loader.Scheduling;
using FastXen.Loader.Xen;
using FastXen.Platform.Uart;

namespace FastXen.Loader;

/// <summary>
/// A guest as its config describes it: what outlives a reboot (images, disks, networks, EFI variables), and the machine of the present power-on.
/// </summary>
public sealed class Domain : IDisposable
{
    private const int ProfiledRegions = 40;

    private readonly GuestConfig _config;
    private readonly Action<string> _report;
    private readonly IGuest _guest;
    private readonly Lock _lock = new();
    private ICharacterBackend? _console;
    // Made, and not yet run.
    private IGuestMachine? _next;
    private IGuestMachine? _machine;
    private PendingSave? _save;
    private bool _stopRequested;
    private bool _resetRequested;
    // What somebody else than the guest asked for: its end, or a new start.
    private bool _endAsked;
    private bool _rebootAsked;
    // Completes when a machine that is kept is to go.
    private TaskCompletionSource? _kept;

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

    /// <summary>Its guest has ended for this reason, and it is kept as it is; <see cref="VcpuStop.None"/> where it runs. Any thread.</summary>
    public VcpuStop KeptAfter { get; private set; }

    /// <summary>The guest has ended, for this reason, and is kept as it is.</summary>
    public event Action<VcpuStop>? Kept;

    /// <summary>The guest has crashed, and a core file was written, or could not be: what was done.</summary>
    public event Action<string>? Dumped;

    /// <summary>With <see cref="TranslatorOptions.Profile"/>: the regions in which most instructions ran, hottest first, of the runs that ended.</summary>
    public IReadOnlyList<RegionProfile> HottestRegions { get; private set; } = [];

    /// <summary>
    /// Checks and opens all that the config names, the console excepted; what is wrong is a <see cref="LoadException"/>.
    /// <paramref name="report"/> is told, in a sentence, when the guest stops for a reason that it did not ask for.
    /// </summary>
    public Domain(GuestConfig config, Action<string> report, DomainSurroundings host)
        : this(config, report, host, config.Personality == Personality.Xen
            ? () => new XenGuest(host, config, report)
            : () => new PlatformGuest(config, host, report))
    {
    }

    /// <summary>A domain whose machines somebody else makes.</summary>
    internal Domain(GuestConfig config, Action<string> report, DomainSurroundings host, Func<IGuest> guest)
    {
        // From here on a listener finds the source, whether or not something has been traced.
        _ = FastXenEventSource.Log;
        EngineRequirements.Check(config.Engine, config.Source);
        _config = config;
        _report = report;
        Scheduling = new DomainScheduling(host.Scheduler, config);
        _guest = guest();
        _guest.Failed = Fail;
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
                (VcpuStop reason, bool startsAgain) = await RunOnce(_next ?? throw new InvalidOperationException("not powered on")).ConfigureAwait(false);
                if (!startsAgain) return reason;
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
            _kept?.TrySetResult();
        }
    }

    /// <summary>
    /// A part of the host that serves this guest broke: the guest ends as <see cref="VcpuStop.Crashed"/>, with a report of what it was and where its processors are.
    /// Others run on. Any thread.
    /// </summary>
    public void Fail(string what, Exception e)
    {
        ArgumentNullException.ThrowIfNull(e);
        string reason = $"internal error in {what}: {e}";
        lock (_lock)
        {
            _stopRequested = true;
            if (_machine is { } machine) machine.Fail(reason);
            else _report(reason);
            Scheduling.End();
        }
    }

    /// <summary>
    /// Asks a guest that listens to shut itself down (by its power button; by control/shutdown on Xen); with <paramref name="thenReboot"/> it is started again when it
    /// has powered off. False when the guest does not listen. Any thread.
    /// </summary>
    public bool AskToShutDown(bool thenReboot = false)
    {
        lock (_lock)
        {
            if (KeptAfter != VcpuStop.None || !(_machine?.AskToShutDown(thenReboot) ?? false)) return false;
            _rebootAsked = thenReboot;
            _endAsked = !thenReboot;
            return true;
        }
    }

    /// <summary>Resets the machine without asking the guest; where it is only being made, as soon as it runs. Any thread.</summary>
    public void Reset()
    {
        lock (_lock)
        {
            _resetRequested = _machine is null;
            _rebootAsked = true;
            _machine?.RequestReset();
            Scheduling.End();
            _kept?.TrySetResult();
        }
    }

    /// <summary>A guest that has suspended itself, and whose machine is kept, goes on. Any thread; it does so soon.</summary>
    internal void TakeUpAgain()
    {
        lock (_lock)
        {
            if (_machine?.AskToGoOn() ?? false) Scheduling.End();
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
                WriteCore(_machine ?? throw new HostException($"{_config.Name} is not running"), file);
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

    private void WriteCore(IGuestMachine machine, string file)
    {
        using FileStream stream = new(file, new FileStreamOptions { Mode = FileMode.Create, Access = FileAccess.Write, UnixCreateMode = UnixFileMode.UserRead | UnixFileMode.UserWrite });
        CoreDump.Write(machine, $$"""{"name":"{{_config.Name}}","memoryBytes":{{machine.MemoryBytes}},"vcpus":{{machine.Processors.Count}}}""", stream);
    }

    /// <summary>Who makes its machines.</summary>
    internal IGuest Guest => _guest;

    /// <summary>Asks a guest to have so many processors online, of those that it was made with. False for one that cannot be asked.</summary>
    public bool AskForVcpus(int count)
    {
        lock (_lock) return _machine?.AskForVcpus(count) ?? false;
    }

    /// <summary>Asks a guest to give memory back, or to take it again, until it has so many bytes. False for one that cannot be asked.</summary>
    public bool AskForMemory(ulong bytes)
    {
        lock (_lock) return _machine?.AskForMemory(bytes) ?? false;
    }

    /// <summary>Why nothing can be asked of the guest; null where there is no such reason. Any thread.</summary>
    public string? CannotBeAsked
    {
        get { lock (_lock) return _machine?.CannotBeAsked; }
    }

    /// <summary>Bytes of memory that the guest has: what it was made with, unless it gave some back.</summary>
    public ulong MemoryBytes
    {
        get { lock (_lock) return (_machine ?? _next)?.MemoryBytes ?? _config.Memory; }
    }

    /// <summary>How many processors the guest has, up or down.</summary>
    public int Vcpus
    {
        get { lock (_lock) return (_machine ?? _next)?.Processors.Count ?? _config.Vcpus; }
    }

    /// <summary>
    /// Has the guest suspend itself and writes it to a file, from which <see cref="SaveFile.ReadConfig"/> has it go on; then the domain ends, or goes on here as well
    /// with <paramref name="goesOn"/>. A guest that cannot be saved, or does not suspend itself within the grace time, and a file that cannot be
    /// written, are a <see cref="HostException"/>: then it goes on. Any thread.
    /// </summary>
    public async Task SaveAsync(string file, bool goesOn, TimeSpan grace)
    {
        PendingSave save = new(file, goesOn);
        lock (_lock)
        {
            if (_config.Personality != Personality.Xen) throw new HostException($"{_config.Name} has the platform personality: only a domain on the Xen interface can be saved");
            if (_machine is null) throw new HostException($"{_config.Name} is not running");
            if (_config.HasPciDevices) throw new HostException($"{_config.Name} has devices on a PCI bus, which cannot be saved");
            if (_save is not null) throw new HostException($"{_config.Name} is being saved already");
            if (!_machine.AskToSuspend()) throw new HostException($"{_config.Name} {_machine.CannotBeAsked ?? "does not watch control/shutdown (yet)"}: it cannot be asked to suspend itself");
            _save = save;
        }
        try
        {
            await save.Done.Task.WaitAsync(grace).ConfigureAwait(false);
        }
        catch (TimeoutException)
        {
            lock (_lock)
            {
                if (_save == save)
                {
                    _save = null;
                    _machine?.WithdrawSuspend();
                    throw new HostException($"{_config.Name} has not suspended itself after {grace.TotalSeconds:0.###} s");
                }
            }
            // It has begun meanwhile.
            await save.Done.Task.ConfigureAwait(false);
        }
    }

    // The guest has suspended itself. True: it goes on.
    private bool Save(IGuestMachine machine)
    {
        PendingSave? save;
        lock (_lock)
        {
            save = _save;
            _save = null;
            if (_stopRequested || save is null) return false;
        }
        try
        {
            SaveFile.Write(save.File, _config, machine.Save);
            if (save.GoesOn) machine.Resume();
            save.Done.SetResult();
            return save.GoesOn;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or InvalidOperationException)
        {
            machine.Resume();
            save.Done.SetException(new HostException($"{save.File}: {_config.Name} cannot be saved: {e.Message}"));
            return true;
        }
    }

    // A save that was asked for.
    private sealed record PendingSave(string File, bool GoesOn)
    {
        public TaskCompletionSource Done { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);
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
                return $"{_config.Name}: {MemorySize.Format(_config.Memory)}, {processors}{RunStatistics.Retired(machine.Processors)} instructions since power-on, ip 0x{machine.Processors[0].State->Ip:x}, {Reboots} reboots";
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
        lock (_lock) return _machine?.Processors[0].TranslatorStatistics;
    }

    // Whoever asked for an end, or a new start, gets it; else it is as the config says.
    private EndAction ActionAfter(VcpuStop reason)
    {
        lock (_lock)
        {
            bool ended = reason is VcpuStop.PowerOff or VcpuStop.Halted, reboots = _rebootAsked && (ended || reason == VcpuStop.Reboot), ends = _endAsked && ended;
            _rebootAsked = _endAsked = false;
            return _stopRequested || ends ? EndAction.Destroy
                : reboots ? EndAction.Restart
                : ended ? _config.Ends.OnPoweroff
                : reason switch
                {
                    VcpuStop.Reboot => _config.Ends.OnReboot,
                    VcpuStop.Crashed => _config.Ends.OnCrash,
                    _ => EndAction.Destroy,
                };
        }
    }

    // The machine's run is over. True: another one is to be made.
    private async Task<bool> EndAsync(IGuestMachine machine, VcpuStop reason)
    {
        EndAction action = ActionAfter(reason);
        switch (action)
        {
            case EndAction.Preserve:
                return await KeepAsync(reason).ConfigureAwait(false);
            case EndAction.CoredumpDestroy or EndAction.CoredumpRestart:
                string file = _config.Ends.CoreFile!;
                try
                {
                    lock (_lock) WriteCore(machine, file);
                    Dumped?.Invoke($"wrote its core to {file}");
                }
                catch (Exception e) when (e is IOException or UnauthorizedAccessException)
                {
                    Dumped?.Invoke($"{file}: its core cannot be written: {e.Message}");
                }
                return action == EndAction.CoredumpRestart;
            default:
                return action == EndAction.Restart;
        }
    }

    private async Task<bool> KeepAsync(VcpuStop reason)
    {
        Task gone;
        lock (_lock)
        {
            if (_stopRequested) return false;
            KeptAfter = reason;
            gone = (_kept = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously)).Task;
        }
        Kept?.Invoke(reason);
        await gone.ConfigureAwait(false);
        lock (_lock)
        {
            _kept = null;
            KeptAfter = VcpuStop.None;
            _rebootAsked = false;
            return !_stopRequested;
        }
    }

    private bool IsStopRequested
    {
        get { lock (_lock) return _stopRequested; }
    }

    private IGuestMachine Build() => _guest.PowerOn(Number, _console!);

    private async Task<(VcpuStop Reason, bool StartsAgain)> RunOnce(IGuestMachine machine)
    {
        using IGuestMachine owned = machine;
        _next = null;
        lock (_lock)
        {
            if (_stopRequested) return (VcpuStop.Requested, false);
            _machine = machine;
            if (_resetRequested) machine.RequestReset();
            _resetRequested = false;
        }
        long begin = Stopwatch.GetTimestamp();
        if (Tracing.Lifecycle) FastXenEventSource.Log.DomainStarted(Number);
        try
        {
            while (true)
            {
                VcpuStop reason = await Scheduling.RunAsync(machine).ConfigureAwait(false);
                if (machine.GoesOn()) continue;
                if (!machine.HasSuspended) return (reason, await EndAsync(machine, reason).ConfigureAwait(false) && !IsStopRequested);
                if (!Save(machine)) return (reason, false);
            }
        }
        finally
        {
            Statistics = Statistics.With(machine.Processors, Stopwatch.GetElapsedTime(begin));
            HottestRegions = [.. HottestRegions.Concat(machine.Processors[0].TranslatorProfile(ProfiledRegions)).OrderByDescending(region => region.ExecutedSlots).Take(ProfiledRegions)];
            // Nobody may look at a machine that is gone.
            PendingSave? lost;
            lock (_lock)
            {
                _machine = null;
                lost = _save;
                _save = null;
            }
            lost?.Done.TrySetException(new HostException($"{_config.Name} is gone, and was not saved"));
            if (Tracing.Lifecycle) FastXenEventSource.Log.DomainStopped(Number, machine.StopReason.ToString());
        }
    }

    /// <summary>Writes disks out to the host's media and closes what the guest used. Not while it runs.</summary>
    public void Dispose()
    {
        _next?.Dispose();
        _guest.Dispose();
        DomainMetrics.Remove(this);
        if (Tracing.Lifecycle && Number != 0) FastXenEventSource.Log.DomainDestroyed(Number);
    }
}
