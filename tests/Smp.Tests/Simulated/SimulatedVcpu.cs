namespace FastXen.Smp.Tests.Simulated;

/// <summary>
/// A vCPU in simulated time. It is busy for <see cref="Burst"/>, then blocks for <see cref="Sleep"/>, and so on; by default it is always busy.
/// </summary>
internal sealed class SimulatedVcpu(TimeProvider clock) : ISchedulable
{
    public const long Forever = long.MaxValue / 4;

    private long wakeAt = long.MaxValue;
    private bool waits, requested;

    public long Burst { get; init; } = Forever;

    /// <summary><see cref="Forever"/>: until <see cref="Request"/>.</summary>
    public long Sleep { get; init; }

    /// <summary>Nothing but spinning.</summary>
    public bool Spins { get; init; }

    public long Left { get; private set; }

    public bool IsPreempted { get; private set; }

    public int Bursts { get; private set; }

    public Action? Woken { get; set; }

    public bool Contended { private get; set; }

    public bool HasWork => !waits || requested || clock.GetTimestamp() >= wakeAt;

    public long? WakeAt => wakeAt == long.MaxValue ? null : wakeAt;

    public SimulatedVcpu Waiting()
    {
        waits = true;
        return this;
    }

    public void Request()
    {
        requested = true;
        Woken?.Invoke();
    }

    public void Preempt() => IsPreempted = true;

    public SliceOutcome RunSlice(long until) => throw new NotSupportedException("Simulated time only.");

    /// <summary>It begins a slice; returns how long it would run.</summary>
    public long Begin()
    {
        if (Left <= 0)
        {
            waits = requested = false;
            wakeAt = long.MaxValue;
            Left = Burst;
            Bursts++;
        }

        return Spins && Contended ? Math.Min(Left, 20_000) : Left;
    }

    /// <summary>It has run for this long.</summary>
    public SliceOutcome End(long ran)
    {
        IsPreempted = false;
        Left -= ran;
        if (Left > 0)
            return Spins && Contended ? SliceOutcome.Yielded : SliceOutcome.Preempted;
        waits = true;
        wakeAt = Sleep == Forever ? long.MaxValue : clock.GetTimestamp() + Sleep;
        // Something came while it ran.
        if (!requested)
            return SliceOutcome.Blocked;
        waits = false;
        return SliceOutcome.Preempted;
    }
}
