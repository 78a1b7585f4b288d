using System.Buffers.Binary;
using FastXen.Xen.Memory;

namespace FastXen.Xen.Toolstack;

/// <summary>What a toolstack is told of a domain (domctl.h, <c>xen_domctl_getdomaininfo</c>).</summary>
internal static class DomainInfo
{
    private const uint Dying = 1 << 0, ShutDown = 1 << 2, Paused = 1 << 3, Blocked = 1 << 4, Running = 1 << 5, Debugged = 1 << 6;
    private const int ReasonShift = 16;

    /// <summary>Bytes of it.</summary>
    public static int SizeOf(DomctlVersion version) => version == DomctlVersion.Xen31 ? 72 : 88;

    /// <summary>Writes it. False where the domain has no machine (any more).</summary>
    public static bool Write(XenHost host, IDomainControl control, XenDomain domain, DomctlVersion version, Span<byte> info)
    {
        if (host.MachineOf(domain) is not { } machine)
            return false;
        info.Clear();
        uint flags = Blocked, online = 0;
        ulong time = 0, up = machine.UpVcpus;
        for (int n = 0; n < domain.Vcpus; n++)
        {
            VcpuActivity activity = control.ActivityOf(domain, n);
            time += activity.RunTime;
            if ((up >> n & 1) == 0)
                continue;
            online++;
            if (!activity.IsBlocked)
                flags &= ~Blocked;
            if (activity.IsRunning)
                flags |= Running;
        }

        flags |= (domain.IsDying ? Dying : 0) | (control.IsPaused(domain) ? Paused : 0) | (domain.IsDebugged ? Debugged : 0);
        if (machine.ShutdownReason is { } reason)
            flags |= ShutDown | ((uint)reason & 0xFF) << ReasonShift;
        BinaryPrimitives.WriteUInt16LittleEndian(info, domain.Id);
        BinaryPrimitives.WriteUInt32LittleEndian(info[4..], flags);
        BinaryPrimitives.WriteInt64LittleEndian(info[8..], domain.Memory.Populated);
        BinaryPrimitives.WriteInt64LittleEndian(info[16..], domain.Memory.Maximum);
        // Frames that are shared or paged out come first in the newer form; there are none.
        Span<byte> rest = info[(version == DomctlVersion.Xen31 ? 24 : 40)..];
        BinaryPrimitives.WriteUInt64LittleEndian(rest, Frame.WindowStart);
        BinaryPrimitives.WriteUInt64LittleEndian(rest[8..], time);
        BinaryPrimitives.WriteUInt32LittleEndian(rest[16..], online);
        BinaryPrimitives.WriteInt32LittleEndian(rest[20..], Math.Max(domain.Vcpus - 1, 0));
        domain.Handle.TryWriteBytes(rest[28..], bigEndian: true, out _);
        return true;
    }
}
