using System.Diagnostics.CodeAnalysis;
using System.Diagnostics.Tracing;

namespace FastXen.Events;

/// <summary>
/// The events of FastXen (docs/tracing.md). Callers test <see cref="Tracing"/> first. The first domain touches <see cref="Log"/>,
/// so that a listener can find it. Durations are nanoseconds; domains and vCPUs are numbers.
/// </summary>
[EventSource(Name = SourceName)]
public sealed partial class FastXenEventSource : EventSource
{
    /// <summary>The name by which listeners find it.</summary>
    public const string SourceName = "FastXen";

    /// <summary>The one instance.</summary>
    public static readonly FastXenEventSource Log = new();

    private FastXenEventSource() { }

    /// <summary>What a listener may choose from.</summary>
    public static class Keywords
    {
        /// <summary>Domains and vCPUs come and go.</summary>
        public const EventKeywords Lifecycle = (EventKeywords)0x1;
        /// <summary>vCPUs get and leave host threads.</summary>
        public const EventKeywords Scheduling = (EventKeywords)0x2;
        /// <summary>Returns from translated code: counts, or each one at the verbose level.</summary>
        public const EventKeywords Exits = (EventKeywords)0x4;
        /// <summary>Interruptions are delivered to a guest.</summary>
        public const EventKeywords Interruptions = (EventKeywords)0x8;
        /// <summary>Hypercalls.</summary>
        public const EventKeywords Hypercalls = (EventKeywords)0x10;
        /// <summary>Calls of PAL, SAL, EFI and FPSWA.</summary>
        public const EventKeywords Firmware = (EventKeywords)0x20;
        /// <summary>Guest code is translated.</summary>
        public const EventKeywords Translation = (EventKeywords)0x40;
        /// <summary>The TLB is purged; misses that the guest handles at the verbose level.</summary>
        public const EventKeywords Tlb = (EventKeywords)0x80;
        /// <summary>Device registers are read and written.</summary>
        public const EventKeywords Devices = (EventKeywords)0x100;
        /// <summary>External interrupts are injected.</summary>
        public const EventKeywords Interrupts = (EventKeywords)0x200;

        internal const EventKeywords Last = Interrupts;
    }

    /// <inheritdoc/>
    protected override void OnEventCommand(EventCommandEventArgs command) => Tracing.Follow(this);

    // Writes numbers, then texts. Bit i of fourBytes: field i is an int, of which the low half of its word counts; else it has 8 bytes.
    // Nothing is allocated, and no reflection is needed that trimming could break.
    [NonEvent]
    [UnconditionalSuppressMessage("Trimming", "IL2026", Justification = "Only primitive types are written.")]
    private unsafe void Write(int id, uint fourBytes, ReadOnlySpan<ulong> numbers, string? first = null, string? second = null)
    {
        int count = numbers.Length + (first != null ? 1 : 0) + (second != null ? 1 : 0);
        EventData* data = stackalloc EventData[count];
        fixed (ulong* number = numbers)
        fixed (char* firstText = first, secondText = second)
        {
            for (int i = 0; i < numbers.Length; i++)
                data[i] = new EventData { DataPointer = (nint)(number + i), Size = (fourBytes >> i & 1) != 0 ? sizeof(int) : sizeof(ulong) };
            if (first != null)
                data[numbers.Length] = Text(firstText, first);
            if (second != null)
                data[numbers.Length + 1] = Text(secondText, second);
            WriteEventCore(id, count, data);
        }

        static EventData Text(char* text, string value) => new() { DataPointer = (nint)text, Size = (value.Length + 1) * sizeof(char) };
    }
}
