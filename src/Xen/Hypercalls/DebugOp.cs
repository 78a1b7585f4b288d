using FastXen.Xen.Memory;

namespace FastXen.Xen.Hypercalls;

/// <summary>ia64_debug_op (50): arch-ia64/debug_op.h. Flags that say where a domain is to stop for its debugger are kept; nothing stops there yet.</summary>
internal static unsafe class DebugOp
{
    private const ulong SetFlags = 1, GetFlags = 2;

    /// <summary>ia64_debug_op(command, domain, argument).</summary>
    public static long Do(HypercallFrame* call)
    {
        XenDomain caller = call->Domain;
        var argument = new XencommHandle(call->Arguments[2]);
        if (!argument.Read(caller.Memory, out ulong flags))
            return -Errno.EFAULT;
        if (caller.Directory.Find((ushort)call->Arguments[1]) is not { } domain)
            return -Errno.ESRCH;
        if (!caller.IsPrivileged)
            return -Errno.EPERM;
        switch (call->Arguments[0])
        {
            case SetFlags:
                domain.DebugFlags = flags;
                return 0;
            case GetFlags:
                return argument.Write(caller.Memory, domain.DebugFlags) ? 0 : -Errno.EFAULT;
            default:
                return -Errno.ENOSYS;
        }
    }
}
