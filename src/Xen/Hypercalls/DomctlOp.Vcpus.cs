using System.Runtime.InteropServices;
using FastXen.Xen.Memory;
using FastXen.Xen.Processor;
using FastXen.Xen.Toolstack;

namespace FastXen.Xen.Hypercalls;

// domctl's operations on vCPUs, and the end of a domain's building.
internal static unsafe partial class DomctlOp
{
    [StructLayout(LayoutKind.Sequential)]
    private struct ContextArgument
    {
        public uint Vcpu;
        public XencommHandle Context;
    }

    [StructLayout(LayoutKind.Sequential)]
    private struct VcpuInfoArgument
    {
        public uint Vcpu;
        public byte Online, IsBlocked, IsRunning;
        public ulong RunTime;
        public uint HostThread;
    }

    [StructLayout(LayoutKind.Sequential)]
    private struct AffinityArgument
    {
        public uint Vcpu;
        public XencommHandle Bitmap;
        public uint Bits;
    }

    [StructLayout(LayoutKind.Sequential)]
    private struct TriggerArgument
    {
        public uint Trigger, Vcpu;
    }

    private static long OnVcpus(HypercallFrame* call, IDomainControl control, XenDomain domain, ref DomctlArgument op, out bool isAnswered)
    {
        isAnswered = false;
        bool isSelf = domain == call->Domain;
        switch (op.Command)
        {
            case MaxVcpus:
                // Two that ask at the same time do not both make them.
                if (call->Caller.Machine.Hypervisor.MachineOf(domain) is not { } machine)
                    return -Errno.ESRCH;
                lock (machine.Registers)
                    return machine.IsDisposed ? -Errno.ESRCH : SetVcpus(control, domain, isSelf, op.As<uint>());
            case SetVcpuContext:
                return isSelf ? -Errno.EINVAL : OnContext(call, control, domain, op.Version, op.As<ContextArgument>(), isSet: true);
            case GetVcpuContext:
                isAnswered = true;
                return OnContext(call, control, domain, op.Version, op.As<ContextArgument>(), isSet: false);
            case GetVcpuInfo:
                return Describe(call, control, domain, op.Version, ref op.As<VcpuInfoArgument>(), out isAnswered);
            case SetVcpuAffinity or GetVcpuAffinity:
                return Affinity(call->Domain.Memory, control, domain, op.As<AffinityArgument>(), op.Command == SetVcpuAffinity);
            case SendTrigger:
                // INIT goes to virtualized processors only.
                return op.As<TriggerArgument>().Vcpu >= XenDomain.MaximumVcpus ? -Errno.EINVAL
                    : op.As<TriggerArgument>().Vcpu >= (uint)domain.Vcpus ? -Errno.ESRCH : -Errno.ENOSYS;
            case ArchSetup:
                return ArchitectureSetup.Do(call->Caller.Machine.Hypervisor, domain, ref op.As<ArchitectureSetup.Argument>(), out isAnswered);
            default:
                return -Errno.ENOSYS;
        }
    }

    private static int SetVcpus(IDomainControl control, XenDomain domain, bool isSelf, uint count)
    {
        if (isSelf || count > XenDomain.MaximumVcpus || count < (uint)domain.Vcpus)
            return -Errno.EINVAL;
        if (count == (uint)domain.Vcpus)
            return 0;
        return domain.Vcpus != 0 ? -Errno.EBUSY : control.SetVcpus(domain, (int)count);
    }

    private static int CheckVcpu(XenDomain domain, DomctlVersion version, uint vcpu) =>
        vcpu < (uint)domain.Vcpus ? 0 : version == DomctlVersion.Xen31 && vcpu < XenDomain.MaximumVcpus ? -Errno.ESRCH : -Errno.EINVAL;

