using System.Numerics;

namespace FastXen.Xen.EventChannels;

// sched_op poll and block: vCPUs that wait for ports, or for the upcall.
public sealed partial class EventChannelTable
{
    /// <summary>Ports of one poll.</summary>
    public const int MaximumPolledPorts = 128;

    private const int ManyPorts = -1;
    private readonly int[] polledPorts;
    private ulong polling;

    /// <summary>
    /// Begins a poll: 0 when a port is pending already or an upcall is due, 1 when the vCPU is to wait until it is notified,
    /// -EINVAL for too many ports or a bad one.
    /// </summary>
    public int BeginPoll(int vcpu, ReadOnlySpan<uint> ports)
    {
        if (ports.Length > MaximumPolledPorts)
            return -Errno.EINVAL;
        Volatile.Write(ref polledPorts[vcpu], ports.Length == 1 ? (int)Math.Min(ports[0], MaximumPorts) : ManyPorts);
        // A sender sets its bit and then looks for pollers; here it is the other way round, so that one of the two sees the other.
        Interlocked.Or(ref polling, 1UL << vcpu);
        int result = NeedsDelivery(vcpu) ? 0 : Look(ports);
        if (result != 1)
            EndPoll(vcpu);
        return result;
    }

    /// <summary>Ends a poll: the vCPU was notified, or its time is over.</summary>
    public void EndPoll(int vcpu) => Interlocked.And(ref polling, ~(1UL << vcpu));

    /// <summary>The poll has not been answered yet.</summary>
    public bool IsPolling(int vcpu) => (Volatile.Read(ref polling) >> vcpu & 1) != 0;

    /// <summary>An upcall is pending and the vCPU has not masked it.</summary>
    public bool NeedsDelivery(int vcpu) => shared.NeedsDelivery(vcpu);

    /// <summary>Writes the upcall mask byte (sched_op block clears it; an interruption sets it).</summary>
    public void SetUpcallMask(int vcpu, bool masked) => shared.SetUpcallMask(vcpu, masked);

    private int Look(ReadOnlySpan<uint> ports)
    {
        foreach (uint port in ports)
        {
            if (port >= MaximumPorts)
                return -Errno.EINVAL;
            if (shared.IsPending((int)port))
                return 0;
        }
        return 1;
    }

    private ulong TakePollers(int port)
    {
        ulong taken = 0;
        for (ulong rest = Volatile.Read(ref polling); rest != 0; rest &= rest - 1)
        {
            int vcpu = BitOperations.TrailingZeroCount(rest);
            ulong bit = 1UL << vcpu;
            int polled = Volatile.Read(ref polledPorts[vcpu]);
            if ((polled == ManyPorts || polled == port) && (Interlocked.And(ref polling, ~bit) & bit) != 0)
                taken |= bit;
        }
        return taken;
    }
}
