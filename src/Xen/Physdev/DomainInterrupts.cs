using FastXen.Xen.EventChannels;

namespace FastXen.Xen.Physdev;

/// <summary>The machine's interrupts as a domain's event channels have them.</summary>
internal sealed class DomainInterrupts(MachineInterrupts machine, XenDomain domain) : IPirqController
{
    /// <inheritdoc/>
    public bool IsPermitted(int pirq) => domain.IoPermissions.HasInterrupt(pirq);

    /// <inheritdoc/>
    public int Bind(int pirq, bool willShare) => machine.Bind(domain, pirq, willShare);

    /// <inheritdoc/>
    public void Bound(int pirq) => machine.Bound(pirq);

    /// <inheritdoc/>
    public void Unbind(int pirq) => machine.Unbind(domain, pirq);

    /// <inheritdoc/>
    public void SetAffinity(int pirq, int vcpu)
    {
        // There are no processors to choose from: the channel's word says which vCPU is told.
    }
}
