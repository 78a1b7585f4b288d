namespace FastXen.Xen.EventChannels;

/// <summary>What a port is bound to.</summary>
public enum ChannelState
{
    /// <summary>Nothing.</summary>
    Free,

    /// <summary>Never bound (port 0).</summary>
    Reserved,

    /// <summary>Waits for its remote domain to bind.</summary>
    Unbound,

    /// <summary>A port of another domain, or a service of the host.</summary>
    Interdomain,

    /// <summary>A physical interrupt.</summary>
    Pirq,

    /// <summary>A virtual interrupt.</summary>
    Virq,

    /// <summary>Its own domain's vCPUs send to it.</summary>
    Ipi,

    /// <summary>Being closed.</summary>
    Closing,
}
