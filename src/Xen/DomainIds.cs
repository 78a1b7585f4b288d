namespace FastXen.Xen;

/// <summary>Domain identifiers that do not name an ordinary domain (public header xen.h).</summary>
public static class DomainIds
{
    /// <summary>Real domains have lower identifiers.</summary>
    public const ushort FirstReserved = 0x7ff0;

    /// <summary>In whose name the host's own backends act: the highest ordinary number, which no real domain has.</summary>
    public const ushort Host = 0x7fef;

    /// <summary>DOMID_SELF: the caller.</summary>
    public const ushort Self = 0x7ff0;

    /// <summary>DOMID_IO: owner of device memory.</summary>
    public const ushort Io = 0x7ff1;

    /// <summary>DOMID_XEN: owner of the hypervisor's memory.</summary>
    public const ushort Xen = 0x7ff2;
}