    // The domain's vCPUs are out of the way before its registers are looked at: until then the hypercall is executed again.
    private static long OnContext(HypercallFrame* call, IDomainControl control, XenDomain domain, DomctlVersion version, ContextArgument a, bool isSet)
    {
        int error = CheckVcpu(domain, version, a.Vcpu);
        if (error != 0)
            return error;
        if (domain == call->Domain)
            return -Errno.EINVAL;
        bool isHeld = call->Progress != 0;
        if (!isHeld && !control.TryHold(domain))
            return -Errno.ESRCH;
        if (!control.IsStopped(domain))
        {
            call->Caller.Processor.Preempt();
            return call->ContinueFrom(1);
        }

        long result = call->Caller.Machine.Hypervisor.MachineOf(domain) is { } machine
            ? isSet ? Set(call, machine, version, a) : Get(call, machine, version, a)
            : -Errno.ESRCH;
        control.Release(domain);
        return result;
    }

    private static int Set(HypercallFrame* call, ParavirtualMachine machine, DomctlVersion version, ContextArgument a)
    {
        // Without a context the vCPU is to begin anew; the firmware does that.
        if (a.Context.IsNull)
            return 0;
        byte[] bytes = new byte[VcpuContext.SizeOf(version)];
        if (!a.Context.Read(call->Domain.Memory, 0, bytes))
            return -Errno.EFAULT;
        if (VcpuContext.Read(version, bytes) is not { } context)
            return -Errno.EINVAL;
        lock (machine.Registers)
            return machine.IsDisposed ? -Errno.ESRCH : VcpuRegisters.Apply(machine.Vcpus[(int)a.Vcpu], context);
    }

    private static int Get(HypercallFrame* call, ParavirtualMachine machine, DomctlVersion version, ContextArgument a)
    {
        VcpuContext context;
        lock (machine.Registers)
        {
            if (machine.IsDisposed)
                return -Errno.ESRCH;
            ParavirtualVcpu vcpu = machine.Vcpus[(int)a.Vcpu];
            if (!vcpu.IsInitialized)
                return -Errno.ENODATA;
            context = VcpuRegisters.Capture(vcpu);
        }

        return a.Context.Write(call->Domain.Memory, 0, context.ToBytes(version)) ? 0 : -Errno.EFAULT;
    }

    private static int Describe(
        HypercallFrame* call, IDomainControl control, XenDomain domain, DomctlVersion version, ref VcpuInfoArgument a, out bool isAnswered)
    {
        isAnswered = false;
        int error = CheckVcpu(domain, version, a.Vcpu);
        if (error != 0)
            return error;
        if (call->Caller.Machine.Hypervisor.MachineOf(domain) is not { } machine)
            return -Errno.ESRCH;
        VcpuActivity activity = control.ActivityOf(domain, (int)a.Vcpu);
        a.Online = (byte)(machine.UpVcpus >> (int)a.Vcpu & 1);
        a.IsBlocked = activity.IsBlocked ? (byte)1 : (byte)0;
        a.IsRunning = activity.IsRunning ? (byte)1 : (byte)0;
        a.RunTime = activity.RunTime;
        a.HostThread = (uint)activity.HostThread;
        isAnswered = true;
        return 0;
    }

    private static int Affinity(DomainMemory caller, IDomainControl control, XenDomain domain, AffinityArgument a, bool isSet)
    {
        const uint MostBits = 4096;
        if (a.Vcpu >= (uint)domain.Vcpus || a.Bits > MostBits)
            return -Errno.EINVAL;
        int bytes = (int)(a.Bits + 7) / 8;
        Span<byte> map = stackalloc byte[(int)MostBits / 8];
        map.Clear();
        Span<byte> used = map[..bytes];
        if (!isSet)
        {
            MemoryMarshal.Write(map, control.GetAffinity(domain, (int)a.Vcpu));
            return a.Bitmap.Write(caller, 0, used) ? 0 : -Errno.EFAULT;
        }

        if (!a.Bitmap.IsNull && !a.Bitmap.Read(caller, 0, used))
            return -Errno.EFAULT;
        ulong threads = MemoryMarshal.Read<ulong>(map) & (a.Bits < 64 ? (1UL << (int)a.Bits) - 1 : ulong.MaxValue);
        return threads == 0 ? -Errno.EINVAL : control.SetAffinity(domain, (int)a.Vcpu, threads);
    }
}
