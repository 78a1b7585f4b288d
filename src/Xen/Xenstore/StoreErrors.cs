namespace FastXen.Xen.Xenstore;

/// <summary>Errors travel by name (public header io/xs_wire.h).</summary>
internal static class StoreErrors
{
    public static string Name(int error) => error switch
    {
        Errno.EACCES => nameof(Errno.EACCES),
        Errno.EEXIST => nameof(Errno.EEXIST),
        Errno.ENOENT => nameof(Errno.ENOENT),
        Errno.ENOMEM => nameof(Errno.ENOMEM),
        Errno.ENOSPC => nameof(Errno.ENOSPC),
        Errno.EIO => nameof(Errno.EIO),
        Errno.ENOSYS => nameof(Errno.ENOSYS),
        Errno.EBUSY => nameof(Errno.EBUSY),
        Errno.EAGAIN => nameof(Errno.EAGAIN),
        Errno.EISCONN => nameof(Errno.EISCONN),
        Errno.E2BIG => nameof(Errno.E2BIG),
        _ => nameof(Errno.EINVAL),
    };
}
