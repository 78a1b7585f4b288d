using FastXen.Xen.EventChannels;

namespace FastXen.Xen.Processor;

/// <summary>
/// The timers that a vCPU sets by vcpu_op beside its interval timer, both of which raise VIRQ_TIMER; to a millisecond. Guests of ia64 have no use for them.
/// </summary>
internal sealed class VcpuTimers : IDisposable
{
    private const ulong Millisecond = 1_000_000, Longest = uint.MaxValue - 1;

    private readonly Timer _periodic, _once;

    public VcpuTimers(EventChannelTable channels, int vcpu)
    {
        void Fire(object? _) => channels.SendVirq(Virq.Timer, vcpu);
        _periodic = new Timer(Fire, null, Timeout.Infinite, Timeout.Infinite);
        _once = new Timer(Fire, null, Timeout.Infinite, Timeout.Infinite);
    }

    /// <summary>VCPUOP_set_periodic_timer: nanoseconds, of at least a millisecond.</summary>
    public void SetPeriod(ulong period) => _periodic.Change(Milliseconds(period), Milliseconds(period));

    /// <summary>VCPUOP_stop_periodic_timer.</summary>
    public void StopPeriodic() => _periodic.Change(Timeout.Infinite, Timeout.Infinite);

    /// <summary>VCPUOP_set_singleshot_timer: nanoseconds from now.</summary>
    public void SetOnce(ulong after) => _once.Change(Milliseconds(after), Timeout.Infinite);

    /// <summary>VCPUOP_stop_singleshot_timer.</summary>
    public void StopOnce() => _once.Change(Timeout.Infinite, Timeout.Infinite);

    /// <inheritdoc/>
    public void Dispose()
    {
        _periodic.Dispose();
        _once.Dispose();
    }

    private static long Milliseconds(ulong nanoseconds) => (long)Math.Min(nanoseconds / Millisecond + (nanoseconds % Millisecond != 0 ? 1u : 0), Longest);
}
