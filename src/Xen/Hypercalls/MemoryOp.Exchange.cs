using System.Runtime.InteropServices;
using FastXen.Xen.Memory;
using FastXen.Xen.Toolstack;

namespace FastXen.Xen.Hypercalls;

// XENMEM_exchange: frames go, others come. The machine frame of a number is always the same here, so a number that is in both lists keeps its frame, content included.
internal static unsafe partial class MemoryOp
{
    [StructLayout(LayoutKind.Sequential)]
    private struct ExchangeArgument
    {
        public Reservation In, Out;
        public ulong Exchanged;
    }

    private static long DoExchange(HypercallFrame* call, XencommHandle argument)
    {
        XenDomain caller = call->Domain;
        if (!argument.Read(caller.Memory, out ExchangeArgument a))
            return -Errno.EFAULT;
        long result = Exchanged(call, ref a);
        // How far it is stays in the structure, as Xen has it; it is what the next slice begins with.
        return argument.Write(caller.Memory, a) ? result : -Errno.EFAULT;
    }

    private static long Exchanged(HypercallFrame* call, ref ExchangeArgument a)
    {
        XenDomain caller = call->Domain;
        if (a.Exchanged > a.In.Count || a.In.Domain != a.Out.Domain || a.In.Count >= Frame.Limit || a.Out.Count >= Frame.Limit)
            return -Errno.EINVAL;
        if (a.In.Order > MaximumOrder || a.Out.Order > MaximumOrder)
            return -Errno.EPERM;
        if (a.In.Count << (int)a.In.Order != a.Out.Count << (int)a.Out.Order)
            return -Errno.EINVAL;
        using var target = new TargetDomain(caller, a.In.Domain);
        if (target.Error != 0)
            return target.Error;
        // A chunk is the smallest number of frames that is whole extents on both sides.
        int order = (int)Math.Max(a.In.Order, a.Out.Order);
        int inShift = order - (int)a.In.Order, outShift = order - (int)a.Out.Order;
        ulong chunk = a.Exchanged >> inShift, end = Math.Min(a.In.Count >> inShift, chunk + ((uint)Slice >> order));
        for (; chunk < end; chunk++)
        {
            a.Exchanged = chunk << inShift;
            int result = ExchangeChunk(caller.Memory, target.Domain.Memory, a, a.Exchanged, chunk << outShift, 1 << inShift, 1 << outShift);
            if (result != 0)
                return result;
        }

        a.Exchanged = chunk << inShift;
        if (a.Exchanged < a.In.Count)
            return call->ContinueFrom(0);
        return 0;
    }

    private static int ExchangeChunk(DomainMemory caller, DomainMemory memory, in ExchangeArgument a, ulong firstIn, ulong firstOut, int countIn, int countOut)
    {
        Span<ulong> going = stackalloc ulong[Slice], coming = stackalloc ulong[Slice];
        if (!ReadFrames(caller, a.In, firstIn, countIn, ref going) || !ReadFrames(caller, a.Out, firstOut, countOut, ref coming))
            return -Errno.EFAULT;
        // Past this point nothing fails: all of it is looked at first. Frames that others use cannot be given away.
        foreach (ulong gpfn in going)
        {
            if (memory.Lookup(gpfn).Kind != FrameKind.Ram || memory.IsPinned(gpfn))
                return -Errno.EINVAL;
        }

        going.Sort();
        foreach (ulong gpfn in coming)
        {
            if (going.BinarySearch(gpfn) < 0 && !memory.IsVacant(gpfn))
                return -Errno.ENOMEM;
        }

        coming.Sort();
        int left = 0;
        foreach (ulong gpfn in going)
        {
            if (coming.BinarySearch(gpfn) < 0)
                going[left++] = gpfn;
        }

        memory.Release(going[..left]);
        foreach (ulong gpfn in coming)
            memory.Populate(gpfn);
        return 0;
    }

    private static bool ReadFrames(DomainMemory memory, in Reservation r, ulong first, int extents, ref Span<ulong> frames)
    {
        int order = (int)r.Order;
        frames = frames[..(extents << order)];
        Span<ulong> starts = stackalloc ulong[Slice];
        starts = starts[..extents];
        if (ReadExtents(memory, r, first, starts) != extents)
            return false;
        for (int k = 0; k < frames.Length; k++)
            frames[k] = starts[k >> order] + (uint)(k & (1 << order) - 1);
        return true;
    }
}
