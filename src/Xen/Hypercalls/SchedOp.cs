using System.Runtime.InteropServices;
using FastXen.Xen.Memory;

namespace FastXen.Xen.Hypercalls;

/// <summary>sched_op (29) and its older form (6): sched.h.</summary>
internal static unsafe class SchedOp
{
    private const ulong Yield = 0, Block = 1, Shutdown = 2, Poll = 3, RemoteShutdown = 4, ShutdownCode = 5, Watchdog = 6;

    [StructLayout(LayoutKind.Sequential)]
    private struct RemoteShutdownArgument
    {
        public ushort Domain;
        public uint Reason;
    }

    [StructLayout(LayoutKind.Sequential)]
    private struct PollArgument
    {
        public XencommHandle Ports;
        public uint Count;
        public ulong Timeout;
    }

    /// <summary>sched_op(command, argument).</summary>
    public static long Do(HypercallFrame* call)
    {
        XenDomain domain = call->Domain;
        var argument = new XencommHandle(call->Arguments[1]);
        switch (call->Arguments[0])
        {
            case Yield:
                call->Caller.Processor.Preempt();
                return 0;
            case Block:
                return DoBlock(call);
            case Shutdown or ShutdownCode:
                if (!argument.Read(domain.Memory, out uint reason))
                    return -Errno.EFAULT;
                if (call->Arguments[0] == Shutdown)
                    call->Caller.Machine.Shutdown((ShutdownReason)(byte)reason, call->Caller);
                else
                    call->Caller.Machine.SetShutdownCode((ShutdownReason)(byte)reason);
                return 0;
            case Watchdog:
                // Identifier, seconds.
                if (!argument.Read(domain.Memory, out ulong watchdog))
                    return -Errno.EFAULT;
                return call->Caller.Machine.Watchdogs.Set((uint)watchdog, (uint)(watchdog >> 32));
            case RemoteShutdown:
                if (!argument.Read(domain.Memory, out RemoteShutdownArgument remote))
                    return -Errno.EFAULT;
                int found = domain.Directory.FindTarget(domain, remote.Domain, out XenDomain target);
                if (found == 0)
                    call->Caller.Machine.Hypervisor.MachineOf(target)?.Shutdown((ShutdownReason)(byte)remote.Reason);
                return found;
            case Poll:
                return DoPoll(call, argument);
            default:
                return -Errno.ENOSYS;
        }
    }

    /// <summary>sched_op_compat(command, reason).</summary>
    public static long DoCompat(HypercallFrame* call)
    {
        switch (call->Arguments[0])
        {
            case Yield or Block:
                return Do(call);
            case Shutdown:
                call->Caller.Machine.Shutdown((ShutdownReason)(byte)call->Arguments[1], call->Caller);
                return 0;
            default:
                return -Errno.ENOSYS;
        }
    }

    private static long DoBlock(HypercallFrame* call)
    {
        call->Vcpu->Info->UpcallMask = 0;
        call->Caller.Block();
        return 0;
    }

    // Waits by running again: the poll ends with an event on one of the ports, or with any other reason to run.
    private static long DoPoll(HypercallFrame* call, XencommHandle argument)
    {
        const int MostPorts = 128;
        XenDomain domain = call->Domain;
        if (!argument.Read(domain.Memory, out PollArgument poll) || poll.Count > MostPorts)
            return poll.Count > MostPorts ? -Errno.EINVAL : -Errno.EFAULT;
        Span<uint> ports = stackalloc uint[(int)poll.Count];
        if (!poll.Ports.Read(domain.Memory, 0, MemoryMarshal.AsBytes(ports)))
            return -Errno.EFAULT;
        int begun = domain.EventChannels.BeginPoll(call->Vcpu->Number, ports);
        if (begun == 1)
            call->Caller.WaitForPoll(poll.Timeout);
        return Math.Min(begun, 0);
    }
}
