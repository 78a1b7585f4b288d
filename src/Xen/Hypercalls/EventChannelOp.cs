using FastXen.Xen.EventChannels;
using FastXen.Xen.Memory;

namespace FastXen.Xen.Hypercalls;

/// <summary>event_channel_op (32).</summary>
internal static unsafe class EventChannelOp
{
    /// <summary>event_channel_op(command, argument).</summary>
    public static long Do(HypercallFrame* call) =>
        EventChannelCall.Do(call->Domain, (uint)call->Arguments[0], new XencommHandle(call->Arguments[1]));
}
