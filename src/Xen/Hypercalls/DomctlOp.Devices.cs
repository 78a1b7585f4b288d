using System.Runtime.InteropServices;
using FastXen.Xen.Memory;
using FastXen.Xen.Pci;
using FastXen.Xen.Physdev;
using FastXen.Xen.Toolstack;

namespace FastXen.Xen.Hypercalls;

// Devices of the machine in the hands of domains.
internal static unsafe partial class DomctlOp
{
    private const uint AssignDevice = 37, BindPtIrq = 38, MemoryMapping = 39, IoportMapping = 40, TestAssignDevice = 45, DeassignDevice = 47, UnbindPtIrq = 48;

    [StructLayout(LayoutKind.Sequential)]
    private struct MemoryMappingArgument
    {
        public ulong FirstGfn, FirstMfn, Count;
        public uint Add;
    }

    [StructLayout(LayoutKind.Sequential)]
    private struct PortMappingArgument
    {
        public uint FirstGuestPort, FirstMachinePort, Count, Add;
    }

    private static long OnDevices(HypercallFrame* call, IDomainControl control, XenDomain domain, ref DomctlArgument op, out bool isAnswered)
    {
        isAnswered = false;
        XenHost host = call->Caller.Machine.Hypervisor;
        switch (op.Command)
        {
            case AssignDevice:
                return host.MachineOf(domain) is { } to ? Settled(call, host.Pci.Assign(call->Domain, op.As<uint>(), to)) : -Errno.EINVAL;
            case DeassignDevice:
                return host.MachineOf(domain) is { } from ? Settled(call, host.Pci.Deassign(call->Domain, op.As<uint>(), from)) : -Errno.EINVAL;
            case BindPtIrq or UnbindPtIrq:
                // For domains with virtualized processors.
                return -Errno.EINVAL;
            case MemoryMapping:
                return host.MachineOf(domain) is { } machine ? MapFrames(call, machine, op.As<MemoryMappingArgument>()) : -Errno.EINVAL;
            case IoportMapping:
                return MapPorts(domain, op.As<PortMappingArgument>());
            default:
                return OnVcpus(call, control, domain, ref op, out isAnswered);
        }
    }

    private static long Settled(HypercallFrame* call, int result) => result == MachinePci.NotYet ? call->ContinueFrom(0) : result;

    // Registers are at their machine address in every domain.
    private static long MapFrames(HypercallFrame* call, ParavirtualMachine machine, in MemoryMappingArgument a)
    {
        ulong last = a.FirstMfn + a.Count - 1;
        if (last < a.FirstMfn || a.FirstGfn != a.FirstMfn || last >= Frame.Limit)
            return -Errno.EINVAL;
        if (machine.Domain.IoPermissions.SetFrames(a.FirstMfn, last, a.Add != 0) is not 0 and var error)
            return error;
        if (a.Add != 0)
            return Dom0VpOp.ShowRegisters(call, machine, a.FirstMfn, last, done: 0);
        ulong end = Math.Min(last, a.FirstMfn + call->Progress + Slice - 1);
        for (ulong gpfn = a.FirstMfn + call->Progress; gpfn <= end; gpfn++)
            machine.Domain.Memory.RemoveMmio(gpfn);
        return end < last ? call->ContinueFrom(end + 1 - a.FirstMfn) : 0;
    }

    private static int MapPorts(XenDomain domain, in PortMappingArgument a)
    {
        ulong last = (ulong)a.FirstMachinePort + a.Count - 1;
        bool isValid = a.Count != 0 && last < IoPermissions.Ports && (ulong)a.FirstGuestPort + a.Count <= IoPermissions.Ports;
        return isValid ? domain.IoPermissions.SetPorts(a.FirstMachinePort, last, a.Add != 0) : -Errno.EINVAL;
    }
}
