using System.Runtime.InteropServices;
using FastXen.Xen.EventChannels;
using FastXen.Xen.Memory;
using FastXen.Xen.Physdev;

namespace FastXen.Xen.Hypercalls;

/// <summary>physdev_op (33): physdev.h; and ia64_fast_eoi (49).</summary>
internal static unsafe class PhysdevOp
{
    private const ulong UnmaskNotify = 4, IrqStatusQuery = 5, ApicRead = 8, ApicWrite = 9, AllocIrqVector = 10, FreeIrqVector = 11, Eoi = 12, MapPirq = 13, UnmapPirq = 14,
        ManagePciAdd = 15, ManagePciRemove = 16, PirqEoiGmfn1 = 17, ManagePciAddExt = 20, PirqEoiGmfn2 = 28;

    private const uint NeedsEoi = 1;

    [StructLayout(LayoutKind.Sequential)]
    private struct ApicArgument
    {
        public ulong Address;
        public uint Register, Value;
    }

    // irq_status_query {irq, flags}, alloc_irq_vector and free_irq_vector {irq, vector}.
    [StructLayout(LayoutKind.Sequential)]
    private struct InterruptArgument
    {
        public uint Irq, Value;
    }

    /// <summary>physdev_op(command, argument).</summary>
    public static long Do(HypercallFrame* call)
    {
        XenDomain caller = call->Domain;
        MachineInterrupts interrupts = call->Caller.Machine.Hypervisor.Interrupts;
        var argument = new XencommHandle(call->Arguments[1]);
        switch (call->Arguments[0])
        {
            case Eoi:
                return argument.Read(caller.Memory, out uint ended) ? End(interrupts, caller, ended) : -Errno.EFAULT;
            case UnmaskNotify:
                for (int pirq = 0; pirq < EventChannelTable.Pirqs; pirq++)
                    interrupts.End(caller, pirq);
                return 0;
            case IrqStatusQuery or AllocIrqVector or FreeIrqVector:
                return OnInterrupt(interrupts, caller, call->Arguments[0], argument);
            case ApicRead or ApicWrite:
                return OnApic(interrupts, caller, call->Arguments[0] == ApicWrite, argument);
            case PirqEoiGmfn1 or PirqEoiGmfn2:
                return argument.Read(caller.Memory, out ulong page) ? OpenEndMap(interrupts, caller, page, call->Arguments[0] == PirqEoiGmfn1) : -Errno.EFAULT;
            case MapPirq or UnmapPirq:
                // Interrupts have one number everywhere.
                return argument.Read(caller.Memory, out ulong _) ? 0 : -Errno.EFAULT;
            case ManagePciAdd or ManagePciRemove or ManagePciAddExt:
                // There is no device of which the hypervisor would have to know.
                return !caller.IsPrivileged ? -Errno.EPERM : argument.Read(caller.Memory, out ushort _) ? 0 : -Errno.EFAULT;
            default:
                return -Errno.ENOSYS;
        }
    }

    /// <summary>ia64_fast_eoi(vector).</summary>
    public static long DoFastEoi(HypercallFrame* call) => End(call->Caller.Machine.Hypervisor.Interrupts, call->Domain, call->Arguments[0]);

    private static int End(MachineInterrupts interrupts, XenDomain caller, ulong pirq)
    {
        if (pirq >= EventChannelTable.Pirqs)
            return -Errno.EINVAL;
        interrupts.End(caller, (int)pirq);
        if (caller.EndMap is { Unmasks: true } && caller.EventChannels.PortOfPirq((int)pirq) is not 0 and var port)
            caller.EventChannels.Unmask(port);
        return 0;
    }

    private static int OpenEndMap(MachineInterrupts interrupts, XenDomain caller, ulong page, bool unmasks)
    {
        if (EndMap.Open(caller.Memory, page, unmasks) is not { } map)
            return -Errno.EINVAL;
        if (!caller.TrySetEndMap(map))
        {
            map.Close();
            return -Errno.EBUSY;
        }

        interrupts.Tell(caller);
        return 0;
    }

    private static int OnInterrupt(MachineInterrupts interrupts, XenDomain caller, ulong command, XencommHandle argument)
    {
        if (!argument.Read(caller.Memory, out InterruptArgument a))
            return -Errno.EFAULT;
        if (command != IrqStatusQuery && !caller.IsPrivileged)
            return -Errno.EPERM;
        if (command == FreeIrqVector)
            return interrupts.Free(a.Value);
        // Linux/ia64 asks for any vector as irq -1.
        if ((int)a.Irq >= EventChannelTable.Pirqs || command == IrqStatusQuery && (int)a.Irq < 0)
            return -Errno.EINVAL;
        if (command == IrqStatusQuery)
        {
            a.Value = interrupts.NeedsEnd((int)a.Irq) ? NeedsEoi : 0;
        }
        else
        {
            int vector = interrupts.Allocate(caller);
            if (vector < 0)
                return vector;
            a.Value = (uint)vector;
        }

        return argument.Write(caller.Memory, a) ? 0 : -Errno.EFAULT;
    }

    private static int OnApic(MachineInterrupts interrupts, XenDomain caller, bool isWrite, XencommHandle argument)
    {
        if (!argument.Read(caller.Memory, out ApicArgument a))
            return -Errno.EFAULT;
        if (!caller.IsPrivileged)
            return -Errno.EPERM;
        if (isWrite)
            return interrupts.Write(a.Address, a.Register, a.Value);
        if (!interrupts.TryRead(a.Address, a.Register, out a.Value))
            return -Errno.EINVAL;
        return argument.Write(caller.Memory, a) ? 0 : -Errno.EFAULT;
    }
}
