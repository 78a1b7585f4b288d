using System.Diagnostics;
using System.Runtime.CompilerServices;

namespace FastXen.Smp.Queues;

/// <summary>
/// A bounded lock-free FIFO of small numbers, for any number of producers and consumers: SCQ of R. Nikolaev, "A Scalable, Portable, and Memory-Efficient
/// Lock-Free FIFO Queue", DISC 2019 (doi 10.4230/LIPIcs.DISC.2019.28), figure 8.
/// </summary>
/// <remarks>
/// <para>The ring has twice as many entries as the queue holds numbers. Head and tail only grow; their quotient by the ring's size is the cycle, which
/// each entry carries, so that an entry of an earlier turn is told from one of this (no ABA). A thread that stops between taking its place and
/// writing the entry delays nobody: consumers pass it by. <c>threshold</c> bounds how many places a consumer tries before it calls the queue empty.</para>
/// <para>The caller guarantees that the queue never holds more than <see cref="Capacity"/> numbers and that at most as many threads use it at once.
/// <see cref="RunQueues"/> does: an index is in a queue at most once.</para>
/// </remarks>
internal sealed unsafe class RunQueue
{
    /// <summary>What <see cref="Dequeue"/> returns when there is nothing.</summary>
    public const int Empty = -1;

    // Head, tail and threshold are a prefetched pair of cache lines apart: each is written by others than those who write its neighbour.
    private const int Line = 128 / sizeof(ulong);
    private const int Header = 4 * Line;

    private readonly ulong[] memory;
    private readonly ulong* head, tail, entries;
    private readonly long* threshold;
    private readonly int bits;
    private readonly ulong mask, unsafeBit;
    private readonly long fullThreshold;

    /// <summary>A queue for the numbers from 0 to <paramref name="capacity"/> - 1; the capacity is a power of two, 16 at least.</summary>
    public RunQueue(int capacity)
    {
        if (capacity < 16 || !System.Numerics.BitOperations.IsPow2(capacity))
            throw new ArgumentOutOfRangeException(nameof(capacity), capacity, "a power of two, 16 at least");
        Capacity = capacity;
        bits = System.Numerics.BitOperations.Log2((uint)capacity) + 1;
        mask = (1UL << bits) - 1;
        unsafeBit = 1UL << bits;
        fullThreshold = 3L * capacity - 1;
        memory = GC.AllocateArray<ulong>(Header + 2 * capacity, pinned: true);
        ulong* start = (ulong*)Unsafe.AsPointer(ref memory[0]);
        start = (ulong*)(((nuint)start + 127) & ~(nuint)127);
        head = start;
        tail = start + Line;
        threshold = (long*)(start + 2 * Line);
        // The last of the header's lines is what the alignment took.
        entries = start + 3 * Line;
        // Cycle 0, safe, no number; the first turn is cycle 1.
        for (int i = 0; i < 2 * capacity; i++)
            entries[i] = mask;
        *head = *tail = 2UL * (ulong)capacity;
        *threshold = -1;
    }

    /// <summary>How many numbers it can hold.</summary>
    public int Capacity { get; }

    /// <summary>A moment's view: false when there certainly was nothing.</summary>
    public bool MayHaveEntries => Volatile.Read(ref *threshold) >= 0 && Volatile.Read(ref *head) < Volatile.Read(ref *tail);

    /// <summary>Appends a number. Any thread.</summary>
    public void Enqueue(int index)
    {
        Debug.Assert((uint)index < (uint)Capacity);
        for (; ; )
        {
            ulong place = Interlocked.Increment(ref *tail) - 1;
            ulong* entry = At(place);
            for (; ; )
            {
                ulong seen = Volatile.Read(ref *entry);
                bool usable = Cycle(seen) < place >> bits && (seen & mask) == mask && ((seen & unsafeBit) == 0 || Volatile.Read(ref *head) <= place);
                if (!usable)
                    break;
                if (Interlocked.CompareExchange(ref *entry, Entry(place >> bits, 0, (ulong)index), seen) != seen)
                    continue;
                if (Volatile.Read(ref *threshold) != fullThreshold)
                    Volatile.Write(ref *threshold, fullThreshold);
                return;
            }
        }
    }

    /// <summary>Takes the oldest number, or <see cref="Empty"/>. Any thread.</summary>
    public int Dequeue()
    {
        if (Volatile.Read(ref *threshold) < 0)
            return Empty;
        for (; ; )
        {
            ulong place = Interlocked.Increment(ref *head) - 1;
            ulong cycle = place >> bits;
            ulong* entry = At(place);
            for (; ; )
            {
                ulong seen = Volatile.Read(ref *entry);
                if (Cycle(seen) == cycle)
                {
                    Interlocked.Or(ref *entry, mask);
                    return (int)(seen & mask);
                }

                if (Cycle(seen) > cycle)
                    break;
                // Nobody may use this entry for this turn any more. One that still holds an older number becomes unsafe instead.
                ulong spoiled = (seen & mask) == mask ? Entry(cycle, seen & unsafeBit, mask) : seen | unsafeBit;
                if (Interlocked.CompareExchange(ref *entry, spoiled, seen) == seen)
                    break;
            }

            ulong end = Volatile.Read(ref *tail);
            if (end <= place + 1)
            {
                CatchUp(end, place + 1);
                Interlocked.Decrement(ref *threshold);
                return Empty;
            }

            if (Interlocked.Decrement(ref *threshold) < 0)
                return Empty;
        }
    }

    /// <summary>
    /// Shows the numbers from the oldest on without taking them: a moment's view, in which each may be gone again. Begin with
    /// <paramref name="position"/> 0. False when there are no more.
    /// </summary>
    public bool Peek(ref ulong position, out int index)
    {
        ulong end = Volatile.Read(ref *tail);
        for (position = Math.Max(position, Volatile.Read(ref *head)); position < end;)
        {
            ulong seen = Volatile.Read(ref *At(position));
            ulong cycle = position++ >> bits;
            if (Cycle(seen) == cycle && (seen & mask) != mask)
            {
                index = (int)(seen & mask);
                return true;
            }
        }

        index = Empty;
        return false;
    }

    // Consumers that overtook the tail on an empty queue push it along, so that producers do not have to try all the places between.
    private void CatchUp(ulong end, ulong next)
    {
        while (Interlocked.CompareExchange(ref *tail, next, end) != end)
        {
            next = Volatile.Read(ref *head);
            end = Volatile.Read(ref *tail);
            if (end >= next)
                break;
        }
    }

    private ulong Cycle(ulong entry) => entry >> (bits + 1);

    private ulong Entry(ulong cycle, ulong safety, ulong index) => cycle << (bits + 1) | safety | index;

    // Neighbouring places are in different cache lines: eight entries share one.
    private ulong* At(ulong place)
    {
        ulong i = place & mask;
        return entries + ((i << 3 & mask) | i >> (bits - 3));
    }
}
