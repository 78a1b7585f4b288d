using System.Diagnostics;
using FastXen.Events;
using FastXen.Xen.Processor;

namespace FastXen.Xen.Hypercalls;

/// <summary>What traces see of hypercalls (docs/tracing.md): one event for each, or for each slice of a long one.</summary>
internal static unsafe partial class Hypercall
{
    private static void Trace(HypercallFrame* call, long result, long begin)
    {
        ParavirtualVcpu caller = call->Caller;
        ulong* a = call->Arguments;
        // Timestamps are nanoseconds on Linux.
        FastXenEventSource.Log.Hypercall(
            caller.Machine.Domain.Id, caller.Number, (int)call->Number, a[0], a[1], a[2], a[3], a[4], (ulong)result, (ulong)(Stopwatch.GetTimestamp() - begin));
    }
}
