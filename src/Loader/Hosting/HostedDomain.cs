using FastXen.Core;
using FastXen.Loader.Configuration;
using FastXen.Loader.Scheduling;
using FastXen.Loader.Xen;
using FastXen.Platform.Uart;
using FastXen.Smp;

namespace FastXen.Loader.Hosting;

/// <summary>A domain of a host: its name and number, its console, and what can be asked of it. Any thread.</summary>
public sealed class HostedDomain
{
    private const int MostReports = 16;

    private readonly Host _host;
    private readonly Lock _lock = new();
    private readonly List<string> _reports = [];
    private readonly TaskCompletionSource<VcpuStop> _ended = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly ICharacterBackend? _place;
    private bool _begun;
    private bool _dying;
    private bool _asked;

    internal HostedDomain(Host host, int id, GuestConfig config, Func<HostedDomain, Action<string>, Domain> make)
    {
        _host = host;
        Id = id;
        Config = config;
        Name = config.Name;
        Domain = make(this, Report);
        try
        {
            _place = host.OpenConsole(this);
            Console = new DomainConsole(_place);
            Domain.Announce(id);
            Domain.PowerOn(Console);
        }
        catch
        {
            Domain.Dispose();
            (_place as IDisposable)?.Dispose();
            throw;
        }
        Domain.Rebooted += () => Tell(HostEventKind.Rebooted);
        Domain.Kept += reason => Tell(HostEventKind.Preserved, reason == VcpuStop.Crashed ? "it crashed" : reason == VcpuStop.Reboot ? "it rebooted" : "it powered off");
        Domain.Dumped += what => Tell(HostEventKind.Dumped, what);
    }

    /// <summary>Its number: 0 for dom0, else from 1 on; seldom used again by this host, and never at once.</summary>
    public int Id { get; }

    /// <summary>Its name, which no other domain of the host has.</summary>
    public string Name { get; internal set; }

    /// <summary>What it was made from.</summary>
    public GuestConfig Config { get; }

    /// <summary>The guest itself. Its statistics stay readable after the end.</summary>
    public Domain Domain { get; }

    /// <summary>Its console.</summary>
    public DomainConsole Console { get; }

    /// <summary>Since when it exists, as <see cref="HostLog.Now"/> tells the time.</summary>
    public TimeSpan Created { get; internal set; }

    /// <summary>Completes when the domain is gone: its machine, its disks, its console and its entry in the host.</summary>
    public Task<VcpuStop> Ended => _ended.Task;

    /// <summary>What it said of reasons to stop that its guest did not ask for.</summary>
    public IReadOnlyList<string> Reports
    {
        get { lock (_lock) return [.. _reports]; }
    }

    /// <summary>What it is doing.</summary>
    public DomainState State
    {
        get
        {
            lock (_lock)
            {
                if (_dying) return DomainState.Dying;
                if (Domain.KeptAfter is not VcpuStop.None and var end) return end == VcpuStop.Crashed ? DomainState.Crashed : DomainState.ShuttingDown;
                if (Scheduling.IsPaused) return DomainState.Paused;
                if (_asked) return DomainState.ShuttingDown;
            }
            IReadOnlyList<ScheduledVcpu> vcpus = Scheduling.Vcpus;
            return vcpus.Count == 0 || vcpus.Any(static vcpu => vcpu.Statistics.Phase is VcpuPhase.Running or VcpuPhase.Queued)
                ? DomainState.Running
                : DomainState.Blocked;
        }
    }

    /// <summary>Takes its processors off the host threads. When this returns none is in guest code. A domain that is paused stays so.</summary>
    public void Pause()
    {
        if (Scheduling.Pause()) Tell(HostEventKind.Paused);
    }

    /// <summary>Lets a paused domain run again.</summary>
    public void Unpause()
    {
        if (Scheduling.Unpause()) Tell(HostEventKind.Unpaused);
    }

    internal DomainScheduling Scheduling => Domain.Scheduling;

    /// <summary>
    /// Asks the guest to shut down, by its power button, and stops it when it has not done so after the grace time. Completes when the domain is gone.
    /// A guest that does not listen to its power button is stopped at once with <paramref name="force"/>, and otherwise refused.
    /// </summary>
    public async Task<VcpuStop> ShutdownAsync(TimeSpan grace, bool force)
    {
        if (!Ask(HostEventKind.AskedToShutDown, grace, force))
        {
            _host.Log.Write($"{Name} ({Id}): does not listen to its power button: stopped at once");
            Destroy();
            return await Ended.ConfigureAwait(false);
        }
        try
        {
            return await Ended.WaitAsync(grace).ConfigureAwait(false);
        }
        catch (TimeoutException)
        {
            _host.Log.Write($"{Name} ({Id}): has not shut down after {grace.TotalSeconds:0.###} s");
            Destroy();
            return await Ended.ConfigureAwait(false);
        }
    }

