using System.Buffers;
using FastXen.Events;
using FastXen.Platform.Net.Switch;

namespace FastXen.Xen.Backends.Net;

/// <summary>
/// Frames on their way to a guest: straight into its ring while that has pages, then a bounded queue, then their senders wait. A guest
/// that takes nothing for a while makes nobody wait: it loses frames until it takes some.
/// </summary>
internal sealed class VifReceiver : IDisposable
{
    // What is queued before senders wait. The segments of one large frame may go past it.
    private const int SoftLimit = 256 << 10, HardLimit = 2 * SoftLimit;

    private readonly Lock gate = new();
    private readonly Queue<(byte[] Buffer, int Length, FrameOffload Offload)> queue = new();
    private readonly List<IEventSink> waiters = [];
    private readonly TimeSpan patience;
    private readonly Timer clock;
    private ReceiveRing? ring;
    private int queued;
    private bool isStalled;
    private long delivered, dropped;

    public VifReceiver(TimeSpan patience)
    {
        this.patience = patience;
        clock = new Timer(static self => ((VifReceiver)self!).GiveUp(), this, Timeout.Infinite, Timeout.Infinite);
    }

    /// <summary>Frames that the guest was given.</summary>
    public long Delivered => Volatile.Read(ref delivered);

    /// <summary>Frames that it could not take.</summary>
    public long Dropped => Volatile.Read(ref dropped);

    public bool IsBroken => ring is { IsBroken: true };

    /// <summary>What is left to the guest.</summary>
    public LinkFeatures Features => ring?.Features.Link ?? LinkFeatures.None;

    /// <summary>Begins to use a ring, or (null) ends it: what was on its way is lost.</summary>
    public void Connect(ReceiveRing? next)
    {
        lock (gate)
        {
            ring = next;
            isStalled = false;
            while (queue.TryDequeue(out (byte[] Buffer, int Length, FrameOffload Offload) lost))
            {
                ArrayPool<byte>.Shared.Return(lost.Buffer);
                dropped++;
            }
            queued = 0;
            Wake();
        }
    }

    /// <summary>See <see cref="ILinkEnd.Take"/>.</summary>
    public bool Take(ReadOnlySpan<byte> frame, FrameOffload offload, IEventSink? waiter)
    {
        lock (gate)
        {
            if (ring is not { IsBroken: false } to || !to.CanTake(frame.Length, offload))
                return Drop(waiter);
            if (queue.Count == 0 && to.TryPut(frame, offload))
            {
                delivered++;
                to.Push();
                return true;
            }
            bool hasRoom = queued < (waiter == null ? HardLimit : SoftLimit);
            if (!hasRoom && (waiter == null || isStalled))
                return Drop(waiter);
            if (!hasRoom)
            {
                if (waiters.Count == 0)
                    clock.Change(patience, Timeout.InfiniteTimeSpan);
                waiters.Add(waiter!);
                return false;
            }
            byte[] buffer = ArrayPool<byte>.Shared.Rent(frame.Length);
            frame.CopyTo(buffer);
            queue.Enqueue((buffer, frame.Length, offload));
            queued += frame.Length;
            Drain(to);
            return true;
        }
    }

    /// <summary>The guest may have offered pages.</summary>
    public void Drain()
    {
        lock (gate)
        {
            if (ring is { } to)
                Drain(to);
        }
    }

    public void Dispose()
    {
        Connect(null);
        clock.Dispose();
    }

    private void Drain(ReceiveRing to)
    {
        bool moved = false;
        do
        {
            while (queue.TryPeek(out (byte[] Buffer, int Length, FrameOffload Offload) next) && to.TryPut(next.Buffer.AsSpan(0, next.Length), next.Offload))
            {
                queue.Dequeue();
                queued -= next.Length;
                ArrayPool<byte>.Shared.Return(next.Buffer);
                delivered++;
                moved = true;
            }
        }
        while (queue.TryPeek(out (byte[] Buffer, int Length, FrameOffload Offload) first) && to.AskForEvent(first.Length, first.Offload));
        if (!moved)
            return;
        to.Push();
        isStalled = false;
        if (queued < SoftLimit / 2)
            Wake();
    }

    // Without a waiter the caller hears of it; with one the frame is done with.
    private bool Drop(IEventSink? waiter)
    {
        dropped++;
        return waiter != null;
    }

    private void GiveUp()
    {
        lock (gate)
        {
            if (waiters.Count == 0)
                return;
            isStalled = true;
            Wake();
        }
    }

    private void Wake()
    {
        foreach (IEventSink waiter in waiters)
            waiter.Signal();
        waiters.Clear();
    }
}
