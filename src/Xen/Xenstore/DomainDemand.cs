using System.Globalization;

namespace FastXen.Xen.Xenstore;

/// <summary>What a domain's home asks of it: how much memory (bytes) it is to have, and which vCPUs (a bit for each) it is to use.</summary>
public sealed record DomainDemand(ulong Memory, ulong Vcpus)
{
    /// <summary>Whether the domain is to use a vCPU.</summary>
    public bool IsOnline(int vcpu) => (Vcpus >> vcpu & 1) != 0;

    /// <summary>What the store says; what it does not say is <paramref name="memory"/>, and all vCPUs.</summary>
    public static DomainDemand Of(XenstoreServer store, ushort domain, ulong memory)
    {
        ArgumentNullException.ThrowIfNull(store);
        if (ulong.TryParse(store.Get(DomainHome.MemoryTargetOf(domain)), NumberStyles.None, CultureInfo.InvariantCulture, out ulong kibibytes) && kibibytes <= ulong.MaxValue >> 10)
            memory = kibibytes << 10;
        ulong vcpus = 0;
        for (int vcpu = 0; vcpu < XenDomain.MaximumVcpus; vcpu++)
        {
            if (store.Get(DomainHome.AvailabilityOf(domain, vcpu)) != "offline")
                vcpus |= 1UL << vcpu;
        }
        return new DomainDemand(memory, vcpus);
    }
}
