namespace FastXen.Xen.Toolstack;

/// <summary>Versions of domctl's structures that toolstacks are accepted with (domctl.h, <c>XEN_DOMCTL_INTERFACE_VERSION</c>).</summary>
internal enum DomctlVersion : uint
{
    /// <summary>Xen 3.1, CentOS 5.</summary>
    Xen31 = 5,

    /// <summary>The last Xen with ia64.</summary>
    Xen42 = 8,
}
