namespace FastXen.Xen.Toolstack;

/// <summary>
/// What a toolstack in a privileged domain asks of the host that holds the domains (the hypercalls domctl and sysctl), found at <see cref="XenHost.Control"/>.
/// Called by vCPUs in hypercalls, from any thread: a call checks its arguments, begins what is asked and returns; it never waits for a vCPU.
/// Results are 0 or a negative error number.
/// </summary>
/// <remarks>
/// Rights and the existence of the domain have been checked by the hypercall. A domain may be on its way out meanwhile: then -ESRCH.
/// </remarks>
public interface IDomainControl
{
    /// <summary>What the host has.</summary>
    HostResources Resources { get; }

    /// <summary>The scheduler: what <see cref="GetShare"/> and <see cref="SetShare"/> are about is the credit scheduler's.</summary>
    SchedulerKind Scheduler { get; }

    /// <summary>Time for which a host thread ran no guest, in nanoseconds; null where there is no such thread.</summary>
    ulong? IdleTime(int hostThread);

    /// <summary>
    /// Makes an empty domain: in the directory, paused, without memory (<see cref="ParavirtualConfiguration.Populate"/> false; room for as much as the host
    /// lets a domain have) and without vCPUs. -EINVAL where the number is taken, -ENOMEM where there is no room.
    /// </summary>
    int Create(DomainRequest request, out ushort id);

    /// <summary>
    /// Gives a domain that has none its vCPUs, down (<see cref="ParavirtualMachine.SetVcpus"/>, and the scheduler's for them). Once; <paramref name="count"/>: 1 to 64.
    /// </summary>
    int SetVcpus(XenDomain domain, int count);

    /// <summary>Its vCPUs stop at their next look-points and run no code until <see cref="Unpause"/>. Paused already: 0.</summary>
    int Pause(XenDomain domain);

    /// <summary>Undoes <see cref="Pause"/>, and starts a domain that was made. Not paused: 0.</summary>
    int Unpause(XenDomain domain);

    /// <summary>Has been paused by <see cref="Pause"/>, or was not started yet.</summary>
    bool IsPaused(XenDomain domain);

    /// <summary>
    /// Stops its vCPUs for the time of an operation, as <see cref="Pause"/> but counted and apart from it; undone by <see cref="Release"/>. False for one
    /// that is on its way out.
    /// </summary>
    bool TryHold(XenDomain domain);

    /// <summary>Undoes one <see cref="TryHold"/>.</summary>
    void Release(XenDomain domain);

    /// <summary>True when none of its vCPUs runs code, and none will while it is held or paused.</summary>
    bool IsStopped(XenDomain domain);

    /// <summary>A domain that shut itself down to be saved goes on.</summary>
    int Resume(XenDomain domain);

    /// <summary>Begins the end of the domain; it is gone when the directory does not find it any more. Asked again: 0.</summary>
    int Destroy(XenDomain domain);

    /// <summary>What a vCPU has done, and does; <paramref name="vcpu"/> is one that it has.</summary>
    VcpuActivity ActivityOf(XenDomain domain, int vcpu);

    /// <summary>On which host threads a vCPU may run; bit 0 is the first.</summary>
    ulong GetAffinity(XenDomain domain, int vcpu);

    /// <summary>Lets a vCPU run on some of the host threads only. -EINVAL where none of them exists.</summary>
    int SetAffinity(XenDomain domain, int vcpu, ulong hostThreads);

    /// <summary>Its weight and cap.</summary>
    CreditShare GetShare(XenDomain domain);

    /// <summary>Changes weight and cap. -EINVAL for values that the scheduler does not have.</summary>
    int SetShare(XenDomain domain, CreditShare share);
}

/// <summary>A domain that a toolstack wants.</summary>
/// <param name="Id">Its number; 0: any that is free.</param>
/// <param name="Handle">Its UUID.</param>
public readonly record struct DomainRequest(ushort Id, Guid Handle);

/// <summary>Weight (256 is usual) and cap (percent of a host thread; 0: none) of the credit scheduler.</summary>
public readonly record struct CreditShare(ushort Weight, ushort Cap);

/// <summary>What a vCPU has done, and does.</summary>
/// <param name="RunTime">Nanoseconds on host threads.</param>
/// <param name="IsRunning">It is on one.</param>
/// <param name="IsBlocked">It waits for an event.</param>
/// <param name="HostThread">The one that it was on last.</param>
public readonly record struct VcpuActivity(ulong RunTime, bool IsRunning, bool IsBlocked, int HostThread);

/// <summary>What the host has for domains.</summary>
/// <param name="HostThreads">Threads that run vCPUs.</param>
/// <param name="Frequency">Of a processor, in kHz.</param>
/// <param name="TotalFrames">Frames of 16 KiB.</param>
/// <param name="FreeFrames">Those that are not in use.</param>
public readonly record struct HostResources(int HostThreads, uint Frequency, ulong TotalFrames, ulong FreeFrames);

/// <summary>Schedulers (domctl.h, <c>XEN_SCHEDULER_*</c>).</summary>
public enum SchedulerKind : uint
{
    /// <summary>Simple earliest deadline first.</summary>
    Sedf = 4,

    /// <summary>Credit.</summary>
    Credit = 5,
}
