using System.Runtime.InteropServices;
using FastXen.Xen.Memory;
using FastXen.Xen.Processor;

namespace FastXen.Xen.Hypercalls;

/// <summary>vcpu_op (24): vcpu.h.</summary>
internal static unsafe class VcpuOp
{
    private const ulong Initialise = 0, Up = 1, Down = 2, IsUp = 3, GetRunstateInfo = 4, RegisterRunstateMemoryArea = 5;

    [StructLayout(LayoutKind.Sequential)]
    internal struct RunstateInfo
    {
        public int State;
        public ulong Since;
        public fixed ulong Time[4];
    }

    /// <summary>vcpu_op(command, vcpu, argument).</summary>
    public static long Do(HypercallFrame* call)
    {
        ParavirtualMachine machine = call->Caller.Machine;
        if (call->Arguments[1] >= (ulong)machine.Vcpus.Count)
            return -Errno.ENOENT;
        ParavirtualVcpu vcpu = machine.Vcpus[(int)call->Arguments[1]];
        var argument = new XencommHandle(call->Arguments[2]);
        switch (call->Arguments[0])
        {
            case Initialise:
                // Application processors start by the firmware's interrupt, which says where.
                return vcpu.IsUp ? -Errno.EEXIST : -Errno.EINVAL;
            case Up:
                return vcpu.IsUp ? 0 : -Errno.EINVAL;
            case Down:
                ParavirtualMachine.TakeDown(vcpu);
                return 0;
            case IsUp:
                return vcpu.IsUp ? 1 : 0;
            case GetRunstateInfo:
                return argument.Write(machine.Domain.Memory, vcpu.Runstate) ? 0 : -Errno.EFAULT;
            case RegisterRunstateMemoryArea:
                // The argument holds a handle, which is good for this call only.
                if (!argument.Read(machine.Domain.Memory, out XencommHandle area))
                    return -Errno.EFAULT;
                vcpu.RunstateArea = area.Resolve(machine.Domain.Memory, sizeof(RunstateInfo));
                if (vcpu.RunstateArea is null)
                    return -Errno.EFAULT;
                vcpu.UpdateRunstate();
                return 0;
            default:
                return -Errno.ENOSYS;
        }
    }
}
