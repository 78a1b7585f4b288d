namespace FastXen.Xen.Grants;

/// <summary>GTF_* flags of a grant entry that accepts a frame (public header grant_table.h).</summary>
[Flags]
public enum TransferFlags : ushort
{
    /// <summary>Not in use.</summary>
    None = 0,

    /// <summary>The other domain may give a frame.</summary>
    Accept = 2,

    /// <summary>Set by the hypervisor: a frame is on its way.</summary>
    Committed = 1 << 2,

    /// <summary>Set by the hypervisor: the frame is there.</summary>
    Completed = 1 << 3,
}
