namespace FastXen.Xen.Grants;

/// <summary>Results of grant operations (GNTST_* of the public header grant_table.h).</summary>
public enum GrantStatus : short
{
    /// <summary>Done.</summary>
    Okay = 0,

    /// <summary>Anything that has no number of its own.</summary>
    GeneralError = -1,

    /// <summary>No such domain.</summary>
    BadDomain = -2,

    /// <summary>No such grant reference, or one that is not fit for the operation.</summary>
    BadReference = -3,

    /// <summary>No such mapping.</summary>
    BadHandle = -4,

    /// <summary>No room for another mapping.</summary>
    NoDeviceSpace = -7,

    /// <summary>The caller may not do this.</summary>
    PermissionDenied = -8,

    /// <summary>The frame is not the caller's, or is in use.</summary>
    BadPage = -9,

    /// <summary>A copy would cross the end of a frame.</summary>
    BadCopyArgument = -10,
}
