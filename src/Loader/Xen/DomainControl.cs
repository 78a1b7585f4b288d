using FastXen.Loader.Hosting;
using FastXen.Loader.Scheduling;
using FastXen.Smp;
using FastXen.Xen;
using FastXen.Xen.Memory;
using FastXen.Xen.Toolstack;

namespace FastXen.Loader.Xen;

/// <summary>A host as toolstacks in its privileged domains have it.</summary>
internal sealed class DomainControl(Host host, XenHost xen) : IDomainControl
{
    public HostResources Resources
    {
        get
        {
            MemoryBudget budget = host.Budget;
            return new HostResources(HostThreads.Count, (uint)(ParavirtualMachine.ItcFrequency / 1000), budget.Limit >> Frame.Shift, budget.Free >> Frame.Shift);
        }
    }

    public SchedulerKind Scheduler => SchedulerKind.Credit;

    public ulong? IdleTime(int hostThread)
    {
        IReadOnlyList<HostThreadStatistics> threads = HostThreads;
        if ((uint)hostThread >= (uint)threads.Count) return null;
        return Nanoseconds(host.Log.Now - threads[hostThread].BusyTime);
    }

    public int Create(DomainRequest request, out ushort id)
    {
        try
        {
            (HostedDomain domain, ToolstackGuest guest) = host.CreateEmpty(request.Id, "domctl");
            guest.Machine!.Domain.Handle = request.Handle;
            id = (ushort)domain.Id;
            return 0;
        }
        catch (Exception e) when (e is LoadException or OutOfMemoryException)
        {
            id = 0;
            return e is OutOfMemoryException or OutOfBudgetException ? -Errno.ENOMEM : -Errno.EINVAL;
        }
    }

    public int SetVcpus(XenDomain domain, int count)
    {
        if (Find(domain) is not { } hosted || xen.MachineOf(domain) is not { } machine) return -Errno.ESRCH;
        machine.SetVcpus(count);
        _ = hosted.RunToEndAsync();
        return 0;
    }

    public int Pause(XenDomain domain) => Do(domain, static hosted => hosted.Scheduling.RequestPause());

    public int Unpause(XenDomain domain) => Do(domain, static hosted =>
    {
        (hosted.Domain.Guest as ToolstackGuest)?.ConnectConsole();
        hosted.Unpause();
    });

    public bool IsPaused(XenDomain domain) => Find(domain)?.Scheduling.IsPaused ?? false;

    public bool TryHold(XenDomain domain) => Do(domain, static hosted => hosted.Scheduling.Hold()) == 0;

    public void Release(XenDomain domain) => Find(domain)?.Scheduling.Release();

    public bool IsStopped(XenDomain domain) => Find(domain)?.Scheduling.IsStopped ?? true;

    // Of those that the host itself made nothing is left when they have shut down.
    public int Resume(XenDomain domain)
    {
        if (Find(domain) is not { } hosted || xen.MachineOf(domain) is not { } machine) return -Errno.ESRCH;
        if (machine.ShutdownReason is not { } reason) return 0;
        if (reason != ShutdownReason.Suspend || hosted.Domain.Guest is not ToolstackGuest) return -Errno.EINVAL;
        hosted.Domain.TakeUpAgain();
        return 0;
    }

    // On a thread of its own: the end waits for the domain's processors, which may wait for the caller.
    public int Destroy(XenDomain domain) => Do(domain, static hosted => Task.Run(hosted.Destroy));

    public VcpuActivity ActivityOf(XenDomain domain, int vcpu)
    {
        if (Find(domain)?.Scheduling.Vcpus.ElementAtOrDefault(vcpu)?.Statistics is not { } now) return default;
        return new VcpuActivity(Nanoseconds(now.RunTime), now.Phase == VcpuPhase.Running, now.Phase == VcpuPhase.Blocked, now.HostThread);
    }

    public ulong GetAffinity(XenDomain domain, int vcpu) => Find(domain)?.Scheduling.Affinity(vcpu).Hard ?? 0;

    public int SetAffinity(XenDomain domain, int vcpu, ulong hostThreads) => Try(domain, scheduling => scheduling.Pin(vcpu, hostThreads, soft: null));

    public CreditShare GetShare(XenDomain domain) =>
        Find(domain)?.Scheduling.Credit is { } credit ? new CreditShare((ushort)credit.Weight, (ushort)credit.Cap) : default;

    public int SetShare(XenDomain domain, CreditShare share) => Try(domain, scheduling => scheduling.Credit = new CreditParameters(share.Weight, share.Cap));

    private IReadOnlyList<HostThreadStatistics> HostThreads => host.Scheduler?.HostThreads ?? [];

    private HostedDomain? Find(XenDomain domain) => xen.Directory.Find(domain.Id) == domain ? host.Domains.FirstOrDefault(one => one.Id == domain.Id) : null;

    private int Do(XenDomain domain, Action<HostedDomain> what)
    {
        if (Find(domain) is not { } hosted) return -Errno.ESRCH;
        what(hosted);
        return 0;
    }

    private int Try(XenDomain domain, Action<DomainScheduling> what)
    {
        try
        {
            return Do(domain, hosted => what(hosted.Scheduling));
        }
        catch (ArgumentException)
        {
            return -Errno.EINVAL;
        }
    }

    private static ulong Nanoseconds(TimeSpan time) => (ulong)Math.Max(0, time.Ticks) * 100;
}
