using FastXen.Core;
using FastXen.Core.State;
using FastXen.Loader.Images;
using FastXen.Loader.Machines;
using FastXen.Mmu;
using FastXen.Smp;
using FastXen.Xen;
using FastXen.Xen.Console;
using FastXen.Xen.Xenstore;

namespace FastXen.Loader.Xen;

/// <summary>A domain on the Xen/ia64 interface as a guest's machine, with what the host's services know of it.</summary>
internal sealed class XenGuestMachine : IGuestMachine
{
    private readonly ParavirtualMachine _machine;
    private readonly HostConsole _console;
    private readonly Action<string> _report;
    private volatile int _ended;

    /// <summary>Takes over a machine that has been booted, and its console.</summary>
    public XenGuestMachine(ParavirtualMachine machine, HostConsole console, Action<string> report)
    {
        _machine = machine;
        _console = console;
        _report = report;
        Processors = [.. machine.Vcpus.Select(static vcpu => vcpu.Processor)];
        Ram = [new MemoryRange(0, machine.Configuration.Memory)];
    }

    public IReadOnlyList<Vcpu> Processors { get; }

    public PhysicalMemory Memory => _machine.Arena;

    public IReadOnlyList<MemoryRange> Ram { get; }

    public VcpuStop StopReason => (VcpuStop)_ended;

    public IReadOnlyList<ISchedulable> Work(Action<Vcpu> stopped)
    {
        ParavirtualWork[] works = [.. _machine.Vcpus.Select(vcpu => new ParavirtualWork(_machine, vcpu))];
        _machine.Started = vcpu => works[vcpu.Number].Woken?.Invoke();
        _machine.HasShutDown = () => stopped(Processors[0]);
        return works;
    }

    public bool Stopped(Vcpu processor)
    {
        Interlocked.CompareExchange(ref _ended, (int)_machine.StopReasonOf(processor), (int)VcpuStop.None);
        foreach (Vcpu other in Processors) other.RequestStop((VcpuStop)_ended);
        _machine.Hypervisor.Store.Server.DomainStopped(_machine.Domain.Id);
        return true;
    }

    public unsafe VcpuStop Finish()
    {
        _console.Flush();
        if (StopReason == VcpuStop.Crashed && Processors.FirstOrDefault(static processor => processor.CrashReason is not null) is { } crashed)
            _report($"{crashed.CrashReason}{Environment.NewLine}{StateDump.Of(crashed.State)}");
        return StopReason;
    }

    public void RequestStop() => RequestStop(VcpuStop.Requested);

    public void RequestReset() => RequestStop(VcpuStop.Reboot);

    public bool AskToShutDown(bool thenReboot)
    {
        XenstoreServer store = _machine.Hypervisor.Store.Server;
        string node = $"{DomainHome.PathOf(_machine.Domain.Id)}/control/shutdown";
        if (!store.IsWatched(_machine.Domain.Id, node)) return false;
        store.Set(node, thenReboot ? "reboot" : "poweroff");
        return true;
    }

    private void RequestStop(VcpuStop reason)
    {
        foreach (Vcpu processor in Processors) processor.RequestStop(reason);
    }

    public void Dispose()
    {
        _console.Dispose();
        ushort number = _machine.Domain.Id;
        XenstoreService store = _machine.Hypervisor.Store;
        store.Release(number);
        _machine.Dispose();
        DomainHome.Remove(store.Server, number);
    }
}
