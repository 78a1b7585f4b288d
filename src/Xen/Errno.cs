namespace FastXen.Xen;

/// <summary>Error numbers of the hypercall interface (public header errno.h; Linux's values). Hypercalls return them negated.</summary>
public static class Errno
{
    /// <summary>Not permitted.</summary>
    public const int EPERM = 1;

    /// <summary>No such thing (a vCPU, a node).</summary>
    public const int ENOENT = 2;

    /// <summary>No such domain.</summary>
    public const int ESRCH = 3;

    /// <summary>Input or output failed.</summary>
    public const int EIO = 5;

    /// <summary>A list is too long.</summary>
    public const int E2BIG = 7;

    /// <summary>Try again.</summary>
    public const int EAGAIN = 11;

    /// <summary>No memory.</summary>
    public const int ENOMEM = 12;

    /// <summary>Access denied.</summary>
    public const int EACCES = 13;

    /// <summary>A guest handle does not lead to the domain's memory.</summary>
    public const int EFAULT = 14;

    /// <summary>In use.</summary>
    public const int EBUSY = 16;

    /// <summary>Exists already.</summary>
    public const int EEXIST = 17;

    /// <summary>Bad argument.</summary>
    public const int EINVAL = 22;

    /// <summary>No room.</summary>
    public const int ENOSPC = 28;

    /// <summary>No such operation.</summary>
    public const int ENOSYS = 38;

    /// <summary>There is none of it yet.</summary>
    public const int ENODATA = 61;

    /// <summary>The time has passed.</summary>
    public const int ETIME = 62;

    /// <summary>Connected already.</summary>
    public const int EISCONN = 106;
}
