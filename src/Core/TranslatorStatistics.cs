using System.Globalization;
using System.Text;

namespace FastXen.Core;

/// <summary>What a vCPU's translator did.</summary>
/// <param name="Regions">Regions that were translated.</param>
/// <param name="Refused">Entries for which no code could be made.</param>
/// <param name="GuestSlots">Instruction slots in these regions.</param>
/// <param name="HostBytes">Bytes of their host code.</param>
/// <param name="Flushes">Times that all code was forgotten because its memory was used up.</param>
/// <param name="Drops">Times that all code was forgotten for another reason: decoded pages were dropped, or there were too many kinds of code.</param>
/// <param name="ForgottenPages">Times that the code of one page was forgotten: the guest wrote it.</param>
/// <param name="Links">Jumps that were made to lead from region to region.</param>
/// <param name="HandlerCalls">Instructions that translated code left to the interpreter's handlers, by opcode.</param>
/// <param name="Exits">Returns from translated code by their reason.</param>
public sealed record TranslatorStatistics(
    long Regions,
    long Refused,
    long GuestSlots,
    long HostBytes,
    long Flushes,
    long Drops,
    long ForgottenPages,
    long Links,
    IReadOnlyDictionary<string, long> HandlerCalls,
    IReadOnlyDictionary<string, long> Exits)
{
    private const int TopOpcodes = 24;

    /// <summary>Host code bytes for each guest slot.</summary>
    public double HostBytesPerSlot => GuestSlots == 0 ? 0 : (double)HostBytes / GuestSlots;

    /// <summary>All handler calls.</summary>
    public long TotalHandlerCalls => HandlerCalls.Values.Sum();

    /// <summary>What two translators did.</summary>
    public static TranslatorStatistics? Sum(TranslatorStatistics? a, TranslatorStatistics? b) =>
        a is null || b is null ? a ?? b : new TranslatorStatistics(
            a.Regions + b.Regions, a.Refused + b.Refused, a.GuestSlots + b.GuestSlots, a.HostBytes + b.HostBytes, a.Flushes + b.Flushes, a.Drops + b.Drops,
            a.ForgottenPages + b.ForgottenPages, a.Links + b.Links, Sum(a.HandlerCalls, b.HandlerCalls), Sum(a.Exits, b.Exits));

    private static Dictionary<string, long> Sum(IReadOnlyDictionary<string, long> a, IReadOnlyDictionary<string, long> b) =>
        a.Concat(b).GroupBy(pair => pair.Key, pair => pair.Value).ToDictionary(group => group.Key, group => group.Sum());

    /// <summary>One JSON object; the opcodes are the most frequent ones.</summary>
    public string ToJson() => string.Create(
        CultureInfo.InvariantCulture,
        $$"""{"regions":{{Regions}},"refused":{{Refused}},"guestSlots":{{GuestSlots}},"hostBytes":{{HostBytes}},"hostBytesPerSlot":{{HostBytesPerSlot:F2}},"flushes":{{Flushes}},"drops":{{Drops}},"forgottenPages":{{ForgottenPages}},"links":{{Links}},"handlerCalls":{{TotalHandlerCalls}},"topHandlers":{{Object(HandlerCalls.OrderByDescending(pair => pair.Value).Take(TopOpcodes))}},"exits":{{Object(Exits)}}}""");

    private static string Object(IEnumerable<KeyValuePair<string, long>> pairs)
    {
        var text = new StringBuilder("{");
        foreach ((string name, long value) in pairs)
            text.Append(text.Length > 1 ? "," : "").Append(CultureInfo.InvariantCulture, $"\"{name}\":{value}");
        return text.Append('}').ToString();
    }
}
