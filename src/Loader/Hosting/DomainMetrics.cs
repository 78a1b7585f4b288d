using System.Collections.Concurrent;
using System.Diagnostics.Metrics;
using FastXen.Core;

namespace FastXen.Loader.Hosting;

/// <summary>
/// What a moment's look at a vCPU shows; counters start anew when its domain is reset.
/// </summary>
/// <param name="Number">Number in the domain.</param>
/// <param name="RunNanoseconds">Time on host threads, in slices that ended.</param>
/// <param name="Slots">Instruction slots that retired.</param>
/// <param name="Pauses">Slices by the reason of their end.</param>
/// <param name="Exits">Returns from translated code by their reason.</param>
public sealed record VcpuSample(
    int Number, long RunNanoseconds, ulong Slots, IReadOnlyList<(string Reason, long Count)> Pauses, IReadOnlyList<(string Reason, long Count)> Exits);

/// <summary>
/// The meter "FastXen": counts of the domains of this process, named as OpenTelemetry names metrics (docs/tracing.md). They are read only when somebody asks.
/// </summary>
internal static class DomainMetrics
{
    private static readonly ConcurrentDictionary<Domain, KeyValuePair<string, object?>> Domains = [];
    private static readonly Meter Meter = Make();

    /// <summary>Shows a domain.</summary>
    public static void Add(Domain domain, string name)
    {
        _ = Meter;
        Domains[domain] = new("domain", name);
    }

    /// <summary>A domain is gone.</summary>
    public static void Remove(Domain domain) => Domains.TryRemove(domain, out _);

    private static Meter Make()
    {
        Meter meter = new("FastXen");
        meter.CreateObservableUpDownCounter("fastxen.domain.count", static () => Domains.Count, "{domain}", "Domains.");
        meter.CreateObservableUpDownCounter("fastxen.vcpu.count", static () => Vcpus(static _ => 1L), "{vcpu}", "vCPUs of the domains that run.");
        meter.CreateObservableCounter("fastxen.vcpu.time", static () => Vcpus(static vcpu => vcpu.RunNanoseconds / 1e9), "s", "Time for which vCPUs had host threads.");
        meter.CreateObservableCounter("fastxen.vcpu.slots", static () => Vcpus(static vcpu => (long)vcpu.Slots), "{slot}", "Instruction slots that retired.");
        meter.CreateObservableCounter("fastxen.vcpu.slices", static () => Reasons(static vcpu => vcpu.Pauses), "{slice}", "Times that vCPUs left host threads.");
        meter.CreateObservableCounter("fastxen.vcpu.exits", static () => Reasons(static vcpu => vcpu.Exits), "{exit}", "Returns from translated code.");
        meter.CreateObservableCounter("fastxen.translations", static () => Translators(static translator => translator.Regions), "{region}", "Regions of guest code that were translated.");
        meter.CreateObservableCounter("fastxen.translation.size", static () => Translators(static translator => translator.HostBytes), "By", "Host code that was made.");
        meter.CreateObservableCounter("fastxen.translation.flushes", static () => Translators(static translator => translator.Flushes), "{flush}", "Times that the memory for host code was full.");
        return meter;
    }

    private static List<Measurement<T>> Vcpus<T>(Func<VcpuSample, T> value) where T : struct =>
        [.. from pair in Domains from vcpu in pair.Key.Sample() select new Measurement<T>(value(vcpu), pair.Value, new("vcpu", vcpu.Number))];

    private static List<Measurement<long>> Reasons(Func<VcpuSample, IReadOnlyList<(string Reason, long Count)>> counts) =>
    [
        .. from pair in Domains from vcpu in pair.Key.Sample() from one in counts(vcpu)
           select new Measurement<long>(one.Count, pair.Value, new("vcpu", vcpu.Number), new("reason", one.Reason)),
    ];

    private static List<Measurement<long>> Translators(Func<TranslatorStatistics, long> value) =>
        [.. from pair in Domains let translator = pair.Key.SampleTranslator() where translator is not null select new Measurement<long>(value(translator), pair.Value)];
}
