using System.Diagnostics.CodeAnalysis;
using System.Diagnostics.Tracing;

namespace FastXen.Events;

/// <summary>
/// Which keywords someone listens to. Plain flags in a class without a static constructor, so that tracing that is off costs a load and a branch:
/// <c>if (Tracing.Tlb) FastXenEventSource.Log.TlbPurge(...);</c>
/// </summary>
public static class Tracing
{
    /// <summary>Domains start and stop.</summary>
    public static bool Domain { get; private set; }
    /// <summary>Interruptions are delivered to a guest.</summary>
    public static bool Interruption { get; private set; }
    /// <summary>Translations are purged.</summary>
    public static bool Tlb { get; private set; }
    /// <summary>Device registers are read and written.</summary>
    public static bool Device { get; private set; }
    /// <summary>External interrupts are injected.</summary>
    public static bool Interrupt { get; private set; }
    /// <summary>Guest code is decoded or translated.</summary>
    public static bool Translation { get; private set; }

    internal static void Follow(EventSource source)
    {
        Domain = IsOn(FastXenEventSource.Keywords.Domain);
        Interruption = IsOn(FastXenEventSource.Keywords.Interruption);
        Tlb = IsOn(FastXenEventSource.Keywords.Tlb);
        Device = IsOn(FastXenEventSource.Keywords.Device);
        Interrupt = IsOn(FastXenEventSource.Keywords.Interrupt);
        Translation = IsOn(FastXenEventSource.Keywords.Translation);

        bool IsOn(EventKeywords keyword) => source.IsEnabled(EventLevel.Informational, keyword);
    }
}

/// <summary>
/// The tracing of FastXen. Callers test <see cref="Tracing"/> first. The executable touches <see cref="Log"/> when it starts, so that
/// a listener can find it.
/// </summary>
[EventSource(Name = "FastXen")]
public sealed class FastXenEventSource : EventSource
{
    /// <summary>The one instance.</summary>
    public static readonly FastXenEventSource Log = new();

    private FastXenEventSource() { }

    /// <summary>What a listener may choose from.</summary>
    public static class Keywords
    {
        /// <summary>Domains start and stop.</summary>
        public const EventKeywords Domain = (EventKeywords)1;
        /// <summary>Interruptions are delivered to a guest.</summary>
        public const EventKeywords Interruption = (EventKeywords)2;
        /// <summary>Translations are purged.</summary>
        public const EventKeywords Tlb = (EventKeywords)4;
        /// <summary>Device registers are read and written.</summary>
        public const EventKeywords Device = (EventKeywords)8;
        /// <summary>External interrupts are injected.</summary>
        public const EventKeywords Interrupt = (EventKeywords)16;
        /// <summary>Guest code is decoded or translated.</summary>
        public const EventKeywords Translation = (EventKeywords)32;
    }

    /// <summary>A domain starts.</summary>
    [Event(1, Keywords = Keywords.Domain, Level = EventLevel.Informational)]
    public void DomainStart(string name, long memoryBytes, int vcpus) => WriteEvent(1, name, memoryBytes, vcpus);

    /// <summary>A domain stopped.</summary>
    [Event(2, Keywords = Keywords.Domain, Level = EventLevel.Informational)]
    public void DomainStop(string name, string reason) => WriteEvent(2, name, reason);

    /// <summary>An interruption was delivered: its vector's offset, IIP and ISR.</summary>
    [Event(3, Keywords = Keywords.Interruption, Level = EventLevel.Informational)]
    public void InterruptionDelivered(long vector, long iip, long isr) => WriteEvent(3, vector, iip, isr);

    /// <summary>A range of 2^shift bytes was purged from the TLB.</summary>
    [Event(4, Keywords = Keywords.Tlb, Level = EventLevel.Informational)]
    public void TlbPurge(long address, long rid, long shift) => WriteEvent(4, address, rid, shift);

    /// <summary>A device register was read (value as returned) or written. <paramref name="access"/>: size in bytes, negative for a write.</summary>
    [Event(5, Keywords = Keywords.Device, Level = EventLevel.Informational)]
    public void DeviceIo(long address, long access, long value) => WriteEvent(5, address, access, value);

    /// <summary>An external interrupt was injected into a processor.</summary>
    [Event(6, Keywords = Keywords.Interrupt, Level = EventLevel.Informational)]
    public void InterruptInjected(int vcpu, int vector) => WriteEvent(6, vcpu, vector);

    /// <summary>A page of guest code was decoded or translated.</summary>
    [Event(7, Keywords = Keywords.Translation, Level = EventLevel.Informational)]
    public void CodeTranslated(long address, long instructions) => WriteEvent(7, address, instructions);

    /// <inheritdoc/>
    protected override void OnEventCommand(EventCommandEventArgs command) => Tracing.Follow(this);

    // Primitive arguments need no metadata that trimming could remove.
    [NonEvent]
    [UnconditionalSuppressMessage("Trimming", "IL2026", Justification = "Only primitive types are written.")]
    private unsafe void WriteEvent(int id, string name, long number, int count)
    {
        fixed (char* text = name)
        {
            EventData* data = stackalloc EventData[3];
            data[0] = new EventData { DataPointer = (nint)text, Size = (name.Length + 1) * sizeof(char) };
            data[1] = new EventData { DataPointer = (nint)(&number), Size = sizeof(long) };
            data[2] = new EventData { DataPointer = (nint)(&count), Size = sizeof(int) };
            WriteEventCore(id, 3, data);
        }
    }
}
