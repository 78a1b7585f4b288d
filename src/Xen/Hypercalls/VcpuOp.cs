using System.Runtime.InteropServices;
using FastXen.Xen.Memory;
using FastXen.Xen.Processor;

namespace FastXen.Xen.Hypercalls;

/// <summary>vcpu_op (24): vcpu.h.</summary>
internal static unsafe class VcpuOp
{
    private const ulong Initialise = 0, Up = 1, Down = 2, IsUp = 3, GetRunstateInfo = 4, RegisterRunstateMemoryArea = 5, SetPeriodicTimer = 6,
        StopPeriodicTimer = 7, SetSingleshotTimer = 8, StopSingleshotTimer = 9;

    private const ulong MaximumVcpus = 64, ShortestPeriod = 1_000_000;

    [StructLayout(LayoutKind.Sequential)]
    private struct SingleshotArgument
    {
        public const uint Future = 1;
        public ulong Time;
        public uint Flags;
    }

    /// <summary>vcpu_op(command, vcpu, argument).</summary>
    public static long Do(HypercallFrame* call)
    {
        ParavirtualMachine machine = call->Caller.Machine;
        if (call->Arguments[1] >= (ulong)machine.Vcpus.Count)
            return call->Arguments[1] < MaximumVcpus ? -Errno.ENOENT : -Errno.EINVAL;
        ParavirtualVcpu vcpu = machine.Vcpus[(int)call->Arguments[1]];
        var argument = new XencommHandle(call->Arguments[2]);
        switch (call->Arguments[0])
        {
            case Initialise:
                // Application processors start by the firmware's interrupt, which says where.
                return vcpu.IsUp ? -Errno.EEXIST : -Errno.EINVAL;
            case Up:
                return vcpu.BringUp() ? 0 : -Errno.EINVAL;
            case Down:
                vcpu.TakeDown();
                return 0;
            case IsUp:
                return vcpu.IsUp ? 1 : 0;
            case GetRunstateInfo:
                return argument.Write(machine.Domain.Memory, vcpu.Runstate.At(vcpu.Time)) ? 0 : -Errno.EFAULT;
            case RegisterRunstateMemoryArea:
                // The argument holds a handle, which is good for this call only.
                return argument.Read(machine.Domain.Memory, out XencommHandle area)
                    && area.Resolve(machine.Domain.Memory, sizeof(RunstateInfo)) is { } buffer && vcpu.ShowRunstate(buffer) ? 0 : -Errno.EFAULT;
            case SetPeriodicTimer:
                if (!argument.Read(machine.Domain.Memory, out ulong period))
                    return -Errno.EFAULT;
                if (period < ShortestPeriod)
                    return -Errno.EINVAL;
                vcpu.Timers.SetPeriod(period);
                return 0;
            case StopPeriodicTimer:
                vcpu.Timers.StopPeriodic();
                return 0;
            case SetSingleshotTimer when vcpu == call->Caller:
                if (!argument.Read(machine.Domain.Memory, out SingleshotArgument once))
                    return -Errno.EFAULT;
                ulong now = machine.Hypervisor.SystemTime;
                if (once.Time < now && (once.Flags & SingleshotArgument.Future) != 0)
                    return -Errno.ETIME;
                vcpu.Timers.SetOnce(once.Time > now ? once.Time - now : 0);
                return 0;
            case StopSingleshotTimer when vcpu == call->Caller:
                vcpu.Timers.StopOnce();
                return 0;
            case SetSingleshotTimer or StopSingleshotTimer:
                return -Errno.EINVAL;
            default:
                return -Errno.ENOSYS;
        }
    }
}
