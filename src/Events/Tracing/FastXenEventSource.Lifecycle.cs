using System.Diagnostics.Tracing;

namespace FastXen.Events;

// Domains and vCPUs.
public sealed partial class FastXenEventSource
{
    /// <summary>A domain was made. <paramref name="memory"/>: bytes of RAM.</summary>
    [Event(1, Keywords = Keywords.Lifecycle, Level = EventLevel.Informational)]
    public void DomainCreated(int domain, int vcpus, ulong memory, string name, string personality) =>
        Write(1, 0b011, [(uint)domain, (uint)vcpus, memory], name, personality);

    /// <summary>A domain begins to run, after power-on or a reboot.</summary>
    [Event(2, Keywords = Keywords.Lifecycle, Level = EventLevel.Informational)]
    public void DomainStarted(int domain) => Write(2, 0b1, [(uint)domain]);

    /// <summary>A domain's vCPUs leave guest code until it is unpaused.</summary>
    [Event(3, Keywords = Keywords.Lifecycle, Level = EventLevel.Informational)]
    public void DomainPaused(int domain) => Write(3, 0b1, [(uint)domain]);

    /// <summary>A paused domain goes on.</summary>
    [Event(4, Keywords = Keywords.Lifecycle, Level = EventLevel.Informational)]
    public void DomainUnpaused(int domain) => Write(4, 0b1, [(uint)domain]);

    /// <summary>A domain stopped: PowerOff, Reboot, Halted, Crashed, Requested.</summary>
    [Event(5, Keywords = Keywords.Lifecycle, Level = EventLevel.Informational)]
    public void DomainStopped(int domain, string reason) => Write(5, 0b1, [(uint)domain], reason);

    /// <summary>A domain is gone.</summary>
    [Event(6, Keywords = Keywords.Lifecycle, Level = EventLevel.Informational)]
    public void DomainDestroyed(int domain) => Write(6, 0b1, [(uint)domain]);

    /// <summary>A vCPU comes online at <paramref name="ip"/>.</summary>
    [Event(7, Keywords = Keywords.Lifecycle, Level = EventLevel.Informational)]
    public void VcpuStarted(int domain, int vcpu, ulong ip) => Write(7, 0b011, [(uint)domain, (uint)vcpu, ip]);

    /// <summary>A vCPU stopped. <paramref name="slots"/>: instruction slots that it retired since its reset.</summary>
    [Event(8, Keywords = Keywords.Lifecycle, Level = EventLevel.Informational)]
    public void VcpuStopped(int domain, int vcpu, ulong slots, string reason) => Write(8, 0b011, [(uint)domain, (uint)vcpu, slots], reason);
}
