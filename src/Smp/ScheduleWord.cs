namespace FastXen.Smp;

/// <summary>
/// All of a vCPU's scheduling state that more than one thread changes, in one word: every transition is one compare-and-swap, so that of
/// several threads which want it (an owner, thieves, wakers, pausers) exactly one gets it.
/// </summary>
/// <remarks>Bits: 0-2 phase, 3-4 class, 5 wake-up pending, 8-15 host thread, 16-18 holds, 32-47 pause count.</remarks>
internal readonly record struct ScheduleWord(ulong Bits)
{
    private const ulong PhaseMask = 7, ClassMask = 3UL << 3, HostMask = 0xFFUL << 8, PauseOne = 1UL << 32, PauseMask = 0xFFFFUL << 32;

    /// <summary>Woken while it ran: it must not block before it has looked again.</summary>
    private const ulong WakeBit = 1UL << 5;

    /// <summary>Its domain has used up its cap.</summary>
    public const ulong Parked = 1UL << 16;

    /// <summary>It has used up its reservation and may not run in extra time.</summary>
    public const ulong Depleted = 1UL << 17;

    /// <summary>It is being removed.</summary>
    public const ulong Leaving = 1UL << 18;

    private const ulong HoldMask = Parked | Depleted | Leaving | PauseMask;

    public VcpuPhase Phase => (VcpuPhase)(Bits & PhaseMask);

    public SchedulingClass Class => (SchedulingClass)((Bits & ClassMask) >> 3);

    /// <summary>The host thread that runs it, has it in its queue, or had it last.</summary>
    public int Host => (int)((Bits & HostMask) >> 8);

    public bool WakePending => (Bits & WakeBit) != 0;

    public bool IsHeld => (Bits & HoldMask) != 0;

    public int Pauses => (int)((Bits & PauseMask) >> 32);

    public bool Has(ulong flag) => (Bits & flag) != 0;

    public ScheduleWord With(VcpuPhase phase) => new(Bits & ~PhaseMask | (ulong)phase);

    public ScheduleWord With(SchedulingClass priority) => new(Bits & ~ClassMask | (ulong)priority << 3);

    public ScheduleWord On(int host) => new(Bits & ~HostMask | (ulong)host << 8);

    public ScheduleWord With(ulong flag) => new(Bits | flag);

    public ScheduleWord Without(ulong flag) => new(Bits & ~flag);

    public ScheduleWord Woken() => new(Bits | WakeBit);

    public ScheduleWord Unwoken() => new(Bits & ~WakeBit);

    public ScheduleWord Paused() => Pauses < 0xFFFF ? new(Bits + PauseOne) : throw new InvalidOperationException("A vCPU was paused more than 65535 times.");

    public ScheduleWord Unpaused() => Pauses > 0 ? new(Bits - PauseOne) : throw new InvalidOperationException("A vCPU that is not paused cannot be unpaused.");
}
