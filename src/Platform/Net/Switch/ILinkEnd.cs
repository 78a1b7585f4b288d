using FastXen.Events;

namespace FastXen.Platform.Net.Switch;

/// <summary>Something that takes Ethernet frames: a guest's card, a port of a switch, the host's network.</summary>
public interface ILinkEnd
{
    /// <summary>What it can deal with; frames are made so before they are given to it (<see cref="LinkEnds.Give"/>).</summary>
    LinkFeatures Features { get; }

    /// <summary>
    /// Takes a copy of a frame, or drops it for good; any thread, never blocks. False when it has no room and <paramref name="waiter"/>
    /// will be signalled, once, when trying again makes sense: within a bounded time. Without a waiter false means that it was dropped.
    /// </summary>
    bool Take(ReadOnlySpan<byte> frame, FrameOffload offload, IEventSink? waiter);
}
