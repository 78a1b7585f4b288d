using System.Diagnostics.Tracing;
using System.Globalization;
using System.Reflection;

namespace FastXen.Events.Tests;

public sealed class FastXenEventSourceTests
{
    private sealed class Listener : EventListener
    {
        public List<EventWrittenEventArgs> Events { get; } = [];

        protected override void OnEventWritten(EventWrittenEventArgs eventData)
        {
            if (eventData.EventSource == FastXenEventSource.Log)
                Events.Add(eventData);
        }
    }

    private static readonly (MethodInfo Method, EventAttribute Event)[] Methods =
    [
        .. from method in typeof(FastXenEventSource).GetMethods(BindingFlags.Instance | BindingFlags.Public | BindingFlags.DeclaredOnly)
           let attribute = method.GetCustomAttribute<EventAttribute>()
           where attribute is not null
           select (method, attribute),
    ];

    [Fact]
    public void Flags_follow_keywords_and_levels()
    {
        FastXenEventSource log = FastXenEventSource.Log;
        Assert.Null(log.ConstructionException);
        Assert.All(Flags(), flag => Assert.False(flag.Value, flag.Key));
        using Listener listener = new();
        int began = Tracing.ExitsBegan;
        listener.EnableEvents(log, EventLevel.Informational, FastXenEventSource.Keywords.Lifecycle | FastXenEventSource.Keywords.Tlb);
        Assert.Equal(["Lifecycle", "Tlb"], On());
        // A listener's wishes add up.
        listener.EnableEvents(log, EventLevel.Verbose, FastXenEventSource.Keywords.Tlb | FastXenEventSource.Keywords.Exits);
        Assert.Equal(["Delivery", "EachExit", "Exits", "Lifecycle", "Tlb", "TlbMisses"], On());
        Assert.Equal(began + 1, Tracing.ExitsBegan);
        listener.EnableEvents(log, EventLevel.Verbose, EventKeywords.All);
        Assert.All(Flags(), flag => Assert.True(flag.Value, flag.Key));
        Assert.Equal(began + 1, Tracing.ExitsBegan);
        listener.DisableEvents(log);
        Assert.Empty(On());

        static IEnumerable<string> On() => Flags().Where(flag => flag.Value).Select(flag => flag.Key).Order();
    }

    [Fact]
    public void Every_event_carries_its_arguments()
    {
        using Listener listener = new();
        listener.EnableEvents(FastXenEventSource.Log, EventLevel.Verbose, EventKeywords.All);
        Assert.NotEmpty(Methods);
        foreach ((MethodInfo method, EventAttribute attribute) in Methods)
        {
            listener.Events.Clear();
            object[] arguments = [.. method.GetParameters().Select(Argument)];
            method.Invoke(FastXenEventSource.Log, arguments);
            EventWrittenEventArgs written = Assert.Single(listener.Events);
            Assert.Equal((attribute.EventId, method.Name), (written.EventId, written.EventName));
            Assert.Equal(method.GetParameters().Select(parameter => parameter.Name), written.PayloadNames!);
            Assert.Equal(arguments, written.Payload!);
        }

        // Each bit matters: none is lost between two fields.
        static object Argument(ParameterInfo parameter) => parameter.ParameterType.Name switch
        {
            nameof(Int32) => -1 - parameter.Position,
            nameof(UInt64) => 0x8765_4321_0fed_cba9UL + (ulong)parameter.Position,
            _ => string.Create(CultureInfo.InvariantCulture, $"text {parameter.Position}"),
        };
    }

    [Fact]
    public void Every_event_has_a_keyword_and_only_masses_are_verbose()
    {
        Assert.All(Methods, one => Assert.True(((long)one.Event.Keywords & ((long)FastXenEventSource.Keywords.Last * 2 - 1)) != 0, one.Method.Name));
        Assert.Equal(["Credit", "Exit", "TlbMiss"], Methods.Where(one => one.Event.Level == EventLevel.Verbose).Select(one => one.Method.Name).Order());
    }

    [Fact]
    public void A_thread_knows_the_vcpu_that_it_runs()
    {
        Tracing.Run(3, 63);
        Assert.Equal((3, 63), (Tracing.Domain, Tracing.Vcpu));
        (int, int) other = default;
        Thread thread = new(() => other = (Tracing.Domain, Tracing.Vcpu));
        thread.Start();
        thread.Join();
        Assert.Equal((0, 0), other);
    }

    private static Dictionary<string, bool> Flags() => typeof(Tracing).GetProperties(BindingFlags.Static | BindingFlags.Public)
        .Where(property => property.PropertyType == typeof(bool)).ToDictionary(property => property.Name, property => (bool)property.GetValue(null)!);
}
