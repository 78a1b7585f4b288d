namespace FastXen.Smp;

/// <summary>
/// A reservation in the manner of Xen 3's sedf scheduler: in each period each vCPU of the domain gets the slice, earliest deadline first, before all
/// credit-scheduled vCPUs.
/// </summary>
/// <param name="Period">How often, at least 100 microseconds.</param>
/// <param name="Slice">How much in each period, at most the period.</param>
/// <param name="ExtraTime">Whether it may also run in time that nobody else wants.</param>
public sealed record RealTimeParameters(TimeSpan Period, TimeSpan Slice, bool ExtraTime = false)
{
    internal long PeriodNanoseconds => Period.Ticks * TimeSpan.NanosecondsPerTick;

    internal long SliceNanoseconds => Slice.Ticks * TimeSpan.NanosecondsPerTick;

    internal double Utilization => (double)Slice.Ticks / Period.Ticks;

    internal void Check()
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(Period, TimeSpan.FromMicroseconds(100), nameof(Period));
        ArgumentOutOfRangeException.ThrowIfLessThanOrEqual(Slice, TimeSpan.Zero, nameof(Slice));
        ArgumentOutOfRangeException.ThrowIfGreaterThan(Slice, Period, nameof(Slice));
    }
}
