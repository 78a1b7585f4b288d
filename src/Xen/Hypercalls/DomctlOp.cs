using System.Runtime.InteropServices;
using FastXen.Xen.Memory;
using FastXen.Xen.Toolstack;

namespace FastXen.Xen.Hypercalls;

/// <summary>domctl (36): domctl.h. What a toolstack in a privileged domain does to domains; see <see cref="IDomainControl"/>.</summary>
internal static unsafe partial class DomctlOp
{
    private const uint CreateDomain = 1, DestroyDomain = 2, PauseDomain = 3, UnpauseDomain = 4, GetDomainInfo = 5, GetMemList = 6, SetVcpuAffinity = 9, ShadowOp = 10,
        MaxMem = 11, SetVcpuContext = 12, GetVcpuContext = 13, GetVcpuInfo = 14, MaxVcpus = 15, SchedulerOp = 16, SetDomainHandle = 17, SetDebugging = 18,
        IrqPermission = 19, IomemPermission = 20, IoportPermission = 21, ArchSetup = 23, SetTimeOffset = 24, GetVcpuAffinity = 25, ResumeDomain = 27, SendTrigger = 28,
        Subscribe = 29, GetHvmContext = 33, SetHvmContext = 34, SetAddressSize = 35, GetAddressSize = 36, SetOptFeature = 44;

    // Numbers of a list between look-points.
    private const int Slice = 512;

    /// <summary>domctl(argument).</summary>
    public static long Do(HypercallFrame* call) => Hypercall.AsCaller(call, &DoCommand);

    [StructLayout(LayoutKind.Sequential)]
    private struct CreateArgument
    {
        public uint Ssid;
        public fixed byte Handle[16];
        public uint Flags;
    }

    [StructLayout(LayoutKind.Sequential)]
    private struct MemListArgument
    {
        public ulong Count, First;
        public XencommHandle Buffer;
        public ulong Done;
    }

    [StructLayout(LayoutKind.Sequential)]
    private struct SchedulerArgument
    {
        public SchedulerKind Scheduler;
        public uint Command;
        public ushort Weight, Cap;
    }

    [StructLayout(LayoutKind.Sequential)]
    private struct FramesPermissionArgument
    {
        public ulong First, Count;
        public byte Allow;
    }

    [StructLayout(LayoutKind.Sequential)]
    private struct PortsPermissionArgument
    {
        public uint First, Count;
        public byte Allow;
    }

    [StructLayout(LayoutKind.Sequential)]
    private struct InterruptPermissionArgument
    {
        public byte Pirq, Allow;
    }

    private static long DoCommand(HypercallFrame* call)
    {
        XenDomain caller = call->Domain;
        var argument = new XencommHandle(call->Arguments[0]);
        if (!caller.IsPrivileged)
            return -Errno.EPERM;
        if (!argument.Read(caller.Memory, out DomctlArgument op))
            return -Errno.EFAULT;
        if (op.Version is not (DomctlVersion.Xen31 or DomctlVersion.Xen42))
            return -Errno.EACCES;
        if (call->Caller.Machine.Hypervisor.Control is not { } control)
            return -Errno.ENOSYS;
        bool isAnswered = false;
        long result = op.Command switch
        {
            CreateDomain => Create(control, ref op, out isAnswered),
            GetDomainInfo => Describe(call, control, ref op, out isAnswered),
            TestAssignDevice => call->Caller.Machine.Hypervisor.Pci.IsAssignable(caller, op.As<uint>()) ? 0 : -Errno.EINVAL,
            _ => OnDomain(call, control, ref op, out isAnswered),
        };
        return isAnswered && !call->Again && !argument.Write(caller.Memory, op) ? -Errno.EFAULT : result;
    }

    private static long OnDomain(HypercallFrame* call, IDomainControl control, ref DomctlArgument op, out bool isAnswered)
    {
        isAnswered = false;
        XenDomain caller = call->Domain;
        FramesPermissionArgument frames = op.As<FramesPermissionArgument>();
        if (op.Command == IomemPermission && frames.First + frames.Count - 1 < frames.First)
            return -Errno.EINVAL;
        // Only real numbers name a domain here.
        XenDomain? domain = caller.Directory.Find(op.Domain);
        using var target = new TargetDomain(caller, domain?.Id ?? op.Domain);
        if (domain == null || target.Error != 0)
            return op.Command is GetMemList or ArchSetup or SetOptFeature or AssignDevice or DeassignDevice ? -Errno.EINVAL : -Errno.ESRCH;
        bool isSelf = domain == caller;
        switch (op.Command)
        {
            case DestroyDomain:
                return isSelf ? -Errno.EINVAL : control.Destroy(domain);
            case PauseDomain:
                return isSelf ? -Errno.EINVAL : Pause(call, control, domain);
            case UnpauseDomain:
                return control.Unpause(domain);
            case ResumeDomain:
                return isSelf ? -Errno.EINVAL : control.Resume(domain);
            case GetMemList:
                return ListMemory(call, domain.Memory, ref op.As<MemListArgument>(), out isAnswered);
            case ShadowOp:
                isAnswered = true;
                return Shadow(caller, domain, ref op.As<ShadowArgument>());
            case MaxMem:
                const int KiBPerFrameShift = Frame.Shift - 10;
                domain.Memory.Maximum = (long)(op.As<ulong>() >> KiBPerFrameShift);
                return 0;
            case SchedulerOp:
                isAnswered = true;
                return Schedule(control, domain, ref op.As<SchedulerArgument>());
            case SetDomainHandle:
                domain.Handle = new Guid(MemoryMarshal.CreateReadOnlySpan(ref op.As<byte>(), 16), bigEndian: true);
                return 0;
            case SetDebugging:
                if (isSelf)
                    return -Errno.EINVAL;
                domain.IsDebugged = op.As<byte>() != 0;
                return 0;
            case IrqPermission:
                return domain.IoPermissions.SetInterrupt(op.As<InterruptPermissionArgument>().Pirq, op.As<InterruptPermissionArgument>().Allow != 0);
            case IomemPermission:
                return domain.IoPermissions.SetFrames(frames.First, frames.First + frames.Count - 1, frames.Allow != 0);
            case IoportPermission:
                return PermitPorts(domain, op.As<PortsPermissionArgument>());
            case SetTimeOffset:
                domain.TimeOffset = op.As<int>();
                return 0;
            case Subscribe:
                domain.SuspendPort = op.As<uint>();
                return 0;
            case GetHvmContext or SetHvmContext:
                // There are no domains with virtualized processors.
                return -Errno.EINVAL;
            case SetAddressSize:
                return op.As<uint>() == 64 ? 0 : -Errno.EINVAL;
            case GetAddressSize:
                op.As<uint>() = 64;
                isAnswered = true;
                return 0;
            case SetOptFeature:
                // The identity mapping of region 7 saves faults on hardware; here it would save nothing.
                return op.As<ulong>() == 1 ? 0 : -Errno.ENOSYS;
            default:
                return OnDevices(call, control, domain, ref op, out isAnswered);
        }
    }

