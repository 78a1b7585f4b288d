namespace FastXen.Traces.Report;

/// <summary>A time for which a vCPU ran on a host thread; nanoseconds since the trace began.</summary>
/// <param name="Start">Begin.</param>
/// <param name="End">End.</param>
/// <param name="Thread">The host thread.</param>
/// <param name="Slots">Instruction slots that retired.</param>
/// <param name="Reason">Why it ended; empty where the trace ended before.</param>
public readonly record struct RunSlice(long Start, long End, int Thread, ulong Slots, string Reason);

/// <summary>What a trace has of one vCPU.</summary>
/// <param name="domain">Number of its domain.</param>
/// <param name="vcpu">Its own.</param>
public sealed class VcpuTrace(int domain, int vcpu)
{
    /// <summary>Number of the domain.</summary>
    public int Domain => domain;

    /// <summary>Number in the domain.</summary>
    public int Vcpu => vcpu;

    /// <summary>When it had a host thread, in order.</summary>
    public List<RunSlice> Slices { get; } = [];

    /// <summary>Time on host threads, nanoseconds.</summary>
    public long RunTime { get; internal set; }

    /// <summary>Instruction slots that retired in <see cref="Slices"/>.</summary>
    public ulong Slots { get; internal set; }

    /// <summary>Ends of slices, by reason.</summary>
    public Dictionary<string, long> SwitchReasons { get; } = [];

    /// <summary>Returns from translated code, by reason.</summary>
    public Dictionary<string, ulong> Exits { get; } = [];

    /// <summary>Instructions that translated code left to their handlers, by opcode.</summary>
    public Dictionary<string, ulong> Handlers { get; } = [];

    /// <summary>Returns of which each was recorded (verbose).</summary>
    public long EachExits { get; internal set; }

    /// <summary>Interruptions, by vector.</summary>
    public Dictionary<int, long> Interruptions { get; } = [];

    /// <summary>TLB misses that were delivered (verbose), by vector.</summary>
    public Dictionary<int, long> TlbMisses { get; } = [];

    /// <summary>Purges of the translation caches.</summary>
    public long Purges { get; internal set; }

    /// <summary>External interrupts, by vector.</summary>
    public Dictionary<int, long> Interrupts { get; } = [];

    /// <summary>Hypercalls, by number.</summary>
    public Dictionary<int, LatencyCounts> Hypercalls { get; } = [];

    /// <summary>Firmware calls, by entry point and procedure.</summary>
    public Dictionary<(int Service, ulong Index), LatencyCounts> FirmwareCalls { get; } = [];

    /// <summary>Accesses of device registers.</summary>
    public Dictionary<(string Device, bool Write), LatencyCounts> DeviceAccesses { get; } = [];

    /// <summary>Translated regions: how long each took.</summary>
    public LatencyCounts Translations { get; } = new();

    /// <summary>Guest slots of the regions.</summary>
    public long TranslatedSlots { get; internal set; }

    /// <summary>Host bytes of the regions.</summary>
    public long TranslatedBytes { get; internal set; }

    /// <summary>From becoming runnable to running, of vCPUs that had been blocked.</summary>
    public LatencyCounts WakeToRun { get; } = new();

    /// <summary>Wakes, steals, preemptions.</summary>
    public Dictionary<string, long> Decisions { get; } = [];

    // When it was switched to, by the host thread that runs it. Events of one thread are in order, those of two may cross: a vCPU that moves can
    // be seen to come before it is seen to leave.
    internal Dictionary<int, long> Running { get; } = [];
    internal long WokenAt { get; set; } = -1;
}

/// <summary>What a trace has of one domain.</summary>
/// <param name="number">Its number.</param>
public sealed class DomainTrace(int number)
{
    /// <summary>Its number.</summary>
    public int Number => number;

    /// <summary>Its name; empty where the trace does not say.</summary>
    public string Name { get; internal set; } = "";

    /// <summary>RAM in bytes.</summary>
    public ulong Memory { get; internal set; }

    /// <summary>"platform" or "xen".</summary>
    public string Personality { get; internal set; } = "";

    /// <summary>What became of it, in order.</summary>
    public List<(long Time, string What)> Life { get; } = [];
}
