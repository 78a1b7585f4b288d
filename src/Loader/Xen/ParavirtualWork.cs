using FastXen.Smp;
using FastXen.Xen;
using FastXen.Xen.Processor;

namespace FastXen.Loader.Xen;

/// <summary>A vCPU of a paravirtualized domain as something to schedule: while it is down it waits for its start.</summary>
internal sealed class ParavirtualWork(ParavirtualMachine machine, ParavirtualVcpu vcpu) : ISchedulable
{
    private readonly VcpuWork _work = new(vcpu.Processor);

    /// <inheritdoc/>
    public SliceOutcome RunSlice(long until)
    {
        if (!vcpu.IsUp) return SliceOutcome.Blocked;
        SliceOutcome outcome = _work.RunSlice(until);
        return outcome == SliceOutcome.Stopped && machine.WentDown(vcpu) ? SliceOutcome.Blocked : outcome;
    }

    /// <inheritdoc/>
    public void Preempt() => _work.Preempt();

    /// <inheritdoc/>
    public bool HasWork => vcpu.IsUp && _work.HasWork;

    /// <inheritdoc/>
    public long? WakeAt => vcpu.IsUp ? _work.WakeAt : null;

    /// <inheritdoc/>
    public Action? Woken
    {
        get => _work.Woken;
        set => _work.Woken = value;
    }

    /// <inheritdoc/>
    public bool Contended
    {
        set => _work.Contended = value;
    }

    /// <inheritdoc/>
    public (int Domain, int Vcpu) Number => _work.Number;
}
