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

    /// <summary>The domains that it made and that are not destroyed, oldest first.</summary>
    public IEnumerable<XenDomain> Made => entries.Values.Select(static entry => entry.Machine.Domain).OrderBy(static domain => domain.Id);

    /// <summary>How many there may be.</summary>
    public int MostDomains { get; init; } = int.MaxValue;

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
        if (entries.Count >= MostDomains)
            return -Errno.ENOMEM;
        var machine = new ParavirtualMachine(host, id, new ParavirtualConfiguration { Memory = 0x1_0000, MaximumMemory = Room, Populate = false, Vcpus = 0 });
        machine.Domain.Handle = request.Handle;
        entries.Add(id, new Entry(machine));
        return 0;
    }

    public int SetVcpus(XenDomain domain, int count)
    {
        if (Of(domain) is not { } entry)
            return -Errno.ESRCH;
        entry.Machine.SetVcpus(count);
        entry.Affinity = [.. Enumerable.Repeat(3UL, count)];
        return 0;
    }

    public int Pause(XenDomain domain) => SetPaused(domain, true);

    public int Unpause(XenDomain domain) => SetPaused(domain, false);

    public bool IsPaused(XenDomain domain) => Of(domain) is { IsPaused: true };

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

    /// <summary>Ends all domains that it made.</summary>
    public void DestroyAll()
    {
        foreach (XenDomain domain in Made.ToList())
            Destroy(domain);
    }

    public VcpuActivity ActivityOf(XenDomain domain, int vcpu) => new(1_000_000UL * ((ulong)vcpu + 1), false, true, vcpu % 2);

    public ulong GetAffinity(XenDomain domain, int vcpu) => Of(domain)?.Affinity[vcpu] ?? 0;

    public int SetAffinity(XenDomain domain, int vcpu, ulong hostThreads)
    {
        if ((hostThreads & 3) == 0)
            return -Errno.EINVAL;
        if (Of(domain) is not { } entry)
            return -Errno.ESRCH;
        entry.Affinity[vcpu] = hostThreads & 3;
        return 0;
    }

    public CreditShare GetShare(XenDomain domain) => Of(domain)?.Share ?? default;

    public int SetShare(XenDomain domain, CreditShare share)
    {
        if (Of(domain) is not { } entry)
            return -Errno.ESRCH;
        entry.Share = share;
        return 0;
    }

    private int SetPaused(XenDomain domain, bool value)
    {
        if (Of(domain) is not { } entry)
            return -Errno.ESRCH;
        entry.IsPaused = value;
        return 0;
    }

    // Null: somebody else made the domain.
    private Entry? Of(XenDomain domain) => entries.GetValueOrDefault(domain.Id);
}
