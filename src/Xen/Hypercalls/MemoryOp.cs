using System.Runtime.InteropServices;
using FastXen.Xen.Memory;
using FastXen.Xen.Processor;

namespace FastXen.Xen.Hypercalls;

/// <summary>memory_op (12): memory.h. Lists of extents hold guest frame numbers.</summary>
internal static unsafe class MemoryOp
{
    private const uint IncreaseReservation = 0, DecreaseReservation = 1, MaximumRamPage = 2, CurrentReservation = 3, MaximumReservation = 4,
        PopulatePhysmap = 6, AddToPhysmap = 7, TranslateGpfnList = 8, MemoryMap = 9, Exchange = 11, MaximumGpfn = 14;

    // The order of the largest extent that is taken in one piece: 4 MiB.
    private const uint MaximumOrder = 8;

    [StructLayout(LayoutKind.Sequential)]
    private struct Reservation
    {
        public XencommHandle Extents;
        public ulong Count;
        public uint Order, Flags;
        public ushort Domain;
    }

    [StructLayout(LayoutKind.Sequential)]
    private struct ExchangeArgument
    {
        public Reservation In, Out;
        public ulong Exchanged;
    }

    /// <summary>memory_op(command, argument).</summary>
    public static long Do(HypercallFrame* call)
    {
        ParavirtualVcpu.Current = call->Caller;
        var argument = new XencommHandle(call->Arguments[1]);
        XenDomain caller = call->Domain;
        switch ((uint)call->Arguments[0] & 0xFF)
        {
            case IncreaseReservation or PopulatePhysmap:
                return Change(caller, argument, static (memory, gpfn) => memory.Populate(gpfn));
            case DecreaseReservation:
                return Change(caller, argument, static (memory, gpfn) => memory.Release(gpfn));
            case MaximumRamPage:
                return caller.IsPrivileged ? (long)caller.Memory.ArenaFrames : -Errno.EPERM;
            case CurrentReservation:
                return Of(caller, argument, static domain => domain.Memory.Populated);
            case MaximumReservation:
                return Of(caller, argument, static domain => domain.Memory.Maximum);
            case MaximumGpfn:
                return Of(caller, argument, static domain => (long)domain.Memory.ArenaFrames - 1);
            case Exchange:
                return DoExchange(caller, argument);
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

    // The result is the number of extents that were done.
    private static long Change(XenDomain caller, XencommHandle argument, Func<DomainMemory, ulong, bool> change)
    {
        if (!argument.Read(caller.Memory, out Reservation r))
            return -Errno.EFAULT;
        int found = caller.Directory.FindTarget(caller, r.Domain, out XenDomain target);
        if (found < 0)
            return found;
        if (r.Order > MaximumOrder)
            return 0;
        ulong frames = 1UL << (int)r.Order;
        for (ulong k = 0; k < r.Count; k++)
        {
            if (!r.Extents.Read(caller.Memory, out ulong first, k) || first > Frame.Limit - frames)
                return (long)k;
            for (ulong f = 0; f < frames; f++)
            {
                if (!change(target.Memory, first + f))
                    return (long)k;
            }
        }

        return (long)r.Count;
    }

    // Frames keep their numbers and their content; which machine frames are behind them is nobody's business but the host's.
    private static long DoExchange(XenDomain caller, XencommHandle argument)
    {
        if (!argument.Read(caller.Memory, out ExchangeArgument a))
            return -Errno.EFAULT;
        bool shapes = a.In.Order <= MaximumOrder && a.Out.Order <= MaximumOrder && a.In.Count < Frame.Limit && a.Out.Count < Frame.Limit
            && a.In.Count << (int)a.In.Order == a.Out.Count << (int)a.Out.Order;
        if (!shapes || a.In.Domain != a.Out.Domain)
            return -Errno.EINVAL;
        int found = caller.Directory.FindTarget(caller, a.In.Domain, out _);
        if (found < 0)
            return found;
        a.Exchanged = a.In.Count;
        return argument.Write(caller.Memory, a) ? 0 : -Errno.EFAULT;
    }
}
