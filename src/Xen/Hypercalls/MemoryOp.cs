using System.Runtime.InteropServices;
using FastXen.Platform.Firmware.Efi;
using FastXen.Xen.Firmware;
using FastXen.Xen.Memory;
using FastXen.Xen.Toolstack;

namespace FastXen.Xen.Hypercalls;

/// <summary>
/// memory_op (12): memory.h. Lists of extents hold guest frame numbers; those that change a reservation answer how many extents are done, whatever stopped them.
/// </summary>
internal static unsafe partial class MemoryOp
{
    private const uint IncreaseReservation = 0, DecreaseReservation = 1, MaximumRamPage = 2, CurrentReservation = 3, MaximumReservation = 4,
        PopulatePhysmap = 6, AddToPhysmap = 7, TranslateGpfnList = 8, MachineMemoryMap = 10, Exchange = 11, MaximumGpfn = 14, RemoveFromPhysmap = 15,
        SetPodTarget = 16, GetPodTarget = 17;

    // The command's bits above are a progress that a caller may begin with (MEMOP_EXTENT_SHIFT).
    private const int ProgressShift = 6;
    private const ulong CommandMask = (1 << ProgressShift) - 1;

    // The order of the largest extent (iocap.h, multipage_allocation_permitted): 8 MiB.
    private const uint MaximumOrder = 9;

    // Frames that are done between look-points.
    private const int Slice = DomainMemory.MaximumBatch;

    [StructLayout(LayoutKind.Sequential)]
    private struct Reservation
    {
        public XencommHandle Extents;
        public ulong Count;
        public uint Order, Flags;
        public ushort Domain;
    }

    // add_to_physmap, remove_from_physmap: what they begin with.
    [StructLayout(LayoutKind.Sequential)]
    private struct PhysmapArgument
    {
        public ushort Domain;
        public ulong Gpfn;
    }

    [StructLayout(LayoutKind.Sequential)]
    private struct TranslateArgument
    {
        public ushort Domain;
        public ulong Count;
        public XencommHandle Gpfns, Mfns;
    }

    [StructLayout(LayoutKind.Sequential)]
    private struct MemoryMapArgument
    {
        public uint Bytes;
        public XencommHandle Buffer;
    }

    [StructLayout(LayoutKind.Sequential)]
    private struct PodTargetArgument
    {
        public ulong Target, Total, Cache, Entries;
        public ushort Domain;
    }

    /// <summary>memory_op(command, argument).</summary>
    public static long Do(HypercallFrame* call) => Hypercall.AsCaller(call, &DoCommand);

    private static long DoCommand(HypercallFrame* call)
    {
        var argument = new XencommHandle(call->Arguments[1]);
        XenDomain caller = call->Domain;
        uint command = (uint)(call->Arguments[0] & CommandMask);
        switch (command)
        {
            case IncreaseReservation or DecreaseReservation or PopulatePhysmap:
                return Change(call, command, argument);
            case MaximumRamPage:
                return (long)call->Caller.Machine.Hypervisor.Frames.End;
            case CurrentReservation:
                return Of(caller, argument, static domain => domain.Memory.Populated);
            case MaximumReservation:
                return Of(caller, argument, static domain => domain.Memory.Maximum);
            case MaximumGpfn:
                return Of(caller, argument, static domain => (long)(domain.ConventionalEnd >> Frame.Shift) - 1);
            case Exchange:
                return DoExchange(call, argument);
            case AddToPhysmap:
                // Of domains with virtualized processors only.
                return !argument.Read(caller.Memory, out PhysmapArgument add) ? -Errno.EFAULT
                    : caller.Directory.FindTarget(caller, add.Domain, out _) is < 0 and var error ? error : -Errno.ENOSYS;
            case RemoveFromPhysmap:
                return Remove(caller, argument);
            case TranslateGpfnList:
                return Translate(call, argument);
            case MachineMemoryMap:
                return WriteMachineMap(call, argument);
            case SetPodTarget or GetPodTarget:
                return PodTarget(caller, argument);
            default:
                return -Errno.ENOSYS;
        }
    }

    private static long Of(XenDomain caller, XencommHandle argument, Func<XenDomain, long> value)
    {
        if (!argument.Read(caller.Memory, out ushort id))
            return -Errno.EFAULT;
        int found = caller.Directory.FindTarget(caller, id, out XenDomain target);
        return found < 0 ? found : value(target);
    }

    private static long Change(HypercallFrame* call, uint command, XencommHandle argument)
    {
        XenDomain caller = call->Domain;
        ulong done = Math.Max(call->Progress, call->Arguments[0] >> ProgressShift);
        const uint AddressBits = 0xFF;
        if (!argument.Read(caller.Memory, out Reservation r) || done >= r.Count || r.Count > ulong.MaxValue >> ProgressShift || r.Order > MaximumOrder
            || (r.Flags & AddressBits) is not 0 and <= Frame.Shift)
            return (long)done;
        using var target = new TargetDomain(caller, r.Domain);
        if (target.Error != 0 || target.Domain.IsDying)
            return (long)done;
        int wanted = (int)Math.Min(r.Count - done, (ulong)Slice >> (int)r.Order);
        Span<ulong> extents = stackalloc ulong[Slice];
        extents = extents[..ReadExtents(caller.Memory, r, done, extents[..wanted])];
        int changed = command switch
        {
            PopulatePhysmap => Populate(target.Domain.Memory, extents, 1UL << (int)r.Order),
            DecreaseReservation => Release(target.Domain.Memory, extents, (int)r.Order),
            _ => Increase(caller.Memory, target.Domain.Memory, r, done, wanted),
        };
        done += (uint)changed;
        return changed == wanted && done < r.Count ? call->ContinueFrom(done) : (long)done;
    }

