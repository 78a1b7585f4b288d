using FastXen.Xen.Memory;
using FastXen.Xen.Processor;

namespace FastXen.Xen.Hypercalls;

/// <summary>ia64_dom0vp_op (48): arch-ia64.h, <c>IA64_DOM0VP_*</c>.</summary>
internal static unsafe class Dom0VpOp
{
    private const ulong PhysToMach = 1, ZapPhysmap = 5, FpswaRevision = 10;
    private const uint OurFpswaRevision = 1 << 16 | 18;

    // What Xen answers to a number that it does not have.
    private const long Unknown = -1;

    /// <summary>ia64_dom0vp_op(command, arguments).</summary>
    public static long Do(HypercallFrame* call)
    {
        ParavirtualVcpu.Current = call->Caller;
        DomainMemory memory = call->Domain.Memory;
        switch (call->Arguments[0])
        {
            case PhysToMach:
                return (long)memory.MachineFrameOf(call->Arguments[1]);
            case ZapPhysmap:
                return call->Arguments[2] != 0 ? -Errno.ENOSYS : memory.Release(call->Arguments[1]) ? 0 : -Errno.EINVAL;
            case FpswaRevision:
                return new XencommHandle(call->Arguments[1]).Write(memory, OurFpswaRevision) ? 0 : -Errno.EFAULT;
            default:
                return Unknown;
        }
    }
}
