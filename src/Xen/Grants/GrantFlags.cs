namespace FastXen.Xen.Grants;

/// <summary>GTF_* flags of a grant entry that permits access (public header grant_table.h).</summary>
[Flags]
public enum GrantFlags : ushort
{
    /// <summary>Not in use.</summary>
    Invalid = 0,

    /// <summary>The other domain may map and copy.</summary>
    PermitAccess = 1,

    /// <summary>The bits that hold the type.</summary>
    TypeMask = 3,

    /// <summary>No writing.</summary>
    ReadOnly = 1 << 2,

    /// <summary>Set by the hypervisor: in use.</summary>
    Reading = 1 << 3,

    /// <summary>Set by the hypervisor: in use for writing.</summary>
    Writing = 1 << 4,

    /// <summary>Less than a frame (version 2 only), which cannot be mapped.</summary>
    SubPage = 1 << 8,
}
