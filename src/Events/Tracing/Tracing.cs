using System.Diagnostics;
using System.Diagnostics.Tracing;

namespace FastXen.Events;

/// <summary>
/// Whether someone listens to a kind of event. An emit site costs a load and a branch while nobody does:
/// <c>if (Tracing.Tlb) FastXenEventSource.Log.TlbPurge(...);</c> and nothing where the build says <c>-p:FastXenTracing=false</c>.
/// </summary>
public static class Tracing
{
#if FASTXEN_TRACING
    private const bool Compiled = true;
#else
    private const bool Compiled = false;
#endif

    // Plain fields in a class without a static constructor: no check precedes an access.
    private static long informational;
    private static long verbose;
    private static bool delivery;
    private static int exitsBegan;

    [ThreadStatic]
    private static ulong current;

    /// <summary>Domains and vCPUs come and go.</summary>
    public static bool Lifecycle => IsOn(FastXenEventSource.Keywords.Lifecycle);

    /// <summary>vCPUs get and leave host threads.</summary>
    public static bool Scheduling => IsOn(FastXenEventSource.Keywords.Scheduling);

    /// <summary>What the scheduler accounts, at the verbose level.</summary>
    public static bool Credits => IsVerbose(FastXenEventSource.Keywords.Scheduling);

    /// <summary>Returns from translated code are reported as counts.</summary>
    public static bool Exits => IsOn(FastXenEventSource.Keywords.Exits);

    /// <summary>Each return from translated code is reported, at the verbose level.</summary>
    public static bool EachExit => IsVerbose(FastXenEventSource.Keywords.Exits);

    /// <summary>Interruptions are delivered to guests.</summary>
    public static bool Interruptions => IsOn(FastXenEventSource.Keywords.Interruptions);

    /// <summary>Someone wants to know of interruptions, or of those that are TLB misses.</summary>
    public static bool Delivery => Compiled && delivery;

    /// <summary>Hypercalls.</summary>
    public static bool Hypercalls => IsOn(FastXenEventSource.Keywords.Hypercalls);

    /// <summary>Calls of PAL, SAL, EFI and FPSWA.</summary>
    public static bool Firmware => IsOn(FastXenEventSource.Keywords.Firmware);

    /// <summary>Guest code is translated, and translations are forgotten.</summary>
    public static bool Translation => IsOn(FastXenEventSource.Keywords.Translation);

    /// <summary>The TLB is purged.</summary>
    public static bool Tlb => IsOn(FastXenEventSource.Keywords.Tlb);

    /// <summary>The guest's TLB miss handlers are called, at the verbose level.</summary>
    public static bool TlbMisses => IsVerbose(FastXenEventSource.Keywords.Tlb);

    /// <summary>Device registers are read and written.</summary>
    public static bool Devices => IsOn(FastXenEventSource.Keywords.Devices);

    /// <summary>External interrupts are injected.</summary>
    public static bool Interrupts => IsOn(FastXenEventSource.Keywords.Interrupts);

    /// <summary>Times that someone began to listen to <see cref="Exits"/>: what is reported as differences of counts starts anew then.</summary>
    public static int ExitsBegan => Volatile.Read(ref exitsBegan);

    /// <summary>The domain whose vCPU this thread runs.</summary>
    public static int Domain => (int)(current >> 32);

    /// <summary>The vCPU that this thread runs.</summary>
    public static int Vcpu => (int)current;

    /// <summary>This thread runs a vCPU from now on: what happens on it belongs to that one.</summary>
    [Conditional("FASTXEN_TRACING")]
    public static void Run(int domain, int vcpu) => current = (ulong)(uint)domain << 32 | (uint)vcpu;

    internal static void Follow(EventSource source)
    {
        bool exits = Exits;
        informational = Enabled(EventLevel.Informational);
        verbose = Enabled(EventLevel.Verbose);
        delivery = Interruptions || TlbMisses;
        if (Exits && !exits)
            Interlocked.Increment(ref exitsBegan);

        long Enabled(EventLevel level)
        {
            long enabled = 0;
            for (long keyword = 1; keyword <= (long)FastXenEventSource.Keywords.Last; keyword <<= 1)
            {
                if (source.IsEnabled(level, (EventKeywords)keyword))
                    enabled |= keyword;
            }

            return enabled;
        }
    }

    private static bool IsOn(EventKeywords keyword) => Compiled && (informational & (long)keyword) != 0;

    private static bool IsVerbose(EventKeywords keyword) => Compiled && (verbose & (long)keyword) != 0;
}
