using System.Diagnostics;
using FastXen.Core;

namespace FastXen.Smp;

/// <summary>
/// The deterministic vCPUs of a domain as one thing to schedule: they take turns (<see cref="TurnTaking"/>), and come out every <see cref="Step"/> instructions, whatever
/// the host does meanwhile, so that they do the same each time.
/// </summary>
public sealed class TurnTakingWork(IReadOnlyList<Vcpu> vcpus, TurnTaking turns) : ISchedulable
{
    private const ulong Step = 200_000;

    private volatile bool preempted;

    /// <inheritdoc/>
    public SliceOutcome RunSlice(long until)
    {
        for (; ; )
        {
            turns.RunTo((turns.Retired / Step + 1) * Step);
            if (turns.IsOver)
                return SliceOutcome.Stopped;
            if (turns.IsIdle && !turns.HasWork)
                return SliceOutcome.Blocked;
            if (preempted || Stopwatch.GetTimestamp() >= until)
            {
                preempted = false;
                return SliceOutcome.Preempted;
            }
        }
    }

    /// <inheritdoc/>
    public void Preempt() => preempted = true;

    /// <inheritdoc/>
    public bool HasWork => turns.HasWork;

    /// <inheritdoc/>
    public long? WakeAt => null;

    /// <inheritdoc/>
    public Action? Woken
    {
        get => vcpus[0].Woken;
        set
        {
            foreach (Vcpu vcpu in vcpus)
                vcpu.Woken = value;
        }
    }

    /// <inheritdoc/>
    public bool Contended
    {
        set { }
    }

    /// <inheritdoc/>
    public (int Domain, int Vcpu) Number => (vcpus[0].DomainNumber, vcpus[0].Number);
}
