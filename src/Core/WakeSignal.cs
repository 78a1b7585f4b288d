namespace FastXen.Core;

/// <summary>Wakes a vCPU that sleeps. A set that comes first is not lost.</summary>
public sealed class WakeSignal
{
    private readonly object gate = new();
    private bool set;

    /// <summary>Wakes the sleeper, or the next one. Any thread.</summary>
    public void Set()
    {
        lock (gate)
        {
            set = true;
            Monitor.Pulse(gate);
        }
    }

    /// <summary>Sleeps until <see cref="Set"/> or for about <paramref name="nanoseconds"/> (rounded up to milliseconds; <see cref="ulong.MaxValue"/>: without limit).</summary>
    public void Wait(ulong nanoseconds)
    {
        int milliseconds = nanoseconds == ulong.MaxValue ? Timeout.Infinite : (int)Math.Min((nanoseconds + 999_999) / 1_000_000, 1000);
        lock (gate)
        {
            if (!set)
                Monitor.Wait(gate, milliseconds);
            set = false;
        }
    }

}
