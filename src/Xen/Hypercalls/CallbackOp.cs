using System.Runtime.InteropServices;
using FastXen.Xen.Memory;

namespace FastXen.Xen.Hypercalls;

/// <summary>callback_op (30): callback.h. Each vCPU registers for itself.</summary>
internal static unsafe class CallbackOp
{
    private const ulong Register = 0;
    private const ushort Event = 0, Failsafe = 1;

    [StructLayout(LayoutKind.Sequential)]
    private struct RegisterArgument
    {
        public ushort Type, Flags;
        public ulong Address;
    }

    /// <summary>callback_op(command, argument).</summary>
    public static long Do(HypercallFrame* call)
    {
        if (call->Arguments[0] != Register)
            return call->Arguments[0] == 1 ? -Errno.EINVAL : -Errno.ENOSYS;
        if (!new XencommHandle(call->Arguments[1]).Read(call->Domain.Memory, out RegisterArgument a))
            return -Errno.EFAULT;
        switch (a.Type)
        {
            case Event:
                call->Vcpu->EventCallback = a.Address & ~0xFUL;
                return 0;
            case Failsafe:
                return 0;
            default:
                return -Errno.ENOSYS;
        }
    }
}
