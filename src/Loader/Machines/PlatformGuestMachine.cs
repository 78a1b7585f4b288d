using FastXen.Core;
using FastXen.Loader.Configuration;
using FastXen.Loader.Images;
using FastXen.Mmu;
using FastXen.Platform;
using FastXen.Smp;

namespace FastXen.Loader.Machines;

/// <summary>The virtual Itanium machine as a guest's machine.</summary>
internal sealed class PlatformGuestMachine(PlatformMachine machine, GuestConfig config) : IGuestMachine
{
    public IReadOnlyList<Vcpu> Processors => machine.Processors;

    public PhysicalMemory Memory => machine.Memory;

    public IReadOnlyList<MemoryRange> Ram { get; } = DomainLayout.Of(config).Ram;

    public ulong MemoryBytes => config.Memory;

    public VcpuStop StopReason => machine.StopReason;

    public IReadOnlyList<ISchedulable> Work(Action<Vcpu> stopped)
    {
        if (config.Clock != ClockSource.Deterministic) return [.. machine.Processors.Select(static processor => new VcpuWork(processor))];
        // Processors that share one time run in turns: one thing to schedule.
        TurnTaking? turns = machine.Processors.Count == 1 ? null : new(machine.Processors) { Stopped = processor => stopped(processor) };
        return [new DeterministicWork(machine.Processors, turns)];
    }

    public bool Stopped(Vcpu processor) => machine.Stopped(processor);

    public VcpuStop Finish() => machine.Finish();

    public void RequestStop() => machine.RequestStop();

    public void RequestReset() => machine.RequestReset();

    // The power button says nothing of what comes then: whoever presses it starts the guest again.
    public bool AskToShutDown(bool thenReboot) => machine.PressPowerButton();

    public void Dispose() => machine.Dispose();
}
