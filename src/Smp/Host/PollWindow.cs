namespace FastXen.Smp.Host;

/// <summary>
/// How long a host thread with nothing to do looks for work before it sleeps. It follows the last waits, as KVM's halt polling does: short waits, which a
/// poll would have answered without the host's wake-up, make it longer; one that no poll would have answered ends it.
/// </summary>
internal struct PollWindow(long most)
{
    /// <summary>The first window, in nanoseconds.</summary>
    public const long Shortest = 10_000;

    /// <summary>For how long to look at the next wait, in nanoseconds; 0: not at all.</summary>
    public long Nanoseconds { get; private set; }

    /// <summary>A wait of this length is over.</summary>
    public void Waited(long nanoseconds)
    {
        if (nanoseconds > most)
            Nanoseconds = 0;
        else if (nanoseconds > Nanoseconds)
            Nanoseconds = Math.Min(Math.Max(2 * Nanoseconds, Shortest), most);
    }
}
