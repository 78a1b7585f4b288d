using FastXen.Core;

namespace FastXen.Smp;

/// <summary>A <see cref="Vcpu"/> as something to schedule.</summary>
public sealed class VcpuWork : ISchedulable
{
    /// <summary>Takes over the vCPU's <see cref="Vcpu.Woken"/>. Not for deterministic vCPUs: those of a domain take turns under one driver.</summary>
    public VcpuWork(Vcpu vcpu)
    {
        ArgumentNullException.ThrowIfNull(vcpu);
        Vcpu = vcpu;
    }

    /// <summary>The vCPU.</summary>
    public Vcpu Vcpu { get; }

    /// <inheritdoc/>
    public SliceOutcome RunSlice(long until)
    {
        Vcpu.RunUntil = until;
        return Vcpu.RunSlice() switch
        {
            VcpuPause.Stopped => SliceOutcome.Stopped,
            VcpuPause.Blocked => SliceOutcome.Blocked,
            VcpuPause.Yielded => SliceOutcome.Yielded,
            _ => SliceOutcome.Preempted,
        };
    }

    /// <inheritdoc/>
    public void Preempt() => Vcpu.Preempt();

    /// <inheritdoc/>
    public bool HasWork => Vcpu.HasWork;

    /// <inheritdoc/>
    public long? WakeAt => Vcpu.WakeAt;

    /// <inheritdoc/>
    public Action? Woken
    {
        get => Vcpu.Woken;
        set => Vcpu.Woken = value;
    }

    /// <inheritdoc/>
    public bool Contended
    {
        set => Vcpu.Overcommitted = value;
    }

    /// <inheritdoc/>
    public (int Domain, int Vcpu) Number => (Vcpu.DomainNumber, Vcpu.Number);
}
