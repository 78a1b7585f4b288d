namespace FastXen.Xen.EventChannels;

/// <summary>The physical interrupts that a domain has been given. Calls come under the lock of the domain's channels.</summary>
public interface IPirqController
{
    /// <summary>The domain may bind the interrupt.</summary>
    bool IsPermitted(int pirq);

    /// <summary>Connects the interrupt to the domain; 0, or a negative error.</summary>
    int Bind(int pirq, bool willShare);

    /// <summary>The interrupt's channel is there: from now on it can be sent.</summary>
    void Bound(int pirq);

    /// <summary>Disconnects the interrupt.</summary>
    void Unbind(int pirq);

    /// <summary>The interrupt's channel notifies another vCPU from now on.</summary>
    void SetAffinity(int pirq, int vcpu);
}