    /// <summary>
    /// As <see cref="ShutdownAsync"/>, but the guest is started again, and its machine is reset where it is not asked or does not obey. Completes when
    /// the guest starts again, or is gone.
    /// </summary>
    public async Task RebootAsync(TimeSpan grace, bool force)
    {
        TaskCompletionSource rebooted = new(TaskCreationOptions.RunContinuationsAsynchronously);
        void Tell() => rebooted.TrySetResult();
        Domain.Rebooted += Tell;
        try
        {
            if (!Ask(HostEventKind.AskedToReboot, grace, force)) Domain.Reset();
            Task done = Task.WhenAny(rebooted.Task, Ended);
            try
            {
                await done.WaitAsync(grace).ConfigureAwait(false);
            }
            catch (TimeoutException)
            {
                _host.Log.Write($"{Name} ({Id}): has not shut down after {grace.TotalSeconds:0.###} s");
                Domain.Reset();
                await done.ConfigureAwait(false);
            }
        }
        finally
        {
            Domain.Rebooted -= Tell;
            lock (_lock) _asked = false;
        }
    }

    /// <summary>As <see cref="Domain.SaveAsync"/>. Without <paramref name="goesOn"/> it completes when the domain is gone.</summary>
    public async Task SaveAsync(string file, bool goesOn, TimeSpan grace)
    {
        if (Scheduling.IsPaused) throw new HostException($"{Name} is paused: unpause it first");
        await Domain.SaveAsync(file, goesOn, grace).ConfigureAwait(false);
        Tell(HostEventKind.Saved, file);
        if (!goesOn) await Ended.ConfigureAwait(false);
    }

    /// <summary>Stops the domain as if its plug were pulled. <see cref="Ended"/> tells when it is gone.</summary>
    public void Destroy()
    {
        lock (_lock) _dying = true;
        Domain.RequestStop();
        // What a toolstack made and gave no vCPUs was never run: it ends all the same. On another thread: the end waits for processors, which may wait for the caller.
        if (Domain.Guest is ToolstackGuest) _ = Task.Run(RunToEndAsync);
    }

    /// <summary>As <see cref="Domain.Fail"/>.</summary>
    public void Fail(string what, Exception e) => Domain.Fail(what, e);

    /// <summary>Runs the guest to its end. When called again, nothing.</summary>
    internal async Task RunToEndAsync()
    {
        if (Interlocked.Exchange(ref _begun, true)) return;
        VcpuStop reason = await Domain.RunAsync().ConfigureAwait(false);
        lock (_lock) _dying = true;
        Console.End();
        (_place as IDisposable)?.Dispose();
        Domain.Dispose();
        _host.Remove(this);
        Tell(reason switch
        {
            VcpuStop.PowerOff or VcpuStop.Halted => HostEventKind.PoweredOff,
            VcpuStop.Crashed => HostEventKind.Crashed,
            _ => HostEventKind.Destroyed,
        });
        _ended.SetResult(reason);
        if (Config.IsPrivileged && reason is VcpuStop.PowerOff or VcpuStop.Halted) _host.PowerOffXen();
    }

    // False: the guest was not asked, and the caller may do as it likes.
    private bool Ask(HostEventKind kind, TimeSpan grace, bool force)
    {
        if (Scheduling.IsPaused)
        {
            if (!force) throw new HostException($"{Name} is paused: unpause it first");
            Unpause();
        }
        lock (_lock) _asked = true;
        if (Domain.AskToShutDown(thenReboot: kind == HostEventKind.AskedToReboot))
        {
            Tell(kind, $"{grace.TotalSeconds:0.###} s from now at the latest");
            return true;
        }
        if (force) return false;
        lock (_lock) _asked = false;
        throw new HostException($"{Name} {Domain.CannotBeAsked ?? (Config.Personality == Personality.Xen ? "does not watch control/shutdown (yet)" : "does not listen to its power button (yet)")}: it cannot be asked, only forced");
    }

    private void Report(string text)
    {
        lock (_lock)
        {
            // One that starts again and again has something to say each time.
            if (_reports.Count == MostReports) _reports.RemoveAt(0);
            _reports.Add(text);
        }
        Tell(HostEventKind.Reported, text);
    }

    private void Tell(HostEventKind kind, string detail = "") => _host.Tell(this, kind, detail);
}
