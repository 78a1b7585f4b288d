using FastXen.Core;

namespace FastXen.Loader;

/// <summary>How much a guest ran.</summary>
/// <param name="RetiredSlots">Instruction slots that retired: predicated-off instructions and nops are among them.</param>
/// <param name="Elapsed">Time for which the processors were running or idle.</param>
/// <param name="Translator">What the translator did; null where it did not run.</param>
public readonly record struct RunStatistics(ulong RetiredSlots, TimeSpan Elapsed, TranslatorStatistics? Translator = null)
{
    /// <summary>These, and a run of a machine's processors that ended. The translator is theirs together.</summary>
    internal RunStatistics With(IReadOnlyList<Vcpu> processors, TimeSpan elapsed) =>
        new(RetiredSlots + Retired(processors), Elapsed + elapsed,
            TranslatorStatistics.Sum(Translator, processors[0].TranslatorStatistics));

    /// <summary>Instructions that processors retired since power-on; while they run, a moment's view.</summary>
    internal static unsafe ulong Retired(IReadOnlyList<Vcpu> processors)
    {
        ulong sum = 0;
        foreach (Vcpu processor in processors)
            sum += processor.State->Retired;
        return sum;
    }

    /// <summary>One JSON object.</summary>
    public string ToJson()
    {
        double seconds = Elapsed.TotalSeconds;
        string translator = Translator is null ? "" : $",\"translator\":{Translator.ToJson()}";
        return $$"""{"retiredSlots":{{RetiredSlots}},"seconds":{{seconds:F6}},"slotsPerSecond":{{(seconds > 0 ? RetiredSlots / seconds : 0):F0}}{{translator}}}""";
    }
}
