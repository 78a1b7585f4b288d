namespace FastXen.Smp.Queues;

/// <summary>
/// Wake-up times of vCPUs, earliest first; one host thread's own. Each vCPU has one entry at most; an entry that was overtaken by events is found
/// out when it is due.
/// </summary>
internal sealed class TimerHeap(int vcpus)
{
    // Place of each vCPU in the heap plus one; 0: none.
    private readonly int[] place = new int[vcpus];
    private readonly (long Due, int Vcpu)[] heap = new (long, int)[vcpus];
    private int count;

    /// <summary>The earliest time; <see cref="long.MaxValue"/> when there is none.</summary>
    public long Next => count == 0 ? long.MaxValue : heap[0].Due;

    /// <summary>Sets a vCPU's time.</summary>
    public void Set(int vcpu, long due)
    {
        int at = place[vcpu] - 1;
        if (at < 0)
        {
            Up(count++, (due, vcpu));
        }
        else if (due < heap[at].Due)
        {
            Up(at, (due, vcpu));
        }
        else
        {
            Down(at, (due, vcpu));
        }
    }

    /// <summary>Takes a vCPU whose time has come; false when there is none.</summary>
    public bool TryTake(long now, out int vcpu)
    {
        vcpu = -1;
        if (count == 0 || heap[0].Due > now)
            return false;
        vcpu = heap[0].Vcpu;
        place[vcpu] = 0;
        (long, int) last = heap[--count];
        if (count > 0)
            Down(0, last);
        return true;
    }

    private void Up(int at, (long Due, int Vcpu) item)
    {
        while (at > 0 && heap[(at - 1) / 2].Due > item.Due)
        {
            Put(at, heap[(at - 1) / 2]);
            at = (at - 1) / 2;
        }

        Put(at, item);
    }

    private void Down(int at, (long Due, int Vcpu) item)
    {
        for (; ; )
        {
            int child = 2 * at + 1;
            if (child >= count)
                break;
            if (child + 1 < count && heap[child + 1].Due < heap[child].Due)
                child++;
            if (heap[child].Due >= item.Due)
                break;
            Put(at, heap[child]);
            at = child;
        }

        Put(at, item);
    }

    private void Put(int at, (long Due, int Vcpu) item)
    {
        heap[at] = item;
        place[item.Vcpu] = at + 1;
    }
}
