namespace FastXen.Xen.Memory;

/// <summary>The memory that all domains of a host may have together, in bytes. Any thread; no lock.</summary>
public sealed class MemoryBudget(ulong limit)
{
    private ulong used;

    /// <summary>All of it.</summary>
    public ulong Limit => limit;

    /// <summary>What is taken.</summary>
    public ulong Used => Volatile.Read(ref used);

    /// <summary>What is left.</summary>
    public ulong Free => limit - Used;

    /// <summary>Takes some of it; false, and nothing is taken, where not as much is left.</summary>
    public bool TryTake(ulong bytes)
    {
        ulong now = Used;
        while (bytes <= limit - now)
        {
            ulong seen = Interlocked.CompareExchange(ref used, now + bytes, now);
            if (seen == now)
                return true;
            now = seen;
        }
        return false;
    }

    /// <summary>Gives back what was taken.</summary>
    public void Return(ulong bytes) => Interlocked.Add(ref used, unchecked(0 - bytes));
}
