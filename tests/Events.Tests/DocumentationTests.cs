using System.Diagnostics.Tracing;
using System.Reflection;
using System.Runtime.CompilerServices;

namespace FastXen.Events.Tests;

/// <summary>docs/tracing.md and the source of events say the same.</summary>
public sealed class DocumentationTests
{
    private static readonly string[] Lines = File.ReadAllLines(Path.Combine(Path.GetDirectoryName(Here())!, "../../docs/tracing.md"));

    private static string Here([CallerFilePath] string path = "") => path;

    private static Dictionary<EventKeywords, string> Keywords() => typeof(FastXenEventSource.Keywords).GetFields(BindingFlags.Static | BindingFlags.Public)
        .ToDictionary(field => (EventKeywords)field.GetValue(null)!, field => field.Name.ToLowerInvariant());

    [Fact]
    public void Every_event_is_documented_and_every_documented_event_exists()
    {
        Dictionary<EventKeywords, string> keywords = Keywords();
        IEnumerable<string> events =
            from method in typeof(FastXenEventSource).GetMethods(BindingFlags.Instance | BindingFlags.Public | BindingFlags.DeclaredOnly)
            let attribute = method.GetCustomAttribute<EventAttribute>()
            where attribute is not null
            orderby attribute.EventId
            select $"| `{method.Name}` | {attribute.EventId} | {keywords[(EventKeywords)((long)attribute.Keywords & 0xFFF_FFFF)]} | {attribute.Level.ToString().ToLowerInvariant()} "
                + $"| {string.Join(", ", method.GetParameters().Select(parameter => parameter.Name))} |";
        Assert.Equal(events, Table("| event | number |"));
    }

    [Fact]
    public void Every_keyword_is_documented_with_its_mask()
    {
        Assert.Equal(
            Keywords().OrderBy(pair => pair.Key).Select(pair => $"| `{pair.Value}` | `0x{(long)pair.Key:x}` "),
            Table("| keyword | mask |").Select(line => string.Concat(line.Split('|')[1..3].Select(cell => "|" + cell))));
    }

    [Fact]
    public void Every_event_has_a_place_where_it_is_emitted()
    {
        string source = Path.Combine(Path.GetDirectoryName(Here())!, "../../src");
        string code = string.Concat(Directory.EnumerateFiles(source, "*.cs", SearchOption.AllDirectories)
            .Where(file => !file.Contains("/obj/", StringComparison.Ordinal)).Select(File.ReadAllText));
        IEnumerable<string> without = Table("| event | number |").Select(line => line.Split('`')[1]).Where(name => !code.Contains($"FastXenEventSource.Log.{name}(", StringComparison.Ordinal));
        Assert.Empty(without);
    }

    private static IEnumerable<string> Table(string head) => Lines.SkipWhile(line => !line.StartsWith(head, StringComparison.Ordinal)).Skip(2).TakeWhile(line => line.StartsWith('|'));
}
