using System.Numerics;

namespace FastXen.Smp.Queues;

/// <summary>
/// The queues of all host threads, one for each class that takes turns. What a queue holds are hints: a vCPU is claimed by its
/// <see cref="ScheduleWord"/>, which says in which queue it really waits. So a thief may take a vCPU from the middle of a queue, and one whose priority changes
/// or that is paused is just entered elsewhere, or nowhere; the entry that stays behind is dropped when it comes to the head, or becomes valid
/// again when the vCPU returns to that queue.
/// </summary>
/// <remarks>
/// A bit for each vCPU and queue says whether it has an entry there; whoever sets the bit makes the entry. So there is at most one, and no
/// queue overflows. The order is: the word says "queued there", fence, set the bit, enter if it was clear; and: take the entry, clear the bit,
/// fence, look at the word. One of the two sees the other, so that a queued vCPU always has an entry.
/// </remarks>
internal sealed class RunQueues
{
    private const int Classes = 3;

    private readonly RunQueue[] queues;
    private readonly int hosts;
    private readonly int[] entered;

    public RunQueues(int hostThreads, int vcpus)
    {
        hosts = hostThreads;
        Capacity = (int)BitOperations.RoundUpToPowerOf2((uint)Math.Max(vcpus, 64));
        queues = new RunQueue[hostThreads * Classes];
        for (int i = 0; i < queues.Length; i++)
            queues[i] = new RunQueue(Capacity);
        entered = new int[Capacity * hostThreads];
    }

    /// <summary>How many vCPUs there may be.</summary>
    public int Capacity { get; }

    /// <summary>Enters a vCPU whose word says already that it is queued there. Any thread.</summary>
    public void Enter(int host, SchedulingClass priority, int vcpu)
    {
        int bit = 1 << (int)priority;
        if ((Interlocked.Or(ref entered[vcpu * hosts + host], bit) & bit) == 0)
            this[host, priority].Enqueue(vcpu);
    }

    /// <summary>Takes the entry at the head, or <see cref="RunQueue.Empty"/>; the caller then tries to claim that vCPU.</summary>
    public int Take(int host, SchedulingClass priority)
    {
        int vcpu = this[host, priority].Dequeue();
        if (vcpu != RunQueue.Empty)
            Interlocked.And(ref entered[vcpu * hosts + host], ~(1 << (int)priority));
        return vcpu;
    }

    /// <summary>A queue, to look at.</summary>
    public RunQueue this[int host, SchedulingClass priority] => queues[host * Classes + (int)priority - 1];

    /// <summary>A moment's view: false when none of a host thread's queues had an entry.</summary>
    public bool MayHaveEntries(int host, SchedulingClass upTo)
    {
        for (SchedulingClass priority = SchedulingClass.Boost; priority <= upTo; priority++)
        {
            if (this[host, priority].MayHaveEntries)
                return true;
        }

        return false;
    }
}
