using FastXen.Xen.Grants;
using FastXen.Xen.Memory;

namespace FastXen.Xen.Hypercalls;

/// <summary>grant_table_op (20).</summary>
internal static unsafe class GrantTableOp
{
    /// <summary>grant_table_op(command, argument, count). Long lists are done in slices.</summary>
    public static long Do(HypercallFrame* call) => Hypercall.AsCaller(call, &Slice);

    private static long Slice(HypercallFrame* call)
    {
        uint progress = (uint)call->Progress;
        long result = GrantTableCall.Do(
            call->Domain, (uint)call->Arguments[0], new XencommHandle(call->Arguments[1]), (uint)call->Arguments[2], ref progress, out bool done);
        return done ? result : call->ContinueFrom(progress);
    }
}
