using FastXen.Mmu;
using FastXen.Xen.Memory;

namespace FastXen.Xen.Hypercalls;

/// <summary>ia64_dom0vp_op (48): arch-ia64.h, <c>IA64_DOM0VP_*</c>. Guest physical memory as privileged domains, and the drivers of all, see it.</summary>
internal static unsafe partial class Dom0VpOp
{
    private const ulong Ioremap = 0, PhysToMach = 1, MachToPhys = 3, ZapPhysmap = 5, AddPhysmap = 6, ExposeP2m = 7, Perfmon = 8, AddPhysmapWithGmfn = 9,
        FpswaRevision = 10, AddIoSpace = 11, ExposeForeignP2m = 12, UnexposeForeignP2m = 13, GetMemmap = 14;

    // add_physmap: 0 read-only, 1 not cached, 3 the domain's own; the latter two are the hypervisor's.
    private const ulong ReadOnly = 1 << 0, NotTheCallers = 1 << 1 | 1 << 3;
    private const uint OurFpswaRevision = 1 << 16 | 18;
    private const ulong Invalid = ~0UL;

    // What Xen answers to a number that it does not have.
    private const long Unknown = -1;

    // Frames, and pages of a table, between look-points.
    private const ulong FrameSlice = 512, TableSlice = 16;

    /// <summary>ia64_dom0vp_op(command, arguments).</summary>
    public static long Do(HypercallFrame* call) => Hypercall.AsCaller(call, &DoCommand);

    private static long DoCommand(HypercallFrame* call)
    {
        XenDomain caller = call->Domain;
        DomainMemory memory = caller.Memory;
        ulong* a = call->Arguments;
        switch (a[0])
        {
            case Ioremap:
                return MapDevice(call, a[1], a[2]);
            case PhysToMach:
                return (long)memory.MachineFrameOf(a[1]);
            case MachToPhys:
                return (long)NumberOf(call, a[1]);
            case ZapPhysmap:
                if (a[2] != 0)
                    return -Errno.ENOSYS;
                _ = memory.Release(a[1]) || caller.Foreign.Unmap(a[1]) || memory.RemoveMmio(a[1]);
                return 0;
            case AddPhysmap:
                return MapForeign(call, isMachineFrame: true);
            case AddPhysmapWithGmfn:
                return MapForeign(call, isMachineFrame: false);
            case ExposeP2m:
                return Expose(call);
            case Perfmon:
                // There is no performance monitor for guests.
                return -Errno.ENOSYS;
            case FpswaRevision:
                return new XencommHandle(a[1]).Write(memory, OurFpswaRevision) ? 0 : -Errno.EFAULT;
            case AddIoSpace:
                // The legacy port space is known; the machine has no other.
                return a[1] == 0 ? 0 : -Errno.EINVAL;
            case ExposeForeignP2m:
                return ExposeForeign(call);
            case UnexposeForeignP2m:
                return UnexposeForeign(call);
            case GetMemmap:
                return CopyMemmap(call);
            default:
                return Unknown;
        }
    }

    // Shows device registers at their own address; the answer is that address.
    private static long MapDevice(HypercallFrame* call, ulong address, ulong size)
    {
        XenDomain caller = call->Domain;
        ulong first = address >> Frame.Shift;
        // Linux asks for 0 bytes, too.
        ulong last = address + Math.Max(size, 1) - 1 >> Frame.Shift;
        if (last < first || last >= Frame.Limit)
            return -Errno.EINVAL;
        if (!caller.IoPermissions.HasFrames(first, last))
            return -Errno.EPERM;
        return ShowRegisters(call, call->Caller.Machine, first, last, (long)address);
    }

    /// <summary>Shows device registers in a domain, all of them or -EINVAL; <paramref name="done"/> is the answer when it is done.</summary>
    internal static long ShowRegisters(HypercallFrame* call, ParavirtualMachine machine, ulong first, ulong last, long done)
    {
        DomainMemory memory = machine.Domain.Memory;
        ulong end = Math.Min(last, first + call->Progress + FrameSlice - 1);
        for (ulong gpfn = first + call->Progress; gpfn <= end; gpfn++)
        {
            bool isMapped = memory.Lookup(gpfn).Kind == FrameKind.Mmio;
            if (!isMapped && !(IsDevice(machine.Arena, gpfn) && memory.AddMmio(gpfn)))
                return -Errno.EINVAL;
        }

        return end < last ? call->ContinueFrom(end + 1 - first) : done;
    }

    // Windows of devices are multiples of 4 KiB.
    private static bool IsDevice(PhysicalMemory machine, ulong frame)
    {
        const ulong Step = 0x1000;
        for (ulong offset = 0; offset < Frame.Size; offset += Step)
        {
            if (machine.FindMmio((frame << Frame.Shift) + offset, out _) != null)
                return true;
        }

        return false;
    }

    // Where a machine frame is in its domain. Of others only the privileged know.
    private static ulong NumberOf(HypercallFrame* call, ulong mfn)
    {
        XenDomain caller = call->Domain;
        return call->Caller.Machine.Hypervisor.Frames.TryFind(mfn, out DomainMemory owner, out ulong gpfn)
            && (owner == caller.Memory || caller.IsPrivileged) && owner.MachineFrameOf(gpfn) == mfn ? gpfn : Invalid;
    }

    // add_physmap(gpfn, frame, flags, domain): another domain's frame among the caller's.
    private static long MapForeign(HypercallFrame* call, bool isMachineFrame)
    {
        XenDomain caller = call->Domain;
        ulong gpfn = call->Arguments[1], frame = call->Arguments[2], flags = call->Arguments[3];
        if (!caller.IsPrivileged)
            return -Errno.EPERM;
        if ((flags & NotTheCallers) != 0)
            return -Errno.EINVAL;
        ushort id = (ushort)call->Arguments[4];
        if (id is DomainIds.Io or DomainIds.Xen)
            // They own no memory that could be mapped.
            return -Errno.EINVAL;
        if (caller.Directory.Find(id) is not { } owner || !owner.Memory.TryEnter())
            return -Errno.ESRCH;
        bool found = true;
        if (isMachineFrame)
        {
            found = call->Caller.Machine.Hypervisor.Frames.TryFind(frame, out DomainMemory machine, out frame) && machine == owner.Memory;
        }

        bool done = found && owner != caller && caller.Foreign.Map(gpfn, owner.Memory, frame, (flags & ReadOnly) == 0);
        owner.Memory.Leave();
        return done ? 0 : -Errno.EINVAL;
    }
}
