using FastXen.Xen.Grants;
using FastXen.Xen.Memory;
using FastXen.Xen.Processor;

namespace FastXen.Xen.Hypercalls;

/// <summary>grant_table_op (20).</summary>
internal static unsafe class GrantTableOp
{
    /// <summary>grant_table_op(command, argument, count). Long lists are done in one go: a count is bounded by what the guest's memory can describe.</summary>
    public static long Do(HypercallFrame* call)
    {
        ParavirtualVcpu.Current = call->Caller;
        uint progress = 0;
        long result;
        bool done;
        do
        {
            result = GrantTableCall.Do(
                call->Domain, (uint)call->Arguments[0], new XencommHandle(call->Arguments[1]), (uint)call->Arguments[2], ref progress, out done);
        }
        while (!done && call->Caller.Processor.StopReason == Core.VcpuStop.None);
        return result;
    }
}
