namespace FastXen.Smp;

/// <summary>How a <see cref="Scheduler"/> works. The defaults are those of Xen's credit scheduler.</summary>
public sealed record SchedulerOptions
{
    /// <summary>How many vCPUs there may be at once, over all domains.</summary>
    public int MaximumVcpus { get; init; } = 4096;

    /// <summary>Binds each host thread to one processor of those that the process may use.</summary>
    public bool PinHostThreads { get; init; }

    /// <summary>How long a vCPU runs before another of the same priority gets its turn; also the period of accounting.</summary>
    public TimeSpan TimeSlice { get; init; } = TimeSpan.FromMilliseconds(30);

    /// <summary>How long a vCPU runs at least before one that woke with a higher priority preempts it.</summary>
    public TimeSpan RateLimit { get; init; } = TimeSpan.FromMilliseconds(1);

    /// <summary>
    /// How long a host thread looks for work, at most, before it sleeps; it does so only while its waits are that short and the machine has a processor to
    /// spare. Zero: never.
    /// </summary>
    public TimeSpan LongestPoll { get; init; } = TimeSpan.FromMicroseconds(50);

    /// <summary>Whether the machine has a processor to spare, at a time; null: what the machine says.</summary>
    internal Func<long, bool>? HasRoom { get; init; }

    internal TimeProvider Clock { get; init; } = TimeProvider.System;

    // Ticks per slice, at which a boost ends and a vCPU begins to count as active.
    internal const int TicksPerSlice = 3;

    internal long SliceNanoseconds => TimeSlice.Ticks * TimeSpan.NanosecondsPerTick;

    internal long LongestPollNanoseconds => LongestPoll.Ticks * TimeSpan.NanosecondsPerTick;

    internal long RateLimitNanoseconds => RateLimit.Ticks * TimeSpan.NanosecondsPerTick;
}
