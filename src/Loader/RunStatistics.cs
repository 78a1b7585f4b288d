using FastXen.Core;

namespace FastXen.Loader;

/// <summary>How much a guest ran.</summary>
/// <param name="RetiredSlots">Instruction slots that retired: predicated-off instructions and nops are among them.</param>
/// <param name="Elapsed">Time for which the processor was running or idle.</param>
public readonly record struct RunStatistics(ulong RetiredSlots, TimeSpan Elapsed)
{
    /// <summary>These, and a run of a processor that ended.</summary>
    internal unsafe RunStatistics With(Vcpu processor, TimeSpan elapsed) => new(RetiredSlots + processor.State->Retired, Elapsed + elapsed);

    /// <summary>One JSON object.</summary>
    public string ToJson()
    {
        double seconds = Elapsed.TotalSeconds;
        return $$"""{"retiredSlots":{{RetiredSlots}},"seconds":{{seconds:F6}},"slotsPerSecond":{{(seconds > 0 ? RetiredSlots / seconds : 0):F0}}}""";
    }
}
