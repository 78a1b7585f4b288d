using System.Runtime.InteropServices;
using FastXen.Xen.Memory;

namespace FastXen.Xen.EventChannels;

/// <summary>The hypercall event_channel_op (32): structures of the public header event_channel.h.</summary>
public static class EventChannelCall
{
    private const uint BindInterdomain = 0, BindVirq = 1, BindPirq = 2, Close = 3, Send = 4, Status = 5, AllocUnbound = 6;
    private const uint BindIpi = 7, BindVcpu = 8, Unmask = 9, Reset = 10;
    private const uint WillShare = 1;

    [StructLayout(LayoutKind.Sequential)]
    private struct AllocUnboundArgument
    {
        public ushort Domain, Remote;
        public uint Port;
    }

    [StructLayout(LayoutKind.Sequential)]
    private struct BindInterdomainArgument
    {
        public ushort RemoteDomain;
        public uint RemotePort, LocalPort;
    }

    // bind_virq {virq, vcpu, port}, bind_pirq {pirq, flags, port}.
    [StructLayout(LayoutKind.Sequential)]
    private struct BindInterruptArgument
    {
        public int Number, VcpuOrFlags;
        public int Port;
    }

    // bind_ipi {vcpu, port}, bind_vcpu {port, vcpu}.
    [StructLayout(LayoutKind.Sequential)]
    private struct PairArgument
    {
        public uint First, Second;
    }

    [StructLayout(LayoutKind.Sequential)]
    private struct StatusArgument
    {
        public ushort Domain;
        public uint Port, Status, Vcpu, Union0, Union1;
    }

    /// <summary>Carries out a command of a domain's vCPU.</summary>
    public static long Do(XenDomain caller, uint command, XencommHandle argument) => command switch
    {
        Send => Port(caller, argument, static (table, port) => table.Send(port)),
        Unmask => Port(caller, argument, static (table, port) => table.Unmask(port)),
        Close => Port(caller, argument, static (table, port) => table.Close(port)),
        AllocUnbound => DoAllocUnbound(caller, argument),
        BindInterdomain => DoBindInterdomain(caller, argument),
        BindVirq => DoBindInterrupt(caller, argument, static (table, a) => table.BindVirq(a.Number, a.VcpuOrFlags)),
        BindPirq => DoBindInterrupt(caller, argument, static (table, a) => table.BindPirq(a.Number, (a.VcpuOrFlags & WillShare) != 0)),
        BindIpi => DoBindIpi(caller, argument),
        BindVcpu => argument.Read(caller.Memory, out PairArgument pair)
            ? caller.EventChannels.BindVcpu(pair.First, pair.Second) : -Errno.EFAULT,
        Status => DoStatus(caller, argument),
        Reset => DoReset(caller, argument),
        _ => -Errno.ENOSYS,
    };

    private static long Port(XenDomain caller, XencommHandle argument, Func<EventChannelTable, uint, int> operation) =>
        argument.Read(caller.Memory, out uint port) ? operation(caller.EventChannels, port) : -Errno.EFAULT;

    private static long DoAllocUnbound(XenDomain caller, XencommHandle argument)
    {
        if (!argument.Read(caller.Memory, out AllocUnboundArgument a))
            return -Errno.EFAULT;
        int result = caller.Directory.FindTarget(caller, a.Domain, out XenDomain target);
        if (result == 0)
            result = target.EventChannels.AllocateUnbound(a.Remote == DomainIds.Self ? caller.Id : a.Remote);
        if (result < 0)
            return result;
        a.Port = (uint)result;
        return Reply(caller, argument, a);
    }

    private static long DoBindInterdomain(XenDomain caller, XencommHandle argument)
    {
        if (!argument.Read(caller.Memory, out BindInterdomainArgument a))
            return -Errno.EFAULT;
        int port = caller.EventChannels.BindInterdomain(a.RemoteDomain, a.RemotePort);
        if (port < 0)
            return port;
        a.LocalPort = (uint)port;
        return Reply(caller, argument, a);
    }

    private static long DoBindInterrupt(XenDomain caller, XencommHandle argument, Func<EventChannelTable, BindInterruptArgument, int> bind)
    {
        if (!argument.Read(caller.Memory, out BindInterruptArgument a))
            return -Errno.EFAULT;
        a.Port = bind(caller.EventChannels, a);
        return a.Port < 0 ? a.Port : Reply(caller, argument, a);
    }

    private static long DoBindIpi(XenDomain caller, XencommHandle argument)
    {
        if (!argument.Read(caller.Memory, out PairArgument a))
            return -Errno.EFAULT;
        int port = caller.EventChannels.BindIpi((int)a.First);
        if (port < 0)
            return port;
        a.Second = (uint)port;
        return Reply(caller, argument, a);
    }

    private static long DoStatus(XenDomain caller, XencommHandle argument)
    {
        if (!argument.Read(caller.Memory, out StatusArgument a))
            return -Errno.EFAULT;
        int result = caller.Directory.FindTarget(caller, a.Domain, out XenDomain target);
        if (result == 0)
            result = target.EventChannels.Status(a.Port, out ChannelStatus status) is var found && found == 0 ? Fill(ref a, status) : found;
        return result < 0 ? result : Reply(caller, argument, a);
    }

    private static int Fill(ref StatusArgument a, ChannelStatus status)
    {
        // The header's numbers: closed 0, unbound 1, interdomain 2, pirq 3, virq 4, ipi 5.
        a.Status = status.State == ChannelState.Free ? 0 : (uint)status.State - (uint)ChannelState.Reserved;
        a.Vcpu = (uint)status.Vcpu;
        switch (status.State)
        {
            case ChannelState.Unbound:
                a.Union0 = a.Union0 & 0xffff_0000 | status.Domain;
                break;
            case ChannelState.Interdomain:
                a.Union0 = a.Union0 & 0xffff_0000 | status.Domain;
                a.Union1 = (uint)status.Target;
                break;
            case ChannelState.Pirq or ChannelState.Virq:
                a.Union0 = (uint)status.Target;
                break;
        }
        return 0;
    }

    private static long DoReset(XenDomain caller, XencommHandle argument)
    {
        if (!argument.Read(caller.Memory, out ushort id))
            return -Errno.EFAULT;
        int result = caller.Directory.FindTarget(caller, id, out XenDomain target);
        if (result == 0)
            target.EventChannels.Reset();
        return result;
    }

    private static long Reply<T>(XenDomain caller, XencommHandle argument, in T value) where T : unmanaged =>
        argument.Write(caller.Memory, value) ? 0 : -Errno.EFAULT;
}