    // No vCPU runs when this returns: until then the hypercall is executed again.
    private static long Pause(HypercallFrame* call, IDomainControl control, XenDomain domain)
    {
        int result = call->Progress == 0 ? control.Pause(domain) : 0;
        if (result != 0 || !control.IsPaused(domain) || control.IsStopped(domain))
            return result;
        call->Caller.Processor.Preempt();
        return call->ContinueFrom(1);
    }

    private static int Create(IDomainControl control, ref DomctlArgument op, out bool isAnswered)
    {
        const uint VirtualizedProcessor = 1, Known = 0xF;
        isAnswered = false;
        ref CreateArgument a = ref op.As<CreateArgument>();
        // The other flags are about memory of virtualized processors.
        if ((a.Flags & VirtualizedProcessor) != 0 || (a.Flags & ~Known) != 0)
            return -Errno.EINVAL;
        fixed (byte* handle = a.Handle)
        {
            ushort wanted = op.Domain < DomainIds.Host ? op.Domain : (ushort)0;
            int result = control.Create(new DomainRequest(wanted, new Guid(new ReadOnlySpan<byte>(handle, 16), bigEndian: true)), out ushort id);
            if (result != 0)
                return result;
            op.Domain = id;
        }

        isAnswered = true;
        return 0;
    }

    // The first domain from the number on.
    private static long Describe(HypercallFrame* call, IDomainControl control, ref DomctlArgument op, out bool isAnswered)
    {
        isAnswered = false;
        foreach (XenDomain domain in call->Domain.Directory.All)
        {
            if (domain.Id < op.Domain)
                continue;
            Span<byte> info = MemoryMarshal.CreateSpan(ref op.As<byte>(), DomainInfo.SizeOf(op.Version));
            if (!DomainInfo.Write(call->Caller.Machine.Hypervisor, control, domain, op.Version, info))
                continue;
            op.Domain = domain.Id;
            isAnswered = true;
            return 0;
        }

        return -Errno.ESRCH;
    }

    // The numbers that have something behind them; the others are all ones.
    private static long ListMemory(HypercallFrame* call, DomainMemory memory, ref MemListArgument a, out bool isAnswered)
    {
        isAnswered = true;
        ulong done = call->Progress;
        int count = (int)Math.Min(a.Count - Math.Min(done, a.Count), Slice);
        Span<ulong> numbers = stackalloc ulong[Slice];
        for (int k = 0; k < count; k++)
        {
            ulong gpfn = a.First + done + (uint)k;
            numbers[k] = memory.Lookup(gpfn).Kind == FrameKind.Hole ? Frame.Invalid : gpfn;
        }

        a.Done = done;
        if (!a.Buffer.Write(call->Domain.Memory, done * sizeof(ulong), MemoryMarshal.AsBytes(numbers[..count])))
            return -Errno.EFAULT;
        a.Done = done += (uint)count;
        return done < a.Count ? call->ContinueFrom(done) : 0;
    }

    private static int Schedule(IDomainControl control, XenDomain domain, ref SchedulerArgument a)
    {
        const uint Put = 0, Get = 1;
        const ushort Same = 0xFFFF;
        if (a.Scheduler != control.Scheduler || a.Command > Get)
            return -Errno.EINVAL;
        CreditShare share = control.GetShare(domain);
        if (a.Command == Put)
            return control.SetShare(domain, new CreditShare(a.Weight != 0 ? a.Weight : share.Weight, a.Cap != Same ? a.Cap : share.Cap));
        (a.Weight, a.Cap) = (share.Weight, share.Cap);
        return 0;
    }

    private static int PermitPorts(XenDomain domain, in PortsPermissionArgument a)
    {
        if (a.Count == 0)
            return 0;
        ulong last = (ulong)a.First + a.Count - 1;
        return last < Physdev.IoPermissions.Ports ? domain.IoPermissions.SetPorts(a.First, last, a.Allow != 0) : -Errno.EINVAL;
    }
}
