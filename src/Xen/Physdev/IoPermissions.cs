using FastXen.Xen.EventChannels;

namespace FastXen.Xen.Physdev;

/// <summary>What of the machine's devices a domain may reach: a privileged one all, others what the toolstack lets them (domctl, <c>*_permission</c>).</summary>
public sealed class IoPermissions
{
    /// <summary>Ports of the port space.</summary>
    public const ulong Ports = 1 << 16;

    private readonly RangeSet _frames = new(), _ports = new(), _interrupts = new();

    internal IoPermissions(bool all)
    {
        if (!all)
            return;
        _frames.Add(0, ulong.MaxValue);
        _ports.Add(0, Ports - 1);
        _interrupts.Add(0, EventChannelTable.Pirqs - 1);
    }

    /// <summary>It may map device registers in all of these machine frames.</summary>
    public bool HasFrames(ulong first, ulong last) => _frames.Contains(first, last);

    /// <summary>It may use all of these ports.</summary>
    public bool HasPorts(ulong first, ulong last) => _ports.Contains(first, last);

    /// <summary>It may bind the physical interrupt.</summary>
    public bool HasInterrupt(int pirq) => _interrupts.Contains((uint)pirq, (uint)pirq);

    /// <summary>Gives or takes machine frames; 0 or -ENOMEM.</summary>
    public int SetFrames(ulong first, ulong last, bool allow) => Set(_frames, first, last, allow);

    /// <summary>Gives or takes ports; 0 or -ENOMEM.</summary>
    public int SetPorts(ulong first, ulong last, bool allow) => Set(_ports, first, last, allow);

    /// <summary>Gives or takes a physical interrupt; 0 or -ENOMEM.</summary>
    public int SetInterrupt(int pirq, bool allow) => Set(_interrupts, (uint)pirq, (uint)pirq, allow);

    private static int Set(RangeSet set, ulong first, ulong last, bool allow) => (allow ? set.Add(first, last) : set.Remove(first, last)) ? 0 : -Errno.ENOMEM;
}
