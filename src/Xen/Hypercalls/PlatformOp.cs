using FastXen.Xen.Memory;

namespace FastXen.Xen.Hypercalls;

/// <summary>platform_op (7): platform.h. On ia64 it is there, and can do next to nothing: processors' power states, which there are none of here.</summary>
internal static unsafe class PlatformOp
{
    private const uint Version = 0x0300_0001;

    /// <summary>platform_op(argument).</summary>
    public static long Do(HypercallFrame* call)
    {
        XenDomain caller = call->Domain;
        if (!caller.IsPrivileged)
            return -Errno.EPERM;
        // Command, version.
        if (!new XencommHandle(call->Arguments[0]).Read(caller.Memory, out ulong head))
            return -Errno.EFAULT;
        return (uint)(head >> 32) != Version ? -Errno.EACCES : -Errno.ENOSYS;
    }
}