    // In one piece, or, where the list ends in memory that is not there, one by one up to that.
    private static int ReadExtents(DomainMemory memory, in Reservation r, ulong from, Span<ulong> extents)
    {
        if (r.Extents.Read(memory, from * sizeof(ulong), MemoryMarshal.AsBytes(extents)))
            return extents.Length;
        int count = 0;
        while (count < extents.Length && r.Extents.Read(memory, out extents[count], from + (uint)count))
            count++;
        return count;
    }

    private static int Populate(DomainMemory memory, ReadOnlySpan<ulong> extents, ulong frames)
    {
        int done = 0;
        while (done < extents.Length && extents[done] < Frame.Limit - frames && memory.PopulateExtent(extents[done], frames))
            done++;
        return done;
    }

    private static int Release(DomainMemory memory, ReadOnlySpan<ulong> extents, int order)
    {
        if (order == 0)
            return memory.Release(extents);
        Span<ulong> frames = stackalloc ulong[Slice];
        for (int k = 0; k < extents.Length << order; k++)
            frames[k] = extents[k >> order] + (uint)(k & (1 << order) - 1);
        return memory.Release(frames[..(extents.Length << order)]) >> order;
    }

    // A new frame has to have a number here: the lowest that is free. The list, where there is one, gets the machine frames.
    private static int Increase(DomainMemory caller, DomainMemory memory, in Reservation r, ulong from, int count)
    {
        // What one extent of the list found taken is not looked at again by the next.
        ulong first = 0;
        for (int done = 0; done < count; done++)
        {
            if (!memory.PopulateAnywhere(1UL << (int)r.Order, first, out first)
                || !r.Extents.IsNull && !r.Extents.Write(caller, memory.MachineFrameOf(first), from + (uint)done))
                return done;
        }

        return count;
    }

    // The frame's number goes; on ia64 the frame would stay the domain's, without a number.
    private static long Remove(XenDomain caller, XencommHandle argument)
    {
        if (!argument.Read(caller.Memory, out PhysmapArgument a))
            return -Errno.EFAULT;
        using var target = new TargetDomain(caller, a.Domain);
        return target.Error != 0 ? target.Error
            : target.Domain.Memory.Release(a.Gpfn) || target.Domain.Foreign.Unmap(a.Gpfn) ? 0 : -Errno.ENOENT;
    }

    // Machine frames of frame numbers (Xen 3.1; later ones have no such operation).
    private static long Translate(HypercallFrame* call, XencommHandle argument)
    {
        XenDomain caller = call->Domain;
        if (!argument.Read(caller.Memory, out TranslateArgument a))
            return -Errno.EFAULT;
        using var target = new TargetDomain(caller, a.Domain);
        if (target.Error != 0)
            return target.Error;
        if (a.Count > ulong.MaxValue >> ProgressShift)
            return -Errno.EINVAL;
        ulong end = Math.Min(a.Count, call->Progress + Slice);
        for (ulong k = call->Progress; k < end; k++)
        {
            if (!a.Gpfns.Read(caller.Memory, out ulong gpfn, k) || !a.Mfns.Write(caller.Memory, target.Domain.Memory.MachineFrameOf(gpfn), k))
                return -Errno.EFAULT;
        }

        return end < a.Count ? call->ContinueFrom(end) : 0;
    }

    private static long WriteMachineMap(HypercallFrame* call, XencommHandle argument)
    {
        XenDomain caller = call->Domain;
        if (!caller.IsPrivileged)
            return -Errno.EINVAL;
        if (!argument.Read(caller.Memory, out MemoryMapArgument a))
            return -Errno.EFAULT;
        byte[] map = MemmapInfo.Of(
        [
            new(EfiMemoryType.Conventional, 0, call->Caller.Machine.Hypervisor.Frames.End << Frame.Shift, EfiMemoryMap.WriteBack),
            new(EfiMemoryType.MemoryMappedIoPortSpace, FirmwareLayout.PortSpace, FirmwareLayout.PortSpaceSize, EfiMemoryMap.Uncacheable),
        ]);
        if (a.Bytes < map.Length)
            return -Errno.EINVAL;
        a.Bytes = (uint)map.Length;
        return a.Buffer.Write(caller.Memory, 0, map) && argument.Write(caller.Memory, a) ? 0 : -Errno.EFAULT;
    }

    // Nothing is populated on demand: a target is read, and taken without effect.
    private static long PodTarget(XenDomain caller, XencommHandle argument)
    {
        if (!caller.IsPrivileged)
            return -Errno.EINVAL;
        if (!argument.Read(caller.Memory, out PodTargetArgument a))
            return -Errno.EFAULT;
        int found = caller.Directory.FindTarget(caller, a.Domain, out XenDomain target);
        if (found != 0)
            return found;
        a.Total = (ulong)target.Memory.Populated;
        a.Cache = a.Entries = 0;
        return argument.Write(caller.Memory, a) ? 0 : -Errno.EFAULT;
    }
}
