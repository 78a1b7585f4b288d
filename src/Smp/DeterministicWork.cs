using FastXen.Core;

namespace FastXen.Smp;

/// <summary>
/// A single deterministic vCPU as something to schedule. It comes out every <see cref="Step"/> instructions, whatever the host does meanwhile, so that it
/// does the same each time.
/// </summary>
public sealed unsafe class DeterministicWork(Vcpu vcpu) : ISchedulable
{
    private const ulong Step = 200_000;

    private volatile bool preempted;

    /// <summary>The vCPU.</summary>
    public Vcpu Vcpu => vcpu;

    /// <inheritdoc/>
    public SliceOutcome RunSlice(long until)
    {
        for (; ; )
        {
            if (vcpu.State->Retired >= vcpu.RunLimit || vcpu.RunLimit == ulong.MaxValue)
                vcpu.RunLimit = (vcpu.State->Retired / Step + 1) * Step;
            switch (vcpu.RunSlice())
            {
                case VcpuPause.Stopped:
                    return SliceOutcome.Stopped;
                case VcpuPause.Blocked:
                    return SliceOutcome.Blocked;
            }

            if (preempted || System.Diagnostics.Stopwatch.GetTimestamp() >= until)
            {
                preempted = false;
                return SliceOutcome.Preempted;
            }
        }
    }

    /// <inheritdoc/>
    public void Preempt() => preempted = true;

    /// <inheritdoc/>
    public bool HasWork => vcpu.HasWork;

    /// <inheritdoc/>
    public long? WakeAt => null;

    /// <inheritdoc/>
    public Action? Woken
    {
        get => vcpu.Woken;
        set => vcpu.Woken = value;
    }

    /// <inheritdoc/>
    public bool Contended
    {
        set { }
    }

    /// <inheritdoc/>
    public (int Domain, int Vcpu) Number => (vcpu.DomainNumber, vcpu.Number);
}
