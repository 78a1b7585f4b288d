using System.Globalization;
using FastXen.Core;
using FastXen.Core.State;
using FastXen.Loader.Images;
using FastXen.Loader.Machines;
using FastXen.Mmu;
using FastXen.Smp;
using FastXen.Xen;
using FastXen.Xen.Console;
using FastXen.Xen.Memory;
using FastXen.Xen.Migration;
using FastXen.Xen.Xenstore;

namespace FastXen.Loader.Xen;

/// <summary>A domain on the Xen/ia64 interface as a guest's machine, with what the host's services know of it.</summary>
internal sealed class XenGuestMachine : IGuestMachine
{
    private readonly ParavirtualMachine _machine;
    private readonly HostConsole _console;
    private readonly Action<string> _report;
    private volatile bool _isKept;
    private volatile Vcpu[] _processors = [];
    private volatile bool _isAskedToEnd;
    private volatile bool _isToGoOn;
    private volatile int _ended;

    /// <summary>Takes over a machine that has been booted or is to be, and its console. <paramref name="isKept"/>: it stays when its guest has shut down.</summary>
    public XenGuestMachine(ParavirtualMachine machine, HostConsole console, Action<string> report, bool isKept = false)
    {
        _machine = machine;
        _console = console;
        _report = report;
        _isKept = isKept;
    }

    public IReadOnlyList<Vcpu> Processors => _processors.Length == _machine.Vcpus.Count
        ? _processors
        : _processors = [.. _machine.Vcpus.Select(static vcpu => vcpu.Processor)];

    public PhysicalMemory Memory => _machine.Arena;

    // A toolstack's domain has memory up to where it put it.
    public IReadOnlyList<MemoryRange> Ram => [new MemoryRange(0, Math.Max(_machine.Configuration.Memory, _machine.Domain.Memory.EndOfRam << Frame.Shift))];

    public ulong MemoryBytes => (ulong)_machine.Domain.Memory.Populated << Frame.Shift;

    public VcpuStop StopReason => (VcpuStop)_ended;

    public IReadOnlyList<ISchedulable> Work(Action<Vcpu> stopped)
    {
        _machine.HasShutDown = () => stopped(Processors[0]);
        // Those that are down wait.
        return [.. Processors.Select(static processor => new VcpuWork(processor))];
    }

    public bool Stopped(Vcpu processor)
    {
        Store.DomainStopped(_machine.Domain.Id);
        if (_isKept && !_isAskedToEnd) return false;
        Interlocked.CompareExchange(ref _ended, (int)_machine.StopReasonOf(processor), (int)VcpuStop.None);
        foreach (Vcpu other in Processors) other.RequestStop((VcpuStop)_ended);
        return true;
    }

    public VcpuStop Finish()
    {
        _console.Flush();
        if (StopReason == VcpuStop.Crashed && StateDump.OfCrashed(Processors) is { } crash)
            _report(crash + _machine.Vcpus.First(static vcpu => vcpu.Processor.CrashReason is not null).RecentHypercalls);
        return StopReason;
    }

    public void RequestStop() => RequestStop(VcpuStop.Requested);

    public void Fail(string reason)
    {
        _isAskedToEnd = true;
        if (Processors is [var first, ..]) first.Crash(reason);
        else _report(reason);
    }

    public void RequestReset() => RequestStop(VcpuStop.Reboot);

    public bool AskToShutDown(bool thenReboot)
    {
        // It is the host that ends it now, not its toolstack.
        bool isAsked = Ask(thenReboot ? "reboot" : "poweroff");
        if (isAsked) _isKept = false;
        return isAsked;
    }

    // What a device holds of memory cannot be saved.
    public bool AskToSuspend() => !_machine.HasPciDevices && Ask("suspend");

    public void WithdrawSuspend()
    {
        if (Store.Get(ShutdownNode) == "suspend") Store.Set(ShutdownNode, "");
    }

    public bool HasSuspended => _machine.ShutdownReason == ShutdownReason.Suspend && !_isAskedToEnd;

    public bool AskToGoOn() => _isToGoOn = _isKept && HasSuspended;

    public bool GoesOn()
    {
        if (!_isToGoOn || !HasSuspended) return false;
        _isToGoOn = false;
        Resume();
        return true;
    }

    public void Save(Stream to) => SavedDomain.Save(_machine, to);

    public void Resume()
    {
        _ended = (int)VcpuStop.None;
        Store.DomainResumed(_machine.Domain.Id);
        _machine.Resume();
    }

    private string ShutdownNode => $"{Home}/control/shutdown";

    public string? CannotBeAsked => _machine.Hypervisor.Store.TakenOverBy(_machine.Domain) is { } by
        ? string.Create(CultureInfo.InvariantCulture, $"has its xenstore from domain {by}, which took it over from the host")
        : null;

    private bool Ask(string what)
    {
        if (!Store.IsWatched(_machine.Domain.Id, ShutdownNode)) return false;
        Store.Set(ShutdownNode, what);
        return true;
    }

    public bool AskForVcpus(int count)
    {
        for (int vcpu = 0; vcpu < Processors.Count; vcpu++)
            DomainHome.SetAvailability(Store, _machine.Domain.Id, vcpu, vcpu < count);
        return true;
    }

    public bool AskForMemory(ulong bytes)
    {
        Store.Set(DomainHome.MemoryTargetOf(_machine.Domain.Id), (bytes >> 10).ToString(CultureInfo.InvariantCulture));
        return true;
    }

    private XenstoreServer Store => _machine.Hypervisor.Store.Server;

    private string Home => DomainHome.PathOf(_machine.Domain.Id);

    private void RequestStop(VcpuStop reason)
    {
        _isAskedToEnd = true;
        foreach (Vcpu processor in Processors) processor.RequestStop(reason);
    }

    public void Dispose()
    {
        _console.Dispose();
        _machine.Hypervisor.Devices.Detach(_machine.Domain);
        ushort number = _machine.Domain.Id;
        _machine.Hypervisor.Served.Leave(number);
        _machine.Hypervisor.Store.Release(number);
        _machine.Dispose();
        DomainHome.Remove(Store, number);
    }
}
