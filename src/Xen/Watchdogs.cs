namespace FastXen.Xen;

/// <summary>The watchdogs of a domain (sched.h, <c>SCHEDOP_watchdog</c>): each ends the domain unless the guest sets it again in time.</summary>
internal sealed class Watchdogs(Action bite) : IDisposable
{
    /// <summary>How many a domain has.</summary>
    public const int Count = 2;

    private readonly Lock _gate = new();
    private readonly Timer?[] _timers = new Timer?[Count];
    private bool _isDisposed;

    /// <summary>
    /// Sets watchdog <paramref name="id"/> (from 1; 0: a new one, whose number is the result) to <paramref name="seconds"/> from now; 0 seconds end it. A negative
    /// error number where that cannot be.
    /// </summary>
    public int Set(uint id, uint seconds)
    {
        lock (_gate)
        {
            if (_isDisposed)
                return -Errno.EINVAL;
            if (id == 0)
            {
                int free = Array.IndexOf(_timers, null);
                if (free < 0)
                    return -Errno.ENOSPC;
                _timers[free] = new Timer(_ => bite(), null, Due(seconds), Timeout.Infinite);
                return free + 1;
            }

            if (id > Count || _timers[id - 1] is not { } timer)
                return -Errno.EINVAL;
            if (seconds != 0)
            {
                timer.Change(Due(seconds), Timeout.Infinite);
                return 0;
            }

            timer.Dispose();
            _timers[id - 1] = null;
            return 0;
        }
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        lock (_gate)
        {
            _isDisposed = true;
            foreach (Timer? timer in _timers)
                timer?.Dispose();
        }
    }

    private static long Due(uint seconds) => Math.Min(seconds * 1000L, uint.MaxValue - 1);
}
