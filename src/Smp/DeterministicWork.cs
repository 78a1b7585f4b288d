using System.Diagnostics;
using FastXen.Core;

namespace FastXen.Smp;

/// <summary>
/// The deterministic vCPUs of a domain as one thing to schedule: a single one, or several that take turns (<see cref="TurnTaking"/>). They come out every
/// <see cref="Step"/> instructions, whatever the host does meanwhile, so that they do the same each time.
/// </summary>
public sealed unsafe class DeterministicWork : ISchedulable
{
    private const ulong Step = 200_000;

    private readonly IReadOnlyList<Vcpu> vcpus;
    private readonly TurnTaking? turns;
    private volatile bool preempted;

    /// <summary>Takes over <see cref="Vcpu.Woken"/> of the vCPUs. A single one has all turns, without <paramref name="turns"/>.</summary>
    public DeterministicWork(IReadOnlyList<Vcpu> vcpus, TurnTaking? turns)
    {
        ArgumentNullException.ThrowIfNull(vcpus);
        ArgumentOutOfRangeException.ThrowIfNotEqual(turns is null, vcpus.Count == 1);
        this.vcpus = vcpus;
        this.turns = turns;
    }

    /// <summary>There are several: each tells <see cref="TurnTaking.Stopped"/> when it stops.</summary>
    public bool TakesTurns => turns is not null;

    /// <inheritdoc/>
    public SliceOutcome RunSlice(long until)
    {
        for (; ; )
        {
            if ((turns is null ? RunAlone(vcpus[0]) : RunInTurns(turns)) is { } outcome)
                return outcome;
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
    public bool HasWork => turns?.HasWork ?? vcpus[0].HasWork;

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

    // A step; null: there is another.
    private static SliceOutcome? RunAlone(Vcpu vcpu)
    {
        if (vcpu.State->Retired >= vcpu.RunLimit || vcpu.RunLimit == ulong.MaxValue)
            vcpu.RunLimit = NextStep(vcpu.State->Retired);
        return vcpu.RunSlice() switch
        {
            VcpuPause.Stopped => SliceOutcome.Stopped,
            VcpuPause.Blocked => SliceOutcome.Blocked,
            _ => null,
        };
    }

    private static SliceOutcome? RunInTurns(TurnTaking turns)
    {
        turns.RunTo(NextStep(turns.Retired));
        return turns.IsOver ? SliceOutcome.Stopped : turns.IsIdle && !turns.HasWork ? SliceOutcome.Blocked : null;
    }

    private static ulong NextStep(ulong retired) => (retired / Step + 1) * Step;
}
