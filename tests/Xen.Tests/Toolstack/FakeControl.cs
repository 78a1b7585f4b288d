using FastXen.Xen.Toolstack;

namespace FastXen.Xen.Tests.Toolstack;

/// <summary>A host that makes domains whose vCPUs nobody runs.</summary>
internal sealed class FakeControl(XenHost host) : IDomainControl
{
    private const ulong Room = 64 << 20;

    private readonly Dictionary<ushort, Entry> entries = [];

    private sealed class Entry(ParavirtualMachine machine)
    {
        public ParavirtualMachine Machine { get; } = machine;

        public bool IsPaused { get; set; } = true;

        public CreditShare Share { get; set; } = new(256, 0);

        public ulong[] Affinity { get; set; } = [];
    }

    public HostResources Resources => new(2, 1_600_000, 1 << 16, 1 << 15);

    public SchedulerKind Scheduler => SchedulerKind.Credit;

    /// <summary>Operations that are held at the moment, of all domains.</summary>
    public int Holds { get; private set; }

    public ulong? IdleTime(int hostThread) => hostThread < 2 ? 1000UL + (ulong)hostThread : null;

    public int Create(DomainRequest request, out ushort id)
    {
        id = request.Id != 0 ? request.Id : host.Directory.NextFree();
        if (host.Directory.Find(id) != null)
            return -Errno.EINVAL;
        var machine = new ParavirtualMachine(host, id, new ParavirtualConfiguration { Memory = 0x1_0000, MaximumMemory = Room, Populate = false, Vcpus = 0 });
        machine.Domain.Handle = request.Handle;
        entries.Add(id, new Entry(machine));
        return 0;
    }

    public int SetVcpus(XenDomain domain, int count)
    {
        Entry entry = entries[domain.Id];
        entry.Machine.SetVcpus(count);
        entry.Affinity = [.. Enumerable.Repeat(3UL, count)];
        return 0;
    }

    public int Pause(XenDomain domain) => SetPaused(domain, true);

    public int Unpause(XenDomain domain) => SetPaused(domain, false);

    public bool IsPaused(XenDomain domain) => entries.TryGetValue(domain.Id, out Entry? entry) && entry.IsPaused;

    public bool TryHold(XenDomain domain)
    {
        Holds++;
        return true;
    }

    public void Release(XenDomain domain) => Holds--;

    /// <summary>How often the vCPUs are not out of the way yet.</summary>
    public int Busy { get; set; }

    public bool IsStopped(XenDomain domain) => Busy-- <= 0;

    public int Resume(XenDomain domain) => 0;

    public int Destroy(XenDomain domain)
    {
        if (entries.Remove(domain.Id, out Entry? entry))
            entry.Machine.Dispose();
        return 0;
    }

    public VcpuActivity ActivityOf(XenDomain domain, int vcpu) => new(1_000_000UL * ((ulong)vcpu + 1), false, true, vcpu % 2);

    public ulong GetAffinity(XenDomain domain, int vcpu) => entries[domain.Id].Affinity[vcpu];

    public int SetAffinity(XenDomain domain, int vcpu, ulong hostThreads)
    {
        if ((hostThreads & 3) == 0)
            return -Errno.EINVAL;
        entries[domain.Id].Affinity[vcpu] = hostThreads & 3;
        return 0;
    }

    public CreditShare GetShare(XenDomain domain) => entries[domain.Id].Share;

    public int SetShare(XenDomain domain, CreditShare share)
    {
        entries[domain.Id].Share = share;
        return 0;
    }

    private int SetPaused(XenDomain domain, bool value)
    {
        if (!entries.TryGetValue(domain.Id, out Entry? entry))
            return -Errno.ESRCH;
        entry.IsPaused = value;
        return 0;
    }
}
