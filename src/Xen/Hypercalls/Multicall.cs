using System.Runtime.InteropServices;
using FastXen.Xen.Memory;

namespace FastXen.Xen.Hypercalls;

/// <summary>multicall (13): a list of hypercalls, each with its own result (xen.h, <c>multicall_entry</c>).</summary>
internal static unsafe class Multicall
{
    private const ulong MulticallNumber = 13;

    // Hypercalls between look-points.
    private const ulong Slice = 64;

    [StructLayout(LayoutKind.Sequential)]
    private struct Entry
    {
        public ulong Number, Result;
        public fixed ulong Arguments[6];
    }

    /// <summary>multicall(list, count).</summary>
    public static long Do(HypercallFrame* call)
    {
        var list = new XencommHandle(call->Arguments[0]);
        DomainMemory memory = call->Domain.Memory;
        ulong count = call->Arguments[1] & 0xFFFF_FFFF;
        ulong end = Math.Min(count, call->Progress + Slice);
        for (ulong k = call->Progress; k < end; k++)
        {
            if (!list.Read(memory, out Entry entry, k))
                return -Errno.EFAULT;
            var inner = new HypercallFrame { Vcpu = call->Vcpu, State = call->State, Number = entry.Number, Progress = call->InnerProgress };
            call->InnerProgress = 0;
            for (int a = 0; a < HypercallFrame.ArgumentCount; a++)
                inner.Arguments[a] = entry.Arguments[a];
            entry.Result = (ulong)(entry.Number == MulticallNumber ? -Errno.ENOSYS : Hypercall.Call(&inner));
            if (inner.Again)
            {
                call->InnerProgress = inner.Progress;
                return call->ContinueFrom(k);
            }

            if (!list.Write(memory, entry, k))
                return -Errno.EFAULT;
        }

        return end < count ? call->ContinueFrom(end) : 0;
    }
}
