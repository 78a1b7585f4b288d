using System.Diagnostics.Tracing;

namespace FastXen.Events.Tests;

public sealed class FastXenEventSourceTests
{
    private sealed class Listener : EventListener
    {
        public List<EventWrittenEventArgs> Events { get; } = [];

        protected override void OnEventWritten(EventWrittenEventArgs eventData) => Events.Add(eventData);
    }

    [Fact]
    public void FlagsFollowTheKeywordsAndEventsCarryTheirArguments()
    {
        FastXenEventSource log = FastXenEventSource.Log;
        Assert.Null(log.ConstructionException);
        Assert.False(Tracing.Domain || Tracing.Interruption || Tracing.Tlb || Tracing.Device || Tracing.Interrupt || Tracing.Translation);
        using var listener = new Listener();
        listener.EnableEvents(log, EventLevel.Informational, FastXenEventSource.Keywords.Domain | FastXenEventSource.Keywords.Tlb);
        Assert.True(Tracing.Domain && Tracing.Tlb);
        Assert.False(Tracing.Interruption || Tracing.Device || Tracing.Interrupt || Tracing.Translation);

        log.DomainStart("linux", 1L << 33, 4);
        log.TlbPurge(-1, 0xffffff, 14);
        log.DeviceIo(1, 2, 3);
        log.DomainStop("linux", "PowerOff");
        Assert.Equal(["DomainStart", "TlbPurge", "DomainStop"], listener.Events.Select(e => e.EventName));
        Assert.Equal(["linux", 1L << 33, 4], listener.Events[0].Payload!);
        Assert.Equal([-1L, 0xffffffL, 14L], listener.Events[1].Payload!);
        Assert.Equal(["linux", "PowerOff"], listener.Events[2].Payload!);

        listener.EnableEvents(log, EventLevel.Informational, EventKeywords.All);
        Assert.True(Tracing.Interruption && Tracing.Device && Tracing.Interrupt && Tracing.Translation);
        log.InterruptionDelivered(0x3000, 0x10, 0x20);
        log.DeviceIo(1, -8, 3);
        log.InterruptInjected(1, 0xef);
        log.CodeTranslated(0x4000, 12);
        Assert.Equal([1L, -8L, 3L], listener.Events[4].Payload!);
        Assert.Equal([1, 0xef], listener.Events[5].Payload!);
        Assert.Equal(7, listener.Events.Count);

        listener.DisableEvents(log);
        Assert.False(Tracing.Domain || Tracing.Tlb || Tracing.Translation);
    }
}
