using System.Runtime.InteropServices;
using FastXen.Xen.Memory;

namespace FastXen.Xen.Hypercalls;

/// <summary>hvm_op (34): hvm_op.h, params.h. Domains here have no virtualized processors: their parameters are kept, and that is all.</summary>
internal static unsafe class HvmOp
{
    private const ulong SetParam = 0, GetParam = 1, SetPciIntxLevel = 2, SetIsaIrqLevel = 3, SetPciLinkRoute = 4, ModifiedMemory = 7;

    // Pages of the device model, which only virtualized processors have; and its domain.
    private const uint IoreqFrame = 5, BufferedIoreqFrame = 6, BufferedPioFrame = 9, DeviceModelDomain = 13;

    [StructLayout(LayoutKind.Sequential)]
    private struct Parameter
    {
        public ushort Domain;
        public uint Index;
        public ulong Value;
    }

    /// <summary>hvm_op(command, argument).</summary>
    public static long Do(HypercallFrame* call)
    {
        XenDomain caller = call->Domain;
        var argument = new XencommHandle(call->Arguments[1]);
        switch (call->Arguments[0])
        {
            case SetParam or GetParam:
                return DoParameter(caller, argument, call->Arguments[0] == SetParam);
            case SetPciIntxLevel or SetIsaIrqLevel or ModifiedMemory:
                if (!argument.Read(caller.Memory, out ushort id))
                    return -Errno.EFAULT;
                return caller.Directory.FindTarget(caller, id, out _) is < 0 and var error ? error : -Errno.EINVAL;
            case SetPciLinkRoute:
                return 0;
            default:
                return -Errno.ENOSYS;
        }
    }

    private static int DoParameter(XenDomain caller, XencommHandle argument, bool isSet)
    {
        if (!argument.Read(caller.Memory, out Parameter a))
            return -Errno.EFAULT;
        if (a.Index >= XenDomain.Parameters)
            return -Errno.EINVAL;
        int error = caller.Directory.FindTarget(caller, a.Domain, out XenDomain domain);
        if (error != 0)
            return error;
        ref ulong value = ref domain.Parameter((int)a.Index);
        if (!isSet)
        {
            a.Value = Volatile.Read(ref value);
            return argument.Write(caller.Memory, a) ? 0 : -Errno.EFAULT;
        }

        if (a.Index is IoreqFrame or BufferedIoreqFrame or BufferedPioFrame)
            return -Errno.EINVAL;
        if (a.Index == DeviceModelDomain && (a.Value == DomainIds.Self ? caller.Id : a.Value) != 0)
            return -Errno.EINVAL;
        Volatile.Write(ref value, a.Value);
        return 0;
    }
}
