using FastXen.Core;

namespace FastXen.Loader;

/// <summary>How much a guest ran.</summary>
/// <param name="RetiredSlots">Instruction slots that retired: predicated-off instructions and nops are among them.</param>
/// <param name="Elapsed">Time for which the processor was running or idle.</param>
/// <param name="Translator">What the translator did; null where it did not run.</param>
public readonly record struct RunStatistics(ulong RetiredSlots, TimeSpan Elapsed, TranslatorStatistics? Translator = null)
{
    /// <summary>These, and a run of a processor that ended.</summary>
    internal unsafe RunStatistics With(Vcpu processor, TimeSpan elapsed) =>
        new(RetiredSlots + processor.State->Retired, Elapsed + elapsed, TranslatorStatistics.Sum(Translator, processor.TranslatorStatistics));

    /// <summary>One JSON object.</summary>
    public string ToJson()
    {
        double seconds = Elapsed.TotalSeconds;
        string translator = Translator is null ? "" : $",\"translator\":{Translator.ToJson()}";
        return $$"""{"retiredSlots":{{RetiredSlots}},"seconds":{{seconds:F6}},"slotsPerSecond":{{(seconds > 0 ? RetiredSlots / seconds : 0):F0}}{{translator}}}""";
    }
}
